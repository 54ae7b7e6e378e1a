//! Originals of attachments, by sealed links: `GET /files/{sealed}`.
//!
//! Whoever holds a link may fetch one version of one file for some minutes, as the person who asked for it: ChatGPT fetches
//! without Authorization. The GPT, its action, its site, its spaces and the person's access are looked up anew each time.
//! Bytes pass through piece by piece; a task of its own carries them, so that a reader who stops reading holds nothing for long.
//! The link is opened before a place is asked for, and nobody has more than a share of the places.

mod pace;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

use crate::Gateway;
use crate::action::{AttachmentRef, Audit, Entry, Filed, Services, outcome};
use crate::actions::{GET_ATTACHMENT, MAX_FILE};
use crate::atlassian::Account;
use crate::confluence::{Download, Error};
use crate::fair::{FairPool, Permit, Shares};
use crate::oauth::Grant;
use crate::problem::{Kind, Problem};
use crate::seal::payloads;
use pace::Pace;

/// Files on their way at the same time, and how many of them by the links of one person. They have places of their own: slow
/// readers take none of the actions'.
const SHARES: Shares = Shares { permits: 32, of_one: 8, waiting: 256 };
/// How long a request may wait for a place. ChatGPT waits 10 seconds in all.
const PATIENCE: Duration = Duration::from_secs(3);
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
    places: FairPool<Account>,
}

impl Files {
    pub fn new(gateway: &Gateway) -> Self {
        let action = gateway.entries.iter().find(|entry| entry.id == GET_ATTACHMENT).cloned();
        Self {
            services: gateway.services.clone(),
            action: action.map(Arc::new),
            places: FairPool::new(SHARES),
        }
    }

    async fn open(&self, link: payloads::File, grant: Grant) -> Result<(Filed, Download), Problem> {
        let (audit, id) = (Audit::of(&self.services, &grant), link.attachment.clone());
        let opened = self.follow(link, grant).await;
        audit.record("file", outcome(&opened), &[id.into()]);
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
    let (link, grant) = shared.services.server.file_grant(&sealed).map_err(|_| gone())?;
    let place = shared.places.acquire(grant.access.token.account(), 1, PATIENCE).await;
    let place = place.map_err(|_| Problem::overloaded())?;
    let (filed, download) = shared.open(link, grant).await.map_err(|problem| match problem.kind {
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
    let body = carry(chunks(download), place, Pace::start(&shared.services.clock));
    Ok((headers, body).into_response())
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

fn chunks(download: Download) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::unfold(download, |mut download| async move {
        let chunk = download.chunk().await.transpose()?;
        Some((chunk, download))
    })
}

/// The bytes as a body. The task ends with the file, with its reader, or when either is too slow, and gives the place back.
fn carry(
    chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    permit: Permit<Account>,
    pace: Pace,
) -> Body {
    let (sender, receiver) = mpsc::channel::<Bytes>(WAITING);
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let _permit = permit;
        // The end is told last, however full the channel is: what is cut must not look like a whole file.
        drop(end.send(hand_over(chunks, &sender, pace).await));
    });
    let pieces =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let end = stream::once(ended).filter_map(|ended| async { ended.unwrap_or_else(|_| Err(cut())).err() });
    Body::from_stream(pieces.map(Ok).chain(end.map(Err)))
}

/// Hands over the file piece by piece, each within its time. A reader who has gone away needs no more of it.
async fn hand_over(
    chunks: impl Stream<Item = Result<Bytes, Error>> + Send,
    sender: &mpsc::Sender<Bytes>,
    mut pace: Pace,
) -> io::Result<()> {
    let mut chunks = pin!(chunks);
    while let Some(chunk) = timeout_at(pace.deadline(), chunks.next()).await? {
        let chunk = chunk.map_err(|_| cut())?;
        for piece in chunk.chunks(PIECE) {
            let sent = sender.send(Bytes::copy_from_slice(piece));
            if timeout_at(pace.deadline(), sent).await?.is_err() {
                return Ok(());
            }
            pace.progress(piece.len());
        }
    }
    Ok(())
}

fn cut() -> io::Error {
    io::Error::other("the file broke off")
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
    use std::future::pending;

    use axum::body::BodyDataStream;
    use tokio::time::sleep;

    use super::*;
    use crate::clock::Clock;

    const SIZE: usize = 10_000_000;

    /// A file of 10 MB, in pieces that come at once.
    fn large() -> impl Stream<Item = Result<Bytes, Error>> + Send {
        stream::iter((0..SIZE / 10_000).map(|_| Ok(Bytes::from(vec![b'x'; 10_000]))))
    }

    /// Such a file on its way, with one of these places.
    fn carried(
        places: &FairPool<Account>,
        chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> BodyDataStream {
        let place = places.try_acquire(Account::of_holder(b"reader"), 1).unwrap();
        carry(chunks, place, Pace::start(&Clock::system())).into_data_stream()
    }

    async fn is_cut(body: BodyDataStream) -> bool {
        body.any(|piece| std::future::ready(piece.is_err())).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_stops_reading_gives_the_place_back_within_ten_seconds() {
        let places = FairPool::new(SHARES);
        let mut body = carried(&places, large());
        for _ in 0..20 {
            body.next().await.unwrap().unwrap();
        }
        sleep(Duration::from_secs(9)).await;
        assert_eq!(places.free(), SHARES.permits - 1);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(places.free(), SHARES.permits);
        assert!(is_cut(body).await, "what is cut must not look whole");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_little_now_and_then_is_ended_too() {
        let places = FairPool::new(SHARES);
        let mut body = carried(&places, large());
        for _ in 0..3 {
            assert!(body.next().await.is_some());
            sleep(Duration::from_secs(9)).await;
        }
        assert_eq!(places.free(), SHARES.permits);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_takes_all_of_the_largest_file() {
        let places = FairPool::new(SHARES);
        let mut body = carried(&places, large());
        let mut taken = 0;
        while let Some(piece) = body.next().await {
            let length = piece.unwrap().len();
            taken += length;
            // A megabit a second.
            sleep(Duration::from_millis(length as u64 / 125)).await;
        }
        assert_eq!((taken, places.free()), (SIZE, SHARES.permits));
    }

    #[tokio::test(start_paused = true)]
    async fn a_media_host_that_falls_silent_holds_no_place() {
        let places = FairPool::new(SHARES);
        let silent = large().take(3).chain(stream::once(pending()));
        let body = carried(&places, silent);
        let read = tokio::spawn(is_cut(body));
        sleep(Duration::from_secs(11)).await;
        assert_eq!(places.free(), SHARES.permits);
        assert!(read.await.unwrap());
    }

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
