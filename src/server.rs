//! Connections: how many there are, how patient the gateway is with them, and how they end.
//!
//! A slow or hostile client costs a bounded amount of memory and keeps nobody out: when every place is taken, the connection
//! that has been without a request for longest makes way for a new one.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::config::Limits;
use crate::peer::Peer;

mod crowd;

use crowd::{Crowd, Place, Working};

/// The most bytes of a request's head: its URL of at most 52 KB and a sealed token of at most 24 KB.
const MAX_HEAD: u32 = 80 * 1024;
const MAX_HEADERS: usize = 100;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;
/// What an HTTP/2 peer may send ahead, in bytes: of one request, and in all.
const WINDOWS: [u32; 2] = [64 * 1024, 256 * 1024];
/// How long an HTTP/2 connection may be silent before it is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(30);
/// The pause after the system refused us a connection, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers with `app` on `listener` until `shutdown` resolves, then finishes what is open, within the limit for that.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let protocols = Arc::new(protocols(limits));
    let crowd = Crowd::new(limits.connections);
    let open = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let arrived = async {
            let (stream, address) = accept(&listener, &crowd).await;
            (stream, address, crowd.enter().await)
        };
        let (stream, address, place) = tokio::select! {
            arrived = arrived => arrived,
            () = &mut shutdown => break,
        };
        tokio::spawn(converse(
            protocols.clone(),
            stream,
            address,
            app.clone(),
            place,
            limits,
            open.watcher(),
        ));
    }
    drop(listener);
    if timeout(limits.grace, open.shutdown()).await.is_err() {
        tracing::warn!("connections were still open when the time to finish them ran out");
    }
    Ok(())
}

fn protocols(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut protocols = auto::Builder::new(TokioExecutor::new());
    protocols
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD as usize);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD)
        .initial_stream_window_size(WINDOWS[0])
        .initial_connection_window_size(WINDOWS[1])
        .keep_alive_interval(SILENCE)
        .keep_alive_timeout(SILENCE);
    protocols
}

/// The next connection. What the system refuses is tried again, with one connection less.
async fn accept(listener: &TcpListener, crowd: &Crowd) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                crowd.turn_one_out();
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves one connection to its end, or until it has to make way.
async fn converse(
    protocols: Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    address: SocketAddr,
    app: Router,
    place: Place,
    limits: Limits,
    watcher: Watcher,
) {
    // An answer is written at once; there is nothing to gather.
    stream.set_nodelay(true).unwrap_or_default();
    let handle = place.handle();
    let answer = tower::service_fn(move |request| {
        answer(app.clone(), Peer(address.ip().to_canonical()), request, handle.work())
    });
    // The protocols are patient with a client that says nothing at first, and with one that takes nothing.
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(Some(limits.silence));
    stream.set_write_timeout(Some(limits.silence));
    let connection =
        protocols.serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(answer));
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
        }
        () = place.turned_out() => tracing::debug!("a connection without a request made way"),
    }
}

async fn answer<B>(
    app: Router,
    peer: Peer,
    request: http::Request<B>,
    working: Working,
) -> Result<Response, Infallible>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    let response = app.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Sending { body, _working: working })))
}

/// A body, while which is sent the connection counts as working.
struct Sending {
    body: Body,
    _working: Working,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
