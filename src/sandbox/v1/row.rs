//! Rows of a search result.

use serde_json::{Map, Value, json};

use super::excerpt::{Style, excerpt, mark};
use crate::sandbox::cql::{Doc, Found};
use crate::sandbox::links::{
    account, attachment_download, attachment_webui, comment_webui, friendly, represent, space_webui, time,
    tinyui, webui,
};
use crate::sandbox::people::{Person, by_key};
use crate::sandbox::wiki::{Attachment, Comment, Content, Place, Space, View};

/// How rows are to be made.
pub struct Shape<'a> {
    pub view: &'a View,
    pub found: &'a Found,
    /// Paths of `expand`.
    pub expand: Vec<&'a str>,
    /// None: excerpts stay empty.
    pub style: Option<Style>,
}

impl Shape<'_> {
    fn expands(&self, path: &str) -> bool {
        self.expand
            .iter()
            .any(|held| *held == path || held.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    pub fn row(&self, doc: &Doc) -> Value {
        let mut row = Map::new();
        match doc {
            Doc::Content(content) => row.insert("content".to_owned(), self.content(content)),
            Doc::Comment(comment, page) => row.insert("content".to_owned(), self.comment(comment, page)),
            Doc::Attachment(file, page) => row.insert("content".to_owned(), self.attachment(file, page)),
            Doc::Space(found) => row.insert("space".to_owned(), space(found)),
            Doc::User(person) => row.insert("user".to_owned(), user(person)),
        };
        let titled = Style { marked: self.style.is_some_and(|style| style.marked), escaped: true };
        let tokens = doc.tokens();
        let text = self.style.map(|style| excerpt(doc.text(), tokens.body(), self.found, style));
        let title = doc.title();
        let title = mark(&title, 0..title.len(), tokens.title(), self.found, titled);
        row.extend([
            ("title".to_owned(), title.into()),
            ("excerpt".to_owned(), text.unwrap_or_default().into()),
            ("url".to_owned(), url(doc).into()),
        ]);
        if let (Some(space), false) = (doc.space(), matches!(doc, Doc::Space(_))) {
            let container = json!({ "title": space.name, "displayUrl": space_webui(space) });
            row.insert("resultGlobalContainer".to_owned(), container);
        }
        row.extend([
            ("breadcrumbs".to_owned(), json!([])),
            ("entityType".to_owned(), entity(doc).into()),
            ("iconCssClass".to_owned(), format!("aui-iconfont-{}-default", doc.kind()).into()),
            ("lastModified".to_owned(), time(doc.modified()).into()),
            ("friendlyLastModified".to_owned(), friendly(doc.modified()).into()),
            ("score".to_owned(), 0.0.into()),
        ]);
        Value::Object(row)
    }

    fn content(&self, content: &Content) -> Value {
        let form = content.kind.name();
        let mut value = json!({
            "id": content.id, "type": form, "status": content.status.name(), "title": content.title,
            "childTypes": {}, "macroRenderedOutput": {}, "restrictions": {},
            "_expandable": expandable(&content.id, &content.space),
            "_links": {
                "webui": webui(content),
                "self": format!("{}/rest/api/content/{}", self.view.site.base(), content.id),
                "tinyui": tinyui(&content.id),
            },
        });
        let version = content.current();
        let first = content.first();
        self.common(
            &mut value,
            &content.space,
            (version.number, version.by, version.at),
            (first.by, first.at),
        );
        if self.expands("content.metadata") {
            let labels: Vec<_> = content.labels.iter().map(|label| label_v1(label)).collect();
            value["metadata"] = json!({ "labels": {
                "results": labels, "start": 0, "limit": 200, "size": labels.len() } });
        }
        if self.expands("content.ancestors") {
            let chain = self.view.wiki.ancestors(content);
            let ancestors: Vec<_> = chain
                .iter()
                .rev()
                .map(|page| {
                    json!({ "id": page.id, "type": page.kind.name(), "status": "current",
                    "title": page.title, "_links": { "webui": webui(page) } })
                })
                .collect();
            value["ancestors"] = ancestors.into();
        }
        if content.kind.has_body() {
            self.body(&mut value, &version.body, content);
        }
        value
    }

    /// What every kind of content can have expanded.
    fn common(
        &self,
        value: &mut Value,
        of: &Space,
        (number, by, at): (u32, &str, jiff::Timestamp),
        (creator, created): (&str, jiff::Timestamp),
    ) {
        let version = json!({
            "by": person(by), "when": time(at), "friendlyWhen": friendly(at), "message": "",
            "number": number, "minorEdit": false, "contentTypeModified": false });
        if self.expands("content.space") {
            value["space"] = space(of);
        }
        if self.expands("content.version") {
            value["version"] = version.clone();
        }
        if self.expands("content.history") {
            value["history"] = json!({ "latest": true, "createdBy": person(creator),
                "createdDate": time(created) });
            if self.expands("content.history.lastUpdated") {
                value["history"]["lastUpdated"] = version;
            }
        }
        if let Some(expandable) = value["_expandable"].as_object_mut() {
            for part in
                ["space", "version", "history", "metadata", "ancestors", "body", "container", "extensions"]
            {
                if self.expands(&format!("content.{part}")) {
                    expandable.remove(part);
                }
            }
        }
    }

    fn body(&self, value: &mut Value, body: &str, around: &Content) {
        for form in ["storage", "view", "export_view", "styled_view", "atlas_doc_format"] {
            if self.expands(&format!("content.body.{form}")) {
                let text = represent(body, form, self.view, around);
                value["body"][form] = json!({ "value": text, "representation": form, "embeddedContent": [],
                    "_expandable": { "content": format!("/rest/api/content/{}", around.id) } });
            }
        }
    }

    fn comment(&self, comment: &Comment, page: &Content) -> Value {
        let location = if comment.place == Place::Footer { "footer" } else { "inline" };
        let mut value = json!({
            "id": comment.id, "type": "comment", "status": "current", "title": format!("Re: {}", page.title),
            "macroRenderedOutput": {},
            "extensions": { "location": location },
            "_expandable": expandable(&comment.id, &page.space),
            "_links": {
                "webui": comment_webui(comment, page),
                "self": format!("{}/rest/api/content/{}", self.view.site.base(), comment.id),
            },
        });
        self.common(&mut value, &page.space, (1, comment.by, comment.at), (comment.by, comment.at));
        self.container(&mut value, page);
        self.body(&mut value, &comment.body, page);
        value
    }

    fn attachment(&self, file: &Attachment, page: &Content) -> Value {
        let mut value = json!({
            "id": file.api_id(), "type": "attachment", "status": "current", "title": file.title,
            "macroRenderedOutput": {},
            "metadata": { "mediaType": file.media_type },
            "extensions": {
                "mediaType": file.media_type, "fileSize": file.size, "comment": file.comment,
                "fileId": file.file_id, "collectionName": format!("contentId-{}", page.id) },
            "_expandable": expandable(&file.api_id(), &page.space),
            "_links": {
                "webui": attachment_webui(file),
                "download": attachment_download(file),
                "self": format!("{}/rest/api/content/{}", self.view.site.base(), file.api_id()),
            },
        });
        self.common(&mut value, &page.space, (file.version, file.by, file.at), (file.by, file.at));
        self.container(&mut value, page);
        value
    }

    fn container(&self, value: &mut Value, page: &Content) {
        if self.expands("content.container") {
            value["container"] = json!({ "id": page.id, "type": page.kind.name(), "status": "current",
                "title": page.title, "_links": { "webui": webui(page) } });
        }
    }
}

fn person(key: &str) -> Value {
    by_key(key).map_or_else(|| json!({ "type": "unknown", "accountId": account(key) }), user)
}

/// A person as the old API shows them.
pub fn user(person: &Person) -> Value {
    json!({
        "type": "known", "accountId": person.account_id, "accountType": "atlassian", "email": "",
        "publicName": person.name,
        "profilePicture": { "path": format!("/wiki/aa-avatar/{}", person.account_id), "width": 48, "height": 48,
            "isDefault": false },
        "displayName": person.name, "isExternalCollaborator": false, "isGuest": false, "locale": "en_US",
        "accountStatus": if person.active { "active" } else { "inactive" },
        "_expandable": { "operations": "", "personalSpace": "" },
        "_links": { "self": format!("https://acme.atlassian.net/wiki/rest/api/user?accountId={}", person.account_id) },
    })
}

fn space(space: &Space) -> Value {
    json!({
        "id": space.id.parse::<u64>().unwrap_or(0), "key": space.key, "alias": space.alias, "name": space.name,
        "type": if space.personal { "personal" } else { "global" },
        "status": "current",
        "_expandable": {
            "settings": format!("/rest/api/space/{}/settings", space.key), "metadata": "", "operations": "",
            "homepage": format!("/rest/api/content/{}", space.homepage) },
        "_links": {
            "webui": space_webui(space),
            "self": format!("{}/rest/api/space/{}", space.site.base(), space.key) },
    })
}

fn label_v1(label: &str) -> Value {
    json!({ "prefix": "global", "name": label, "id": label_id(label), "label": label })
}

/// Labels have numbers of their own; these are made from the name.
pub fn label_id(label: &str) -> String {
    let sum = label.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (360_448 + sum % 100_000).to_string()
}

fn expandable(id: &str, space: &Space) -> Value {
    json!({
        "container": "", "metadata": "", "extensions": "", "operations": "", "children": "",
        "history": format!("/rest/api/content/{id}/history"), "ancestors": "", "body": "", "version": "",
        "descendants": "", "space": format!("/rest/api/space/{}", space.key) })
}

fn url(doc: &Doc) -> String {
    match doc {
        Doc::Content(content) => webui(content),
        Doc::Comment(comment, page) => comment_webui(comment, page),
        Doc::Attachment(file, _) => attachment_webui(file),
        Doc::Space(space) => space_webui(space),
        Doc::User(person) => format!("/people/{}", person.account_id),
    }
}

fn entity(doc: &Doc) -> &'static str {
    match doc {
        Doc::Space(_) => "space",
        Doc::User(_) => "user",
        _ => "content",
    }
}
