//! Search by CQL.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::content::Bodies;
use super::cursor::Links;
use super::points::{Counted, Price};
use super::{Call, Connection, ContentId, ContentKind, Error, Person, SpaceId, SpaceKey};
use crate::lenient::Lenient;

/// One page of search results.
#[derive(Debug)]
pub struct Found {
    pub hits: Vec<Hit>,
    /// How many there are in all, where Confluence says.
    pub total: Option<u64>,
    pub cursor: Option<String>,
}

/// A piece of content that a search found.
#[derive(Clone, Debug)]
pub struct Hit {
    pub id: String,
    /// `page`, `blogpost`, `comment`, `attachment`, or what else Confluence calls it.
    pub r#type: String,
    pub status: String,
    pub title: String,
    pub space_id: Option<SpaceId>,
    pub space_key: Option<SpaceKey>,
    pub space_name: String,
    /// The path below `/wiki`, beginning with a slash.
    pub web_path: String,
    /// Plain text around what matched.
    pub excerpt: String,
    pub last_modified: Option<Timestamp>,
    /// The number of the current version.
    pub version: Option<u32>,
    pub last_modified_by: Option<Person>,
    /// The storage format, where [`Rows::WithBodies`] were asked for and came.
    pub storage: Option<String>,
}

/// What the rows of a search come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    WithExcerpts,
    /// Confluence silently sends at most 50 of them.
    WithBodies,
}

impl Rows {
    fn excerpt(self) -> &'static str {
        match self {
            Self::WithExcerpts => "highlight_unescaped",
            Self::WithBodies => "none",
        }
    }

    fn expand(self) -> &'static str {
        match self {
            Self::WithExcerpts => "content.space,content.version",
            Self::WithBodies => "content.space,content.version,content.body.storage",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<R> {
    results: Vec<R>,
    total_size: Option<u64>,
    #[serde(rename = "_links", default)]
    links: Links,
}

impl<R> Counted for List<R> {
    fn rows(&self) -> usize {
        self.results.len()
    }
}

/// Reads all rows at once; where one cannot be read, each by itself.
fn read(body: &[u8]) -> serde_json::Result<List<Option<Row>>> {
    serde_json::from_slice(body).or_else(|_| {
        let list: List<Lenient<Row>> = serde_json::from_slice(body)?;
        let results = list.results.into_iter().map(|row| row.0).collect();
        Ok(List { results, total_size: list.total_size, links: list.links })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// Rows for spaces and users have none.
    content: Option<Content>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    excerpt: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    last_modified: Option<String>,
    #[serde(default)]
    result_global_container: Option<Container>,
}

#[derive(Deserialize)]
struct Content {
    id: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    title: Option<String>,
    space: Option<Space>,
    version: Option<Version>,
    body: Option<Bodies>,
}

#[derive(Deserialize)]
struct Space {
    id: Option<SpaceId>,
    key: Option<SpaceKey>,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    number: Option<u32>,
    by: Option<By>,
    when: Option<String>,
}

/// A person, or who is not known by an id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct By {
    account_id: Option<String>,
    display_name: Option<String>,
    public_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    title: String,
    #[serde(default)]
    display_url: String,
}

impl Connection {
    /// Content that `cql` finds, `limit` (at most 50) rows a page.
    pub async fn search(
        &self,
        cql: &str,
        rows: Rows,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found, Error> {
        match self.search_once(cql, rows, limit, cursor).await {
            // Reported of real sites: a hit that has just gone makes the whole page of results a 404.
            Err(Error::NotFound) if limit > 1 => self.search_once(cql, rows, limit / 2, cursor).await,
            result => result,
        }
    }

    async fn search_once(
        &self,
        cql: &str,
        rows: Rows,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Found, Error> {
        let mut query = vec![
            ("cql", cql.to_owned()),
            ("limit", limit.to_string()),
            ("excerpt", rows.excerpt().to_owned()),
            ("expand", rows.expand().to_owned()),
        ];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let list = self.send_as(Call::get(Price::List, &["rest", "api", "search"], query), read).await?;
        let cursor = list.links.cursor();
        let hits: Vec<Hit> = list.results.into_iter().flatten().filter_map(Row::hit).collect();
        for hit in &hits {
            if let Some(person) = &hit.last_modified_by {
                self.remember(person).await;
            }
        }
        Ok(Found { hits, total: list.total_size, cursor })
    }
}

impl Row {
    /// Nothing for a row that is not of content.
    fn hit(self) -> Option<Hit> {
        let Self { content, title, excerpt, url, last_modified, result_global_container: container } = self;
        let content = content?;
        let (space_id, space_key, space_name) =
            content.space.map_or((None, None, String::new()), |space| (space.id, space.key, space.name));
        let (by, when, number) =
            content.version.map_or((None, None, None), |version| (version.by, version.when, version.number));
        let container_key =
            container.as_ref().and_then(|container| container.display_url.rsplit('/').next()?.parse().ok());
        Some(Hit {
            title: content.title.unwrap_or_else(|| plain(&title)),
            id: content.id,
            r#type: content.r#type,
            status: content.status.unwrap_or_default(),
            space_id,
            space_key: space_key.or(container_key).or_else(|| key_in_path(&url)),
            space_name: if space_name.is_empty() {
                container.map(|c| plain(&c.title)).unwrap_or_default()
            } else {
                space_name
            },
            web_path: url,
            excerpt: plain(&excerpt),
            last_modified: when.or(last_modified).and_then(|time| time.parse().ok()),
            version: number,
            last_modified_by: by.and_then(By::person),
            storage: content.body.and_then(Bodies::into_storage),
        })
    }
}

impl By {
    fn person(self) -> Option<Person> {
        let account_id = self.account_id?.parse().ok()?;
        let (display_name, public_name) = (self.display_name, self.public_name);
        Some(Person::new(account_id, display_name.unwrap_or_default(), public_name.unwrap_or_default()))
    }
}

/// The space key of a path such as `/spaces/ENG/pages/1`: to show, never to decide on.
fn key_in_path(path: &str) -> Option<SpaceKey> {
    path.strip_prefix("/spaces/")?.split('/').next()?.parse().ok()
}

impl Hit {
    /// The id as that of a page or blog post.
    pub fn content_id(&self) -> Option<ContentId> {
        self.id.parse().ok()
    }

    /// Whether it is a page or a blog post, if it is either.
    pub fn kind(&self) -> Option<ContentKind> {
        self.r#type.parse().ok()
    }
}

/// Confluence's highlighted, HTML-escaped text as plain text on one line.
fn plain(text: &str) -> String {
    let text = if text.contains("@@@") {
        Cow::from(text.replace("@@@hl@@@", "").replace("@@@endhl@@@", ""))
    } else {
        Cow::from(text)
    };
    let text = htmlize::unescape(text);
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlighted_and_escaped_text_becomes_plain() {
        assert_eq!(plain("a &amp; @@@hl@@@b@@@endhl@@@ &lt;c&gt;\n\n&#39;d&#39;"), "a & b <c> 'd'");
    }

    #[test]
    fn a_row_that_cannot_be_read_or_is_of_no_content_hides_no_other() {
        let body = r#"{ "results": [
            { "content": { "id": "1", "version": { "by": { "type": "anonymous", "displayName": null } } } },
            { "space": { "key": "ENG" }, "title": "Engineering" },
            { "content": { "id": 2 } },
            { "content": { "id": "3", "space": { "id": 7, "key": "ENG" } } } ], "totalSize": 4 }"#;
        let list = read(body.as_bytes()).unwrap();
        assert_eq!((list.results.len(), list.total_size), (4, Some(4)));
        let hits: Vec<Hit> = list.results.into_iter().flatten().filter_map(Row::hit).collect();
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(hits[1].space_id, "7".parse().ok());
    }
}
