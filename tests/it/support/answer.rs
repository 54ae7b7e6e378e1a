//! What a program gets back.

use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// Null when the body is not JSON.
    pub json: Value,
}

impl Answer {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or_default();
        Self { status, headers, body, json }
    }

    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A text member of the JSON; empty when there is none.
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    /// What `Server-Timing` says the answer cost: calls to Atlassian, and points.
    #[track_caller]
    pub fn cost(&self) -> (usize, u64) {
        let timing = self.header("server-timing");
        let cost = timing.split_once("desc=\"").and_then(|(_, rest)| rest.split_once(" points\""));
        let (calls, points) = cost.and_then(|(cost, _)| cost.split_once(" calls, ")).expect(timing);
        (calls.parse().unwrap(), points.parse().unwrap())
    }

    /// Fails unless this is `status`, showing what came instead.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Fails unless this is an OAuth error with this status and code.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.text("error")), (status, code), "{}", self.body);
        self
    }
}
