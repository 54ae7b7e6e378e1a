//! Files that hang on pages: which one is meant, what it holds as text, and its bytes. The policy is asked about the space of
//! the page before anything of the file is.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer};

use super::{Wiki, readable};
use crate::action::Image;
use crate::confluence::{Attachment, AttachmentId, Content, ContentId, ContentKind, Download};
use crate::extract::{Extracted, Failure, Job, ProcessError};
use crate::problem::Problem;

/// The largest file whose text is read, in bytes.
pub const MAX_TEXT_SOURCE: u64 = 25 * 1024 * 1024;

/// The largest image that is shown, in bytes: clients refuse more than a few megabytes of Base64.
const MAX_IMAGE: u64 = 2 * 1024 * 1024;
/// How many times as many bytes as an image has are held on the way: as they are, as base64, and as that in JSON.
const COPIES: usize = 6;

/// Which file is meant: by its id, or by page and name, as links in Markdown have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachmentRef {
    Id(AttachmentId),
    Named {
        page: ContentId,
        /// Percent-encoded or not: nobody can tell how often a client encodes.
        name: String,
    },
}

impl FromStr for AttachmentRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(link) = text.strip_prefix("attachment:") else {
            return text.parse().map(Self::Id).map_err(|_| NEITHER);
        };
        let (page, name) = link.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or(NEITHER)?;
        let page = page.parse().map_err(|_| NEITHER)?;
        Ok(Self::Named { page, name: name.to_owned() })
    }
}

const NEITHER: &str =
    "neither an attachment's id, such as att1610505, nor a link of the form attachment:{pageId}/{name}";

impl<'de> Deserialize<'de> for AttachmentRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file, and the page or blog post it hangs on.
pub struct Filed {
    pub file: Attachment,
    pub page: Content,
}

impl Wiki {
    pub async fn attachment(&self, which: &AttachmentRef) -> Result<Filed, Problem> {
        let filed = match which {
            AttachmentRef::Id(id) => {
                let file = self.connection.attachment(id).await.map_err(|error| self.unplaced(error))?;
                let (kind, page) = file.container().ok_or_else(Problem::not_found)?;
                let page = self.connection.located_as(kind, page).await;
                let page = page.map_err(|error| self.unplaced(error))?;
                self.admit(&page)?;
                Filed { file, page }
            }
            AttachmentRef::Named { page, name } => {
                let located = self.connection.located(page).await;
                let (kind, page) = located.map_err(|error| self.unplaced(error))?;
                self.admit(&page)?;
                let file = self.named(kind, &page.id, name).await?;
                Filed { file, page }
            }
        };
        readable(&filed.file.status)?;
        Ok(filed)
    }

    fn admit(&self, page: &Content) -> Result<(), Problem> {
        self.permit(&page.space_id)?;
        readable(&page.status)?;
        self.connection.has_read(page.id.as_str());
        Ok(())
    }

    /// As links have it the name is encoded; as people have it, it is not.
    async fn named(&self, kind: ContentKind, page: &ContentId, name: &str) -> Result<Attachment, Problem> {
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        if let Some(file) = self.connection.attachment_named((kind, page), &decoded).await? {
            return Ok(file);
        }
        let as_it_is =
            if decoded == name { None } else { self.connection.attachment_named((kind, page), name).await? };
        as_it_is.ok_or_else(Problem::not_found)
    }

    /// The bytes of this very version of a file, of which at most `limit` are read.
    pub async fn download(&self, filed: &Filed, version: u32, limit: u64) -> Result<Download, Problem> {
        if filed.file.file_size > limit {
            return Err(Problem::file_too_large());
        }
        Ok(self.connection.download(&filed.page.id, &filed.file.id, version, limit).await?)
    }

    /// The image that a file is, if models see its kind and it is not too large.
    pub async fn image(&self, filed: &Filed) -> Result<Option<Image>, Problem> {
        if filed.file.file_size > MAX_IMAGE {
            return Ok(None);
        }
        let size = usize::try_from(filed.file.file_size).unwrap_or(usize::MAX);
        self.connection.hold_until_sent(size.saturating_mul(COPIES)).await?;
        let mut download = self.download(filed, filed.file.version.number, MAX_IMAGE).await?;
        let mut bytes = Vec::with_capacity(size);
        while let Some(chunk) = download.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Image::of(bytes))
    }

    /// One part of a file's text. The bytes go straight from the media host into the process that reads them. A version that
    /// was too much to read is remembered for a while, so that asking again costs nothing.
    pub async fn text(&self, filed: &Filed, job: &Job) -> Result<Extracted, Problem> {
        let version = filed.file.version.number;
        let key = self.connection.key(&format!("{} {version}", filed.file.id));
        if self.extractor.is_too_much(&key).await {
            return Err(ProcessError::Failed(Failure::TooMuch).into());
        }
        let (account, patience) = (self.connection.account(), self.connection.patience());
        // Whoever is refused has cost Atlassian nothing more.
        let place = self.extractor.place(account, patience).await?;
        let mut download = self.download(filed, version, MAX_TEXT_SOURCE).await?;
        let mut extraction = self.extractor.start(job, place).await?;
        while let Some(chunk) = download.chunk().await? {
            extraction.feed(&chunk).await;
        }
        let extracted = extraction.finish().await;
        if extracted.as_ref().err() == Some(&ProcessError::Failed(Failure::TooMuch)) {
            self.extractor.remember_too_much(key).await;
        }
        Ok(extracted?)
    }
}

impl From<ProcessError> for Problem {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Busy => Self::overloaded(),
            ProcessError::Failed(failure) => Self::unreadable_file(failure.to_string()),
            ProcessError::Internal(cause) => Self::internal(cause),
        }
    }
}
