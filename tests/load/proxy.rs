//! What stands before the replicas: it hands each request to the next of them, and only what a replica does not take at all to
//! another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::time::interval;

use crate::support::World;

#[derive(Clone)]
pub struct Proxy {
    replicas: Arc<Mutex<Vec<String>>>,
    next: Arc<AtomicUsize>,
    http: reqwest::Client,
    /// Its origin.
    pub url: String,
}

impl Proxy {
    /// A proxy without replicas.
    pub async fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { replicas: Arc::default(), next: Arc::default(), http: world.http.clone(), url };
        let router = Router::new().fallback(hand_on).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        tokio::spawn(proxy.clone().look_after_them());
        proxy
    }

    /// Hands requests on to this one too.
    pub fn add(&self, url: &str) {
        self.replicas.lock().unwrap().push(url.to_owned());
    }

    /// Asks them again and again whether they are ready, as proxies do, and hands nothing on any more to who is not.
    async fn look_after_them(self) {
        let mut ticks = interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let replicas = self.replicas.lock().unwrap().clone();
            for url in replicas {
                let answer = self.http.get(format!("{url}/readyz")).send().await;
                if !answer.is_ok_and(|answer| answer.status().is_success()) {
                    self.replicas.lock().unwrap().retain(|replica| *replica != url);
                }
            }
        }
    }

    /// All replicas, the next one first.
    fn in_turn(&self) -> Vec<String> {
        let mut replicas = self.replicas.lock().unwrap().clone();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % replicas.len();
        replicas.rotate_left(first);
        replicas
    }

    async fn send(&self, replica: &str, request: &Request<Bytes>) -> reqwest::Result<Response> {
        // The host stays the one the client named, as it does behind a TLS proxy.
        let outgoing = self.http.request(request.method().clone(), format!("{replica}{}", request.uri()));
        let outgoing = outgoing.headers(request.headers().clone()).body(request.body().clone());
        let answer = outgoing.send().await?;
        let mut response = Response::builder().status(answer.status());
        let hop = |name: &HeaderName| [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name);
        for (name, value) in answer.headers().iter().filter(|(name, _)| !hop(name)) {
            response = response.header(name, value);
        }
        Ok(response.body(Body::from(answer.bytes().await?)).unwrap())
    }
}

async fn hand_on(State(proxy): State<Proxy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let request = Request::from_parts(parts, body);
    for replica in proxy.in_turn() {
        match proxy.send(&replica, &request).await {
            Ok(response) => return response,
            Err(error) if error.is_connect() => {}
            Err(error) => return (StatusCode::BAD_GATEWAY, format!("{error:?}")).into_response(),
        }
    }
    (StatusCode::BAD_GATEWAY, "no replica is there").into_response()
}
