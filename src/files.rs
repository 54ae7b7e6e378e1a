//! Originals of attachments, by sealed links: `GET /files/{sealed}`.
//!
//! Whoever holds a link may fetch one version of one file for some minutes, as the person who asked for it: ChatGPT fetches
//! without Authorization. The GPT, its action, its site, its spaces and the person's access are looked up anew each time.
//! Bytes pass through piece by piece; a task of its own carries them, so that a reader who stops reading holds nothing for long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout_at;

use crate::Gateway;
use crate::action::{AttachmentRef, Audit, Entry, Filed, Services, outcome};
use crate::actions::{GET_ATTACHMENT, MAX_FILE};
use crate::confluence::Download;
use crate::oauth::Grant;
use crate::problem::{Kind, Problem};
use crate::seal::payloads;

/// Files on their way at the same time. They have places of their own: slow readers take none of the actions'.
const PLACES: usize = 32;
/// How long a request may wait for a place, and a file be on its way. ChatGPT waits 10 seconds in all.
const PATIENCE: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(120);
/// How large a piece is, in bytes, and how many may wait for a slow reader. The server keeps up to 400 KB and a piece of its
/// own; pieces as they come would be as large again.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 1;

/// What the links need.
#[derive(Clone)]
pub struct Files {
    services: Arc<Services>,
    /// The action that gives the links; without it there are none.
    action: Option<Arc<Entry>>,
    places: Arc<Semaphore>,
}

impl Files {
    pub fn new(gateway: &Gateway) -> Self {
        let action = gateway.entries.iter().find(|entry| entry.id == GET_ATTACHMENT).cloned();
        Self {
            services: gateway.services.clone(),
            action: action.map(Arc::new),
            places: Arc::new(Semaphore::new(PLACES)),
        }
    }

    async fn open(&self, sealed: &str) -> Result<(Filed, Download), Problem> {
        let (link, grant) = self.services.server.file_grant(sealed).map_err(|_| gone())?;
        let (audit, id) = (Audit::of(&self.services, &grant), link.attachment.clone());
        let opened = self.follow(link, grant).await;
        audit.record("file", outcome(&opened), &[id]);
        opened
    }

    async fn follow(&self, link: payloads::File, grant: Grant) -> Result<(Filed, Download), Problem> {
        let action = self.action.as_ref().ok_or_else(gone)?;
        let id = link.attachment.parse().map_err(|_| gone())?;
        let wiki = action.wiki(&self.services, grant, link.site).await?;
        let filed = wiki.attachment(&AttachmentRef::Id(id)).await?;
        let download = wiki.download(&filed, link.version, MAX_FILE).await?;
        Ok((filed, download))
    }
}

/// Answers `GET /files/{sealed}`.
pub async fn file(State(shared): State<Files>, Path(sealed): Path<String>) -> Result<Response, Problem> {
    let place = tokio::time::timeout(PATIENCE, shared.places.clone().acquire_owned()).await;
    let place = place.ok().and_then(Result::ok).ok_or_else(Problem::overloaded)?;
    let (filed, download) = shared.open(&sealed).await.map_err(|problem| match problem.kind {
        Kind::RateLimited
        | Kind::ConfluenceUnavailable
        | Kind::TooSlow
        | Kind::Internal
        | Kind::Overloaded
        | Kind::PayloadTooLarge => problem,
        // Why a link is no good is nothing for whoever happens to hold it.
        _ => gone(),
    })?;
    let headers = headers(&filed, download.length());
    let deadline = shared.services.clock.deadline(LONGEST);
    Ok((headers, carry(download, place, deadline)).into_response())
}

fn headers(filed: &Filed, length: Option<u64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let media_type = HeaderValue::from_str(&filed.file.media_type).ok();
    let media_type = media_type.filter(|_| is_media_type(&filed.file.media_type));
    let media_type = media_type.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, media_type);
    if let Ok(disposition) = HeaderValue::from_str(&disposition(&filed.file.title)) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers
}

/// `type/subtype` with or without parameters, of the characters that RFC 9110 §5.6.2 has for tokens.
fn is_media_type(text: &str) -> bool {
    let token = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// What RFC 5987 §3.2.1 leaves as it is.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// To be saved under its name (RFC 6266): as it is, and in ASCII for those who know no better.
fn disposition(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | '%') || c == ' ' { c } else { '_' }
    };
    let ascii: String = name.chars().map(plain).collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, ATTRIBUTE))
}

/// The bytes as a body. The task ends with the file, with its reader, or at `deadline`, and gives the place back.
fn carry(mut download: Download, place: OwnedSemaphorePermit, deadline: tokio::time::Instant) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::spawn(async move {
        let _place = place;
        let carried = timeout_at(deadline, async {
            while let Some(chunk) = download.chunk().await.transpose() {
                let Ok(chunk) = chunk else {
                    return drop(sender.send(Err(io::Error::other("the file broke off"))).await);
                };
                for piece in chunk.chunks(PIECE) {
                    if sender.send(Ok(Bytes::copy_from_slice(piece))).await.is_err() {
                        return;
                    }
                }
            }
        });
        if carried.await.is_err() {
            // What is cut must not look like a whole file.
            sender.try_send(Err(io::ErrorKind::TimedOut.into())).unwrap_or_default();
        }
    });
    Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    }))
}

/// Expired, cut, sealed by somebody else, or no longer allowed: one and the same answer.
fn gone() -> Problem {
    Problem::new(
        Kind::NotFound,
        "This link leads to no file, or no longer.",
        "Call getAttachment again with as=file for a new link.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_as_it_is_and_in_ascii() {
        assert_eq!(disposition("a.csv"), "attachment; filename=\"a.csv\"; filename*=UTF-8''a.csv");
        assert_eq!(
            disposition("Größe \"x\"\r\n/€ 5%.pdf"),
            "attachment; filename=\"Gr__e _x_____ 5_.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%22x%22%0D%0A%2F%E2%82%AC%205%25.pdf"
        );
    }

    #[test]
    fn a_media_type_that_is_none_is_not_repeated() {
        assert!(is_media_type("text/plain; charset=utf-8") && is_media_type("application/vnd.x+xml"));
        assert!(
            !is_media_type("")
                && !is_media_type("text")
                && !is_media_type("text/ht ml")
                && !is_media_type("/")
        );
    }
}
