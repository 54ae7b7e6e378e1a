//! Addresses and times as Confluence writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::people::by_key;
use super::storage::{self, Mode, Render};
use super::wiki::{Attachment, Comment, Content, Kind, Space, View};

pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub fn friendly(at: Timestamp) -> String {
    at.strftime("%b %d, %Y").to_string()
}

pub fn account(key: &str) -> &'static str {
    by_key(key).map_or("", |person| person.account_id)
}

const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub fn escape_path(text: &str) -> String {
    utf8_percent_encode(text, IN_PATH).to_string()
}

pub fn space_webui(space: &Space) -> String {
    format!("/spaces/{}", space.alias)
}

/// The home page is its space's overview; other pages end with what is ASCII of their title.
pub fn webui(content: &Content) -> String {
    let (key, id) = (content.space.alias, &content.id);
    if content.space.homepage == content.id {
        return format!("/spaces/{key}/overview");
    }
    let slug: Vec<_> = content
        .title
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-._~'".contains(c)))
        .filter(|word| !word.is_empty())
        .map(escape_path)
        .collect();
    let slug = if slug.is_empty() { String::new() } else { format!("/{}", slug.join("+")) };
    match content.kind {
        Kind::Page => format!("/spaces/{key}/pages/{id}{slug}"),
        Kind::BlogPost => {
            format!("/spaces/{key}/blog/{}/{id}{slug}", content.first().at.strftime("%Y/%m/%d"))
        }
        kind => format!("/spaces/{key}/{}/{id}", kind.name()),
    }
}

/// `/x/…`: the id as little-endian bytes in base64, shortened.
pub fn tinyui(id: &str) -> String {
    let number: u64 = id.parse().unwrap_or(0);
    let code = STANDARD.encode(number.to_le_bytes()).replace('/', "-").replace('+', "_");
    format!("/x/{}", code.trim_end_matches('=').trim_end_matches('A'))
}

pub fn comment_webui(comment: &Comment, container: &Content) -> String {
    format!("{}?focusedCommentId={}", webui(container), comment.id)
}

pub fn attachment_webui(file: &Attachment) -> String {
    let preview = escape_path(&format!("/{}/{}/{}", file.container, file.id, file.title));
    format!("/pages/viewpageattachments.action?pageId={}&preview={preview}", file.container)
}

/// The legacy path, which refuses tokens.
pub fn attachment_download(file: &Attachment) -> String {
    format!(
        "/download/attachments/{}/{}?version={}&modificationDate={}&cacheVersion=1&api=v2",
        file.container,
        escape_path(&file.title),
        file.version,
        file.at.as_millisecond()
    )
}

/// A page and the wiki around it, for rendering.
pub struct Around<'a> {
    pub view: &'a View,
    pub content: &'a Content,
}

impl Around<'_> {
    fn page(&self, title: &str, space: Option<&str>) -> Option<&Content> {
        let key = space.unwrap_or(self.content.space.key);
        let mut pages = self.view.content().filter(|page| page.space.key == key && page.kind == Kind::Page);
        pages.find(|page| page.title.to_lowercase() == title.to_lowercase()).map(AsRef::as_ref)
    }

    fn url(&self, content: &Content) -> String {
        format!("{}{}", self.view.site.base(), webui(content))
    }
}

impl Render for Around<'_> {
    fn person(&self, account_id: &str) -> Option<String> {
        super::people::by_account(account_id).map(|person| person.name.to_owned())
    }

    fn page_url(&self, title: &str, space: Option<&str>) -> Option<String> {
        self.page(title, space).map(|page| self.url(page))
    }

    fn attachment_url(&self, name: &str, page: Option<&str>) -> String {
        let container = page.and_then(|title| self.page(title, None)).unwrap_or(self.content);
        format!(
            "{}/download/attachments/{}/{}?api=v2",
            self.view.site.base(),
            container.id,
            escape_path(name)
        )
    }

    fn body(&self, title: &str, space: Option<&str>) -> Option<String> {
        self.page(title, space).map(|page| page.current().body.to_string())
    }

    fn children(&self) -> Vec<(String, String)> {
        let children = self.view.children(&self.content.id);
        children.into_iter().map(|child| (child.title.clone(), self.url(child))).collect()
    }

    fn labelled(&self, label: &str) -> Vec<(String, String)> {
        self.view
            .content()
            .filter(|page| page.labels.iter().any(|held| held == label))
            .map(|page| (page.title.clone(), self.url(page)))
            .collect()
    }
}

/// A storage body in one of the forms that `body-format` and `expand` name.
pub fn represent(body: &str, form: &str, view: &View, content: &Content) -> String {
    let around = Around { view, content };
    match form {
        "storage" | "editor" => body.to_owned(),
        "atlas_doc_format" => storage::to_adf(body),
        "view" => storage::to_html(body, Mode::View, &around),
        _ => storage::to_html(body, Mode::Export, &around),
    }
}
