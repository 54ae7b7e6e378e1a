//! Attachments: what there is, without the bytes.

use serde::Deserialize;

use super::content::WebLinks;
use super::cursor::List;
use super::points::Price;
use super::{Call, Connection, ContentId, ContentKind, Error, Version};

/// An attachment as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// `att` and digits.
    pub id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub media_type: String,
    /// In bytes.
    #[serde(default)]
    pub file_size: u64,
    pub version: Version,
    #[serde(rename = "_links", default)]
    links: WebLinks,
}

impl Attachment {
    pub fn web_path(&self) -> Option<&str> {
        self.links.webui.as_deref()
    }
}

impl Connection {
    /// Current attachments of a page or blog post, and where the list goes on.
    pub async fn attachments(
        &self,
        of: (ContentKind, &ContentId),
        media_type: Option<&str>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Attachment>, Option<String>), Error> {
        let mut query = vec![("status", "current".to_owned()), ("limit", limit.to_string())];
        query.extend(media_type.map(|media_type| ("mediaType", media_type.to_owned())));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let path = ["api", "v2", of.0.segment(), of.1.as_str(), "attachments"];
        let list: List<Attachment> = self.send(Call::get(Price::List, &path, query)).await?;
        let cursor = list.cursor();
        Ok((list.results, cursor))
    }
}
