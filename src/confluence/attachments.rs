//! Attachments: what there is. Their bytes are `download`'s.

use serde::Deserialize;

use super::content::WebLinks;
use super::cursor::List;
use super::points::{Counted, Price};
use super::{AttachmentId, Call, Connection, ContentId, ContentKind, Error, Version};
use crate::clean::Clean;

/// An attachment as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub id: AttachmentId,
    #[serde(default)]
    pub title: Clean,
    #[serde(default)]
    pub media_type: Clean,
    /// In bytes.
    #[serde(default)]
    pub file_size: u64,
    pub version: Version,
    #[serde(default)]
    pub status: Clean,
    page_id: Option<ContentId>,
    blog_post_id: Option<ContentId>,
    #[serde(rename = "_links", default)]
    links: WebLinks,
}

impl Counted for Attachment {
    fn rows(&self) -> usize {
        1
    }
}

impl Attachment {
    /// The page or blog post that it hangs on. Other things hold attachments too, which nobody here can place.
    pub fn container(&self) -> Option<(ContentKind, &ContentId)> {
        let page = self.page_id.as_ref().map(|id| (ContentKind::Page, id));
        page.or_else(|| self.blog_post_id.as_ref().map(|id| (ContentKind::BlogPost, id)))
    }

    /// Whether that is this page or blog post.
    fn hangs_on(&self, (kind, id): (ContentKind, &ContentId)) -> bool {
        self.container() == Some((kind, id))
    }

    pub fn web_path(&self) -> Option<&str> {
        self.links.webui.as_deref()
    }
}

impl Connection {
    /// One attachment, as it is now.
    pub async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Error> {
        let path = ["api", "v2", "attachments", id.as_str()];
        let file: Attachment = self.send(Call::get(Price::One, &path, Vec::new())).await?;
        if file.id.is_same(id) { Ok(file) } else { Err(Error::NotFound) }
    }

    /// The attachment of exactly this name on a page or blog post.
    pub async fn attachment_named(
        &self,
        of: (ContentKind, &ContentId),
        name: &str,
    ) -> Result<Option<Attachment>, Error> {
        let query =
            vec![("filename", name.to_owned()), ("status", "current".to_owned()), ("limit", "1".to_owned())];
        let path = ["api", "v2", of.0.segment(), of.1.as_str(), "attachments"];
        let list: List<Attachment> = self.send(Call::get(Price::List, &path, query)).await?;
        // Whoever does not know the filter ignores it.
        let name = Clean::from(name);
        Ok(list.results.into_iter().find(|file| file.title == name && file.hangs_on(of)))
    }

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
        let asked = |file: &Attachment| {
            file.hangs_on(of)
                && matches!(file.status.as_str(), "" | "current")
                && media_type.is_none_or(|media_type| file.media_type.eq_ignore_ascii_case(media_type))
        };
        Ok((list.results.into_iter().filter(asked).collect(), cursor))
    }
}
