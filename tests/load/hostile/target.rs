//! Who is attacked, and how it answers.

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Request, World};

/// What hostile clients know of the gateway.
pub struct Target {
    pub address: SocketAddr,
    /// The URL that begins a sign-in, without its origin.
    pub sign_in: String,
    /// A token for the MCP door: one of them is an insider.
    pub token: String,
    /// Ten megabytes of brackets as gzip has them.
    pub packed: Vec<u8>,
}

impl Target {
    pub async fn new(world: &World) -> Self {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&vec![b'['; 10_000_000]).unwrap();
        Self {
            address: world.url.trim_start_matches("http://").parse().unwrap(),
            sign_in: Request::of_chatgpt().url(""),
            token: world.sign_in_to_mcp("bob").await.access_token,
            packed: packer.finish().unwrap(),
        }
    }

    pub async fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }

    /// Sends these bytes, and reads until the gateway hangs up: the statuses of its answers.
    pub async fn send(&self, bytes: &[u8]) -> Vec<u16> {
        let Some(stream) = self.connect().await else { return Vec::new() };
        let (mut from, mut to) = stream.into_split();
        let mut answers = Vec::new();
        let mut piece = [0; 16 * 1024];
        let read = async {
            while let Ok(length @ 1..) = from.read(&mut piece).await {
                answers.extend_from_slice(&piece[..length]);
            }
        };
        // Whoever is hung up on while sending may still have been told why.
        let write = async { to.write_all(bytes).await.unwrap_or_default() };
        tokio::join!(read, write);
        statuses(&answers)
    }
}

/// The statuses of answers that follow each other.
pub fn statuses(answers: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answers);
    text.match_indices("HTTP/1.1 ")
        .filter_map(|(at, start)| text.get(at + start.len()..)?.get(..3)?.parse().ok())
        .collect()
}

/// Reads until the other side hangs up.
pub async fn drain(mut stream: impl tokio::io::AsyncRead + Unpin) -> u64 {
    let (mut piece, mut sum) = ([0; 16 * 1024], 0);
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        sum += length as u64;
    }
    sum
}
