//! The bytes of attachments: a redirect to a media host whose URL alone opens the file. The URL is followed once, without
//! Authorization, to the configured hosts only, and is neither logged nor handed out.

use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use tokio::time::{timeout, timeout_at};
use tracing::{Instrument as _, field};
use url::Url;

use super::points::{self, Price};
use super::{AttachmentId, Call, Connection, ContentId, Error, Expected, SILENCE};
use crate::atlassian::describe;
use crate::clock::Stopwatch;
use crate::telemetry::TRACED;
use crate::telemetry::metrics::Upstream;
use crate::urls::is_loopback_host;

/// What the call to a media host is called in metrics and traces: its URL alone opens the file.
const MEDIA: &str = "media";

/// The bytes of one attachment version, as they come.
pub struct Download {
    response: reqwest::Response,
    /// How many bytes may still come.
    room: u64,
    length: Option<u64>,
}

impl Connection {
    /// Begins to download a version of a page's or blog post's attachment; more than `limit` bytes are not read.
    pub async fn download(
        &self,
        container: &ContentId,
        attachment: &AttachmentId,
        version: u32,
        limit: u64,
    ) -> Result<Download, Error> {
        let path = [
            "rest",
            "api",
            "content",
            container.as_str(),
            "child",
            "attachment",
            attachment.as_str(),
            "download",
        ];
        let call = Call::get(Price::One, &path, vec![("version", version.to_string())]);
        let _wait = self.tally.wait();
        let reply = self.reply(&Call { expected: Expected::Redirect, ..call }).await?;
        if reply.is_unpaid() {
            self.client.charge(self.account, &self.tally, points::REDIRECT);
        }
        let location = reply.location.as_deref().unwrap_or_default();
        let url = self.media_url(location).ok_or_else(|| foreign("the redirect leads to no media host"))?;
        let response = self.ask_media_host(url).await?;
        if !response.status().is_success() {
            return Err(foreign(&format!("the media host answers {}", response.status().as_u16())));
        }
        let length =
            response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(Error::FileTooLarge);
        }
        Ok(Download { response, room: limit, length })
    }

    /// The head of the media host's answer. The call counts like those to Confluence, and costs no points.
    async fn ask_media_host(&self, url: Url) -> Result<reqwest::Response, Error> {
        self.tally.call();
        let began = Stopwatch::start();
        let span = tracing::info_span!(target: TRACED, "call", call = MEDIA, outcome = field::Empty);
        // As they are, so that the host says how many there are.
        let asked = self.client.http.get(url).header(ACCEPT_ENCODING, "identity");
        let sent = timeout_at(self.deadline, asked.send().instrument(span.clone())).await;
        let outcome = match &sent {
            Ok(Ok(response)) => Upstream::Status(response.status().as_u16()),
            Ok(Err(error)) if !error.is_timeout() => Upstream::Failed,
            _ => Upstream::TooSlow,
        };
        span.record("outcome", outcome.name());
        self.client.metrics.upstream(MEDIA, outcome, began.elapsed());
        sent.map_err(|_| Error::TooSlow)?.map_err(|error| foreign(&describe(error)))
    }

    /// A URL of a configured media host: https, or http on this machine. Anything else stays unvisited.
    fn media_url(&self, location: &str) -> Option<Url> {
        let url = Url::parse(location).ok()?;
        let host = url.host_str()?;
        let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback_host(host));
        let place = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let known = self.client.media_hosts.iter().any(|known| known.eq_ignore_ascii_case(&place));
        let plain = url.username().is_empty() && url.password().is_none();
        (secure && known && plain).then_some(url)
    }
}

impl Download {
    /// How many bytes the media host promises.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes; nothing at the end. A media host that falls silent is waited for no longer than Confluence is.
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        let chunk = timeout(SILENCE, self.response.chunk()).await.map_err(|_| Error::TooSlow)?;
        let Some(chunk) = chunk.map_err(|error| foreign(&describe(error)))? else {
            return Ok(None);
        };
        self.room = self.room.checked_sub(chunk.len() as u64).ok_or(Error::FileTooLarge)?;
        Ok(Some(chunk))
    }
}

fn foreign(cause: &str) -> Error {
    Error::Unavailable(format!("download: {cause}"))
}
