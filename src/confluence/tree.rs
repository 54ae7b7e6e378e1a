//! The tree of a space: pages, and the folders, whiteboards and databases among them.

use serde::Deserialize;

use super::cursor::List;
use super::points::Price;
use super::{Call, Connection, ContentId, Error, SpaceId};
use crate::clean::Clean;

/// How many nodes one call returns.
const LIMIT: &str = "250";

/// A node as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    pub id: ContentId,
    #[serde(default)]
    pub title: Clean,
    /// `page`, `folder`, `whiteboard`, `database`, `embed`; absent: a page.
    #[serde(default = "page")]
    pub r#type: Clean,
    #[serde(default)]
    pub status: Clean,
    #[serde(default)]
    pub parent_id: Option<ContentId>,
    /// Not told of what is found below a page.
    #[serde(default)]
    pub space_id: Option<SpaceId>,
    /// The place among its siblings.
    #[serde(default, alias = "position")]
    pub child_position: Option<i64>,
}

fn page() -> Clean {
    "page".into()
}

impl Connection {
    /// Everything below a page down to `depth` (1 to 10), one page of a list that goes level by level.
    pub async fn descendants(
        &self,
        page: &ContentId,
        depth: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Node>, Option<String>), Error> {
        let path = ["api", "v2", "pages", page.as_str(), "descendants"];
        let (mut nodes, next) = self.nodes(&path, ("depth", depth.to_string()), cursor).await?;
        // What stands nowhere below the page does not belong to its tree.
        nodes.retain(|node| node.parent_id.is_some());
        Ok((nodes, next))
    }

    /// The pages that stand at the top of a space.
    pub async fn root_pages(
        &self,
        space: &SpaceId,
        cursor: Option<&str>,
    ) -> Result<(Vec<Node>, Option<String>), Error> {
        let path = ["api", "v2", "spaces", space.as_str(), "pages"];
        let (mut nodes, next) = self.nodes(&path, ("depth", "root".to_owned()), cursor).await?;
        nodes.retain(|node| node.space_id.as_ref() == Some(space));
        Ok((nodes, next))
    }

    async fn nodes(
        &self,
        path: &[&str],
        depth: (&'static str, String),
        cursor: Option<&str>,
    ) -> Result<(Vec<Node>, Option<String>), Error> {
        let mut query = vec![depth, ("limit", LIMIT.to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let list: List<Node> = self.send(Call::get(Price::List, path, query)).await?;
        let cursor = list.cursor();
        let current = |node: &Node| matches!(node.status.as_str(), "" | "current");
        Ok((list.results.into_iter().filter(current).collect(), cursor))
    }
}
