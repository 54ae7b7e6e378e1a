//! Search by CQL.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::content::Bodies;
use super::cursor::Links;
use super::points::{Counted, Price};
use super::{Call, Connection, ContentId, ContentKind, Error, PASSAGES, Person, ROWS, SpaceId, SpaceKey};
use crate::clean::Clean;
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
    pub id: Clean,
    /// `page`, `blogpost`, `comment`, `attachment`, or what else Confluence calls it.
    pub r#type: Clean,
    pub status: Clean,
    pub title: Clean,
    pub space_id: Option<SpaceId>,
    pub space_key: Option<SpaceKey>,
    /// What its URLs may say instead of the key.
    pub space_alias: Option<SpaceKey>,
    pub space_name: Clean,
    /// The path below `/wiki`, beginning with a slash.
    pub web_path: Clean,
    /// Plain text around what matched.
    pub excerpt: Clean,
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

/// A page of results as it is sent. What is not kept of it is not copied.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<R> {
    results: Vec<R>,
    total_size: Option<u64>,
    #[serde(rename = "_links", default)]
    links: Links,
}

/// Found, and how many rows it took.
struct Counting(Found, usize);

impl Counted for Counting {
    fn rows(&self) -> usize {
        self.1
    }
}

/// Reads all rows at once; where one cannot be read, each by itself.
fn read(body: &str) -> serde_json::Result<Counting> {
    if let Ok(list) = serde_json::from_str::<List<Row<'_>>>(body) {
        return Ok(list.found(Some));
    }
    serde_json::from_str::<List<Lenient<Row<'_>>>>(body).map(|list| list.found(|row| row.0))
}

impl<R> List<R> {
    fn found<'a>(self, row: impl Fn(R) -> Option<Row<'a>>) -> Counting {
        let (rows, cursor) = (self.results.len(), self.links.cursor());
        let hits = self.results.into_iter().filter_map(|result| row(result)?.hit()).collect();
        Counting(Found { hits, total: self.total_size, cursor }, rows)
    }
}

/// Text of the answer, as it stands there where nothing in it is escaped.
#[derive(Default, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    /// Rows for spaces and users have none.
    #[serde(borrow)]
    content: Option<Content<'a>>,
    #[serde(default)]
    title: Text<'a>,
    #[serde(default)]
    excerpt: Text<'a>,
    #[serde(default)]
    url: Clean,
    last_modified: Option<Text<'a>>,
    result_global_container: Option<Container<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    id: Clean,
    #[serde(default)]
    r#type: Clean,
    status: Option<Clean>,
    title: Option<Clean>,
    space: Option<Space>,
    #[serde(borrow)]
    version: Option<Version<'a>>,
    body: Option<Bodies>,
}

#[derive(Default, Deserialize)]
struct Space {
    id: Option<SpaceId>,
    key: Option<SpaceKey>,
    alias: Option<SpaceKey>,
    #[serde(default)]
    name: Clean,
}

#[derive(Deserialize)]
struct Version<'a> {
    number: Option<u32>,
    #[serde(borrow)]
    by: Option<By<'a>>,
    when: Option<Text<'a>>,
}

/// A person, or who is not known by an id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct By<'a> {
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
    display_name: Option<Clean>,
    public_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    #[serde(default, borrow)]
    title: Text<'a>,
    #[serde(default)]
    display_url: Text<'a>,
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
        let weight = if rows == Rows::WithBodies { PASSAGES } else { ROWS };
        let call = Call::get(Price::List, &["rest", "api", "search"], query).weighing(weight);
        let Counting(found, _) = self.send_as(call, read).await?;
        // Few people write many pages.
        let people = found.hits.iter().filter_map(|hit| hit.last_modified_by.as_ref());
        for person in people.map(|person| (&person.account_id, person)).collect::<BTreeMap<_, _>>().values() {
            self.remember(person).await;
        }
        Ok(found)
    }
}

impl Row<'_> {
    /// Nothing for a row that is not of content.
    fn hit(self) -> Option<Hit> {
        let Self { content, title, excerpt, url, last_modified, result_global_container: container } = self;
        let content = content?;
        let Space { id: space_id, key: space_key, alias: space_alias, name: space_name } =
            content.space.unwrap_or_default();
        let (by, when, number) =
            content.version.map_or((None, None, None), |version| (version.by, version.when, version.number));
        let container_key =
            container.as_ref().and_then(|container| container.display_url.0.rsplit('/').next()?.parse().ok());
        Some(Hit {
            title: content.title.unwrap_or_else(|| plain(&title.0)),
            id: content.id,
            r#type: content.r#type,
            status: content.status.unwrap_or_default(),
            space_id,
            space_alias,
            space_key: space_key.or(container_key).or_else(|| key_in_path(&url)),
            space_name: if space_name.is_empty() {
                container.map(|c| plain(&c.title.0)).unwrap_or_default()
            } else {
                space_name
            },
            web_path: url,
            excerpt: plain(&excerpt.0),
            last_modified: when.or(last_modified).and_then(|time| time.0.parse().ok()),
            version: number,
            last_modified_by: by.and_then(By::person),
            storage: content.body.and_then(Bodies::into_storage),
        })
    }
}

impl By<'_> {
    fn person(self) -> Option<Person> {
        let account_id = self.account_id?.0.parse().ok()?;
        let name = self.display_name.filter(|name| !name.is_empty());
        let name = name.or(self.public_name.map(|name| name.0.into()));
        Some(Person::new(account_id, name.unwrap_or_default()))
    }
}

/// The space key of a path such as `/spaces/ENG/pages/1`: to show, never to decide on.
fn key_in_path(path: &str) -> Option<SpaceKey> {
    path.strip_prefix("/spaces/")?.split('/').next()?.parse().ok()
}

impl Hit {
    /// Whether it is in the space that `key` names, by its key or by its alias, in any case.
    pub fn is_in(&self, key: &str) -> bool {
        let mut names = [&self.space_key, &self.space_alias].into_iter().flatten();
        names.any(|name| name.as_str().eq_ignore_ascii_case(key))
    }

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
fn plain(text: &str) -> Clean {
    let text = htmlize::unescape(without_highlights(text));
    if is_one_line(&text) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain.into()
}

fn without_highlights(text: &str) -> Cow<'_, str> {
    const MARKS: [&str; 2] = ["@@@hl@@@", "@@@endhl@@@"];
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"@@@") {
        let (before, mark) = rest.split_at(at);
        plain.push_str(before);
        rest = MARKS.iter().find_map(|known| mark.strip_prefix(known)).unwrap_or_else(|| {
            plain.push('@');
            &mark[1..]
        });
    }
    if rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(plain + rest) }
}

/// Whether a text is of printable ASCII with single spaces inside, as most are: quicker to tell than to take apart.
fn is_one_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_printable = bytes.iter().fold(true, |printable, byte| printable & matches!(byte, b' '..=b'~'));
    let ends_in_space = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    is_printable && !ends_in_space && memchr::memmem::find(bytes, b"  ").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlighted_and_escaped_text_becomes_plain() {
        assert_eq!(plain("a &amp; @@@hl@@@b@@@endhl@@@ &lt;c&gt;\n\n&#39;d&#39;"), "a & b <c> 'd'");
        assert_eq!(plain("@@@hl@@@a@@@endhl@@@ @@@@hl@@@b@@@ @@@"), "a @b@@@ @@@");
        for (text, one_line) in [(" a", "a"), ("a ", "a"), ("a  b", "a b"), ("ä\u{a0}b", "ä b"), ("", "")] {
            assert_eq!(plain(text), one_line);
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_or_is_of_no_content_hides_no_other() {
        let body = r#"{ "results": [
            { "content": { "id": "1", "version": { "by": { "type": "anonymous", "displayName": null } } } },
            { "space": { "key": "ENG" }, "title": "Engineering" },
            { "content": { "id": 2 } },
            { "content": { "id": "3", "space": { "id": 7, "key": "ENG" } } } ], "totalSize": 4 }"#;
        let Counting(Found { hits, total, .. }, rows) = read(body).unwrap();
        assert_eq!((rows, total), (4, Some(4)));
        assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(hits[1].space_id, "7".parse().ok());
    }
}
