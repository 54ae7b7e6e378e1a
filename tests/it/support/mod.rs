//! The world that the tests live in: a gateway, the sandbox behind it, people with browsers, and a clock to move.
//!
//! ```ignore
//! let world = World::start().await;
//! let alice = world.sign_in("alice").await;
//! let answer = world.get(&alice, "/v1/search?query=x").await;
//! ```

#![allow(dead_code, unused_imports)]

mod answer;
mod browser;
mod session;
mod world;

pub use answer::Answer;
pub use browser::{Browser, Page};
pub use session::{Back, MCP_CALLBACK, Request, Session};
pub use world::{CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, PROGRAM, World, secret};

/// The example of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Percent-encodes a value as browsers do in a query.
pub fn encode(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The value of a query parameter of `url`, decoded.
pub fn param(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
