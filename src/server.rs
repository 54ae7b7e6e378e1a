//! Connections: how many there are, how patient the gateway is with them, and how they end.
//!
//! A slow or hostile client costs a bounded amount of memory and keeps nobody out: when every place is taken, the connection
//! that has been without a whole request for longest makes way for a new one, those on which nobody was signed in first and
//! none before it has had time to ask.
//!
//! HTTP/1.1 alone is spoken. HTTP/2 would come from a proxy that is told to, and lets each connection open many requests whose
//! heads unpack to a hundred times what was sent: there is no bound on their sum that good clients would not meet first.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::config::Limits;
use crate::peer::Peer;

mod crowd;
mod metered;

use crowd::{Answering, Crowd, Handle, Place, Work};
use metered::Metered;

/// The most bytes of a request's head: its URL of at most 52 KB and a sealed token of at most 24 KB. The protocol reads in pieces
/// and may have taken more before it minds; the router refuses what is longer.
pub const MAX_HEAD: usize = 80 * 1024;
const MAX_HEADERS: usize = 100;
/// A header that only those are answered with who are signed in.
const OF_A_PERSON: &str = "server-timing";
/// How many connections may wait to be taken, where the system allows as many.
const BACKLOG: u32 = 4096;
/// The pause after the system refused us a connection, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address. As many connections as may come at once wait to be taken: those that the system has no room for try
/// again after a second only.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As tokio itself does: a gateway that starts anew need not wait for the last connections of the one before.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers with `app` on `listener` until `shutdown` resolves, says farewell, and finishes what is open, each within its limit.
///
/// Whoever hands requests on hears only later that this gateway leaves, and an idle connection must not be closed while a
/// request is on its way. So for a while everything is answered as before, but each connection ends with its next answer.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let house = House {
        protocol: Arc::new(protocol(limits)),
        app,
        limits,
        crowd: Crowd::new(limits.connections),
        leaves: Arc::default(),
    };
    let open = GracefulShutdown::new();
    house.welcome(&listener, &open, shutdown).await;
    house.leaves.store(true, Ordering::Relaxed);
    house.welcome(&listener, &open, sleep(limits.farewell)).await;
    house.welcome_the_last(listener, &open).await?;
    // Those have to be heard before they are asked to end, or they end unheard.
    sleep(limits.farewell / 2).await;
    if timeout(limits.grace, open.shutdown()).await.is_err() {
        tracing::warn!("connections were still open when the time to finish them ran out");
    }
    Ok(())
}

/// What all connections share.
#[derive(Clone)]
struct House {
    protocol: Arc<http1::Builder>,
    app: Router,
    limits: Limits,
    crowd: Crowd,
    leaves: Arc<AtomicBool>,
}

/// Marks requests that came when the gateway was about to leave.
#[derive(Clone, Copy)]
pub struct Leaving;

impl House {
    /// Takes connections until the `end`.
    async fn welcome(&self, listener: &TcpListener, open: &GracefulShutdown, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        loop {
            let arrived = async {
                let (stream, address) = accept(listener, &self.crowd).await;
                (stream, address, self.crowd.enter().await)
            };
            tokio::select! {
                (stream, address, place) = arrived => {
                    tokio::spawn(converse(self.clone(), stream, address, place, open.watcher()));
                }
                () = &mut end => return,
            }
        }
    }

    /// Takes the connections that the system has made already, and closes the door.
    async fn welcome_the_last(&self, listener: TcpListener, open: &GracefulShutdown) -> io::Result<()> {
        let listener = listener.into_std()?;
        while let Ok((stream, address)) = listener.accept() {
            stream.set_nonblocking(true)?;
            let (stream, place) = (TcpStream::from_std(stream)?, self.crowd.enter().await);
            tokio::spawn(converse(self.clone(), stream, address, place, open.watcher()));
        }
        Ok(())
    }
}

fn protocol(limits: Limits) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    protocol
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
async fn converse(house: House, stream: TcpStream, address: SocketAddr, place: Place, watcher: Watcher) {
    // An answer is written at once; there is nothing to gather.
    stream.set_nodelay(true).unwrap_or_default();
    let (House { protocol, app, limits, leaves, .. }, handle) = (house, place.handle());
    let answer = tower::service_fn(move |request| {
        let peer = Peer(address.ip().to_canonical());
        answer(app.clone(), peer, request, handle.clone(), leaves.clone())
    });
    // The protocol is patient with a client that says nothing at first, and with one that takes nothing.
    let stream = Metered::new(stream, place.handle(), limits.silence);
    let connection = protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(answer));
    let mut connection = pin!(watcher.watch(connection));
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            // It was asked first what has arrived meanwhile: with a request in work it stays.
            () = place.turned_out() => if place.leaves() {
                tracing::debug!("a connection without a request made way");
                return;
            }
        }
    }
}

async fn answer<B>(
    app: Router,
    peer: Peer,
    request: http::Request<B>,
    handle: Handle,
    leaves: Arc<AtomicBool>,
) -> Result<Response, Infallible>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
{
    let work = handle.request();
    let mut request: Request = if request.body().is_end_stream() {
        work.begin();
        request.map(Body::new)
    } else {
        request.map(|body| Body::new(Arriving { body, work: work.clone() }))
    };
    request.extensions_mut().insert(peer);
    if leaves.load(Ordering::Relaxed) {
        request.extensions_mut().insert(Leaving);
    }
    let mut response = app.oneshot(request).await?;
    if leaves.load(Ordering::Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if response.headers().contains_key(OF_A_PERSON) {
        handle.know();
    }
    Ok(response.map(|body| Body::new(Sending { body, _answering: work.answer() })))
}

/// The body of a request, whose work begins when all of it is there.
struct Arriving<B> {
    body: B,
    work: Work,
}

impl<B: HttpBody + Unpin> HttpBody for Arriving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.work.begin();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body, while which is sent the connection counts as working, as long as its client takes something of it.
struct Sending {
    body: Body,
    _answering: Answering,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hundreds_may_knock_before_anybody_opens() {
        let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let clients = allowed.trim().parse().unwrap_or(0).min(300);
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut connected = Vec::new();
        for number in 0..clients {
            let knock = timeout(Duration::from_millis(900), TcpStream::connect(address)).await;
            connected.push(knock.unwrap_or_else(|_| panic!("client {number} has to wait")).unwrap());
        }
    }
}
