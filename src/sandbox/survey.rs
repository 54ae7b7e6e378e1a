//! The wiki seen from outside: what there is and who sees it, for tests that ask whether anything shows that must not.

use std::collections::HashSet;
use std::sync::Arc;

use super::Sandbox;
use super::people::{PEOPLE, Site};
use super::wiki::{Content, View, Wiki};

/// A space, a piece of content, a comment or a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// `space`, `comment`, `attachment`, or what the tree and the blogs call it.
    pub what: &'static str,
    pub id: String,
    pub site: &'static Site,
    /// Key and alias of its space.
    pub space: [&'static str; 2],
    pub title: String,
    /// The page or blog post that a comment or a file hangs on.
    pub container: Option<String>,
    /// All versions and labels of it, as text.
    pub text: String,
    /// Keys of the people who see it. Nobody sees drafts and the trash.
    pub seen_by: Vec<&'static str>,
}

impl Sandbox {
    /// Everything in the wiki, on all sites.
    pub fn survey(&self) -> Vec<Piece> {
        let wiki = self.shared.state().wiki.clone();
        let readers: Vec<(&'static str, HashSet<String>)> = PEOPLE
            .iter()
            .flat_map(|person| person.resources.iter().map(move |(site, _)| (person, *site)))
            .map(|(person, site)| (person.key, seen(&View { wiki: wiki.clone(), site, person })))
            .collect();
        let who = |id: &str| -> Vec<&'static str> {
            readers.iter().filter(|(_, seen)| seen.contains(id)).map(|(key, _)| *key).collect()
        };
        let spaces = wiki.spaces.iter().map(|space| Piece {
            what: "space",
            id: space.id.to_owned(),
            site: space.site,
            space: [space.key, space.alias],
            title: space.name.to_owned(),
            container: None,
            text: space.description.to_owned(),
            seen_by: who(space.id),
        });
        let content = wiki.content.iter().map(|content| Piece {
            text: text(content),
            seen_by: who(&content.id),
            ..within(content, content.kind.name(), &content.id, &content.title)
        });
        let below = |container: &str| wiki.content.iter().find(|content| content.id == container);
        let comments = wiki.comments.iter().filter_map(|comment| {
            Some(Piece {
                text: comment.seen.text.clone(),
                seen_by: who(&comment.container),
                container: Some(comment.container.clone()),
                ..within(below(&comment.container)?, "comment", &comment.id, "")
            })
        });
        let files = wiki.attachments.iter().filter_map(|file| {
            Some(Piece {
                text: file.text.clone(),
                seen_by: who(&file.container),
                container: Some(file.container.clone()),
                ..within(below(&file.container)?, "attachment", &file.api_id(), &file.title)
            })
        });
        spaces.chain(content).chain(comments).chain(files).collect()
    }

    /// Takes pieces out of the world, as if there had never been any.
    pub fn remove(&self, gone: impl Fn(&Piece) -> bool) {
        let gone: HashSet<String> =
            self.survey().into_iter().filter(|piece| gone(piece)).map(|piece| piece.id).collect();
        let mut state = self.shared.state();
        let wiki = Arc::make_mut(&mut state.wiki);
        let Wiki { spaces, content, comments, attachments } = wiki;
        spaces.retain(|space| !gone.contains(space.id));
        content.retain(|content| !gone.contains(&content.id));
        comments.retain(|comment| !gone.contains(&comment.id));
        attachments.retain(|file| !gone.contains(&file.api_id()));
    }
}

/// Ids of the spaces and of the content that somebody sees.
fn seen(view: &View) -> HashSet<String> {
    let spaces = view.spaces().map(|space| space.id.to_owned());
    spaces.chain(view.content().map(|content| content.id.clone())).collect()
}

fn within(content: &Content, what: &'static str, id: &str, title: &str) -> Piece {
    Piece {
        what,
        id: id.to_owned(),
        site: content.space.site,
        space: [content.space.key, content.space.alias],
        title: title.to_owned(),
        container: None,
        text: String::new(),
        seen_by: Vec::new(),
    }
}

fn text(content: &Content) -> String {
    let versions = content.versions.iter().map(|version| format!("{} {}", version.message, version.body));
    versions.chain(content.labels.iter().cloned()).collect::<Vec<_>>().join(" ")
}
