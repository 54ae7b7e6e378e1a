use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{ROOM, fitting};
use crate::action::{Action, Caller, Wiki, clip};
use crate::clean::Clean;
use crate::confluence::{ContentId, Node, Space, SpaceKey};
use crate::problem::Problem;

/// The most nodes below one page that are looked at, in pages of 250.
const MAX_PAGES: usize = 8;
/// The most pages at the top of a space whose trees are looked into.
const MAX_ROOTS: usize = 10;

/// Show the page tree
///
/// Returns what stands below a page, or the tree of a space, in reading order as a flat list with depth and parentId: pages, and folders, whiteboards and databases by their names.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetPageTree {
    /// The id of the page whose tree to show. Instead of space.
    #[schema(value_type = Option<String>, max_length = 20, example = "1310721")]
    page: Option<ContentId>,
    /// The key of the space whose tree to show. Instead of page.
    #[schema(value_type = Option<String>, max_length = 256, example = "ENG")]
    space: Option<SpaceKey>,
    /// How many levels to show.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5, default = 2)]
    depth: u32,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

/// The tree.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageTree {
    results: Vec<TreeNode>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
    /// Present and true when the tree is larger than is looked at; ask for the tree of a page further down.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<bool>,
}

/// A page, or what else stands in the tree.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TreeNode {
    id: Clean,
    /// page, folder, whiteboard, database or embed; only pages can be read.
    r#type: Clean,
    title: Clean,
    url: Clean,
    /// 1 for what stands directly below the page, or at the top of the space.
    depth: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<Clean>,
}

impl Action for GetPageTree {
    const ID: &'static str = "getPageTree";
    const PATH: &'static str = "/v1/tree";
    const SCOPES: &'static [&'static str] =
        &["read:hierarchical-content:confluence", "read:page:confluence", "read:space:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("space", "ENG")];
    type Output = PageTree;

    async fn call(self, caller: Caller) -> Result<PageTree, Problem> {
        let wiki = caller.wiki().await?;
        let skip = match wiki.open_cursor(self.cursor.as_deref())? {
            Some(number) => number.parse().unwrap_or_default(),
            None => 0,
        };
        let tree = match (&self.page, &self.space) {
            (Some(page), None) => {
                let located = wiki.located(page).await?;
                let mut tree = Tree::new(&wiki, &located.space);
                tree.below(page, 0, self.depth).await?;
                tree
            }
            (None, Some(key)) => {
                let space = wiki.space(key).await?;
                let mut tree = Tree::new(&wiki, &space);
                tree.of_space(&space, self.depth).await?;
                tree
            }
            _ => {
                return Err(Problem::invalid(
                    "page",
                    "exactly one of page and space is needed",
                    "page or space, not both",
                ));
            }
        };
        let mut results: Vec<TreeNode> = tree.nodes.into_iter().skip(skip).collect();
        let fitting = fitting(&results, ROOM);
        let more = fitting < results.len();
        results.truncate(fitting);
        let next_cursor = more.then(|| wiki.seal_cursor(&(skip + fitting).to_string())).transpose()?;
        Ok(PageTree { results, next_cursor, incomplete: tree.incomplete.then_some(true) })
    }

    fn listed(output: &PageTree) -> Vec<Clean> {
        output.results.iter().map(|node| node.id.clone()).collect()
    }
}

/// A tree on its way to being a list.
struct Tree<'a> {
    wiki: &'a Wiki,
    space_key: String,
    nodes: Vec<TreeNode>,
    incomplete: bool,
}

impl<'a> Tree<'a> {
    fn new(wiki: &'a Wiki, space: &Space) -> Self {
        Self { wiki, space_key: space.key.to_string(), nodes: Vec::new(), incomplete: false }
    }

    async fn of_space(&mut self, space: &Space, depth: u32) -> Result<(), Problem> {
        let (mut roots, more) = self.wiki.root_pages(space, None).await?;
        self.incomplete |= more.is_some();
        roots.sort_by_key(|node| node.child_position);
        for (index, root) in roots.into_iter().enumerate() {
            let id = root.id.clone();
            self.push(root, None, 1);
            if depth > 1 && index < MAX_ROOTS {
                self.below(&id, 1, depth - 1).await?;
            }
            self.incomplete |= depth > 1 && index >= MAX_ROOTS;
        }
        Ok(())
    }

    /// Adds what stands below `page`, which is itself at level `above`.
    async fn below(&mut self, page: &ContentId, above: u32, depth: u32) -> Result<(), Problem> {
        let mut children: HashMap<ContentId, Vec<Node>> = HashMap::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let (nodes, next) = self.wiki.descendants(page, depth, cursor.as_deref()).await?;
            for node in nodes {
                children
                    .entry(node.parent_id.clone().unwrap_or_else(|| page.clone()))
                    .or_default()
                    .push(node);
            }
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        self.incomplete |= cursor.is_some();
        // Confluence lists level by level; reading order is a walk, which a stack makes safe at any shape.
        let mut stack = vec![(page.clone(), above)];
        let mut pending: Vec<(Node, ContentId, u32)> = Vec::new();
        while let Some((parent, level)) = stack.pop() {
            let mut below = children.remove(&parent).unwrap_or_default();
            below.sort_by_key(|node| std::cmp::Reverse(node.child_position));
            pending.extend(below.into_iter().map(|node| (node, parent.clone(), level + 1)));
            if let Some((node, parent, level)) = pending.pop() {
                stack.push((node.id.clone(), level));
                self.push(node, Some(&parent), level);
            }
        }
        Ok(())
    }

    fn push(&mut self, node: Node, parent: Option<&ContentId>, depth: u32) {
        let kind = if node.r#type == "page" { "pages" } else { &*node.r#type };
        self.nodes.push(TreeNode {
            url: self.wiki.url(&format!("/spaces/{}/{kind}/{}", self.space_key, node.id)),
            id: (&node.id).into(),
            title: clip(&node.title, 255),
            depth,
            parent_id: parent.map(Clean::from),
            r#type: node.r#type,
        });
    }
}
