//! The Confluence sites a token reaches (accessible-resources), remembered for an hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{AccessToken, Breaker, Resting, Tally, first_answer};
use crate::clean::{Clean, safe_address};
use crate::ids::CloudId;
use crate::lenient::Lenient;
use crate::memo::Memo;
use crate::telemetry::Metrics;

/// How long an answer is remembered. An Atlassian token lives as long.
const LIFETIME: Duration = Duration::from_secs(3600);

/// How many people's answers are remembered.
const CAPACITY: u64 = 10_000;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The longest answer that is read, in bytes. A site takes about 600.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A Confluence site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub cloud_id: CloudId,
    /// What Atlassian calls it: usually the first label of its host.
    pub name: Clean,
    /// Its origin, such as `https://acme.atlassian.net`, without a trailing slash.
    pub url: Clean,
}

impl Site {
    /// Its host, such as `acme.atlassian.net`.
    pub fn host(&self) -> &str {
        self.url.split_once("://").map_or(&self.url, |(_, host)| host)
    }
}

/// Why the sites of a token are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SitesError {
    #[error("Atlassian does not accept the access token")]
    Unauthorized,
    #[error("Atlassian asks to wait")]
    RateLimited { retry_after: Option<u64> },
    #[error("Atlassian only fails and is left alone for {} s", .0.0)]
    Resting(Resting),
    /// The cause is for the log.
    #[error("Atlassian gave no usable list of sites: {0}")]
    Unavailable(String),
    #[error("Atlassian did not list the sites in time")]
    TooSlow,
}

/// Looks up and remembers the sites of each token. A clone shares the memory.
#[derive(Clone)]
pub struct Sites {
    http: reqwest::Client,
    url: Url,
    breaker: Breaker,
    /// By the SHA-256 of the access token, so that the memory holds no token.
    known: Memo<Arc<[Site]>>,
    metrics: Metrics,
}

impl Sites {
    /// `api_url` is the origin of Atlassian's API, and `breaker` that host's.
    pub fn new(api_url: &Url, http: reqwest::Client, metrics: Metrics, breaker: Breaker) -> Self {
        let mut url = api_url.clone();
        url.set_path("/oauth/token/accessible-resources");
        let known = Memo::lasting(CAPACITY, LIFETIME);
        Self { http, url, breaker, known, metrics }
    }

    /// The Confluence sites that `token` reaches. Callers with one token share one call; errors and empty lists are not
    /// remembered, so that a person who is given access need not wait.
    pub async fn of(
        &self,
        token: &AccessToken,
        deadline: Instant,
        tally: &Tally,
    ) -> Result<Arc<[Site]>, SitesError> {
        let known = self.known.get(token.fingerprint()).await;
        self.metrics.cache("sites", known.as_ref());
        if let Some(sites) = known {
            return Ok(sites);
        }
        let _wait = tally.wait();
        let looked_up = self.known.try_get_or(token.fingerprint(), self.look_up(token, deadline, tally));
        match tokio::time::timeout_at(deadline, looked_up).await {
            Ok(Ok(sites)) => Ok(sites),
            Ok(Err(miss)) => match miss.as_ref() {
                Miss::Empty => Ok(Arc::from([])),
                Miss::Failed(error) => Err(error.clone()),
            },
            Err(_) => Err(SitesError::TooSlow),
        }
    }

    async fn look_up(
        &self,
        token: &AccessToken,
        deadline: Instant,
        tally: &Tally,
    ) -> Result<Arc<[Site]>, Miss> {
        let rests = |resting| {
            self.metrics.withheld(super::RESTS);
            SitesError::Resting(resting)
        };
        let mut trial = self.breaker.admit(token.account(), deadline).map_err(rests)?;
        // Everybody who has this token waits for the answer.
        let asked = first_answer(|| {
            tally.call();
            Some(self.ask(token))
        });
        let answer = trial.wait_for(asked, ()).await.map_err(rests)?.unwrap_or(Err(SitesError::TooSlow));
        match &answer {
            Err(SitesError::Unavailable(_) | SitesError::TooSlow) => trial.failed(),
            _ => trial.succeeded(),
        }
        let sites = confluence_sites(&answer?)
            .ok_or_else(|| SitesError::Unavailable("not a list of sites".to_owned()))?;
        if sites.is_empty() { Err(Miss::Empty) } else { Ok(sites.into()) }
    }

    async fn ask(&self, token: &AccessToken) -> Result<Vec<u8>, SitesError> {
        let request = self.http.get(self.url.clone()).bearer_auth(token.expose()).timeout(TIMEOUT);
        let sent = super::counted(&self.metrics, "oauth/token/accessible-resources", request.send());
        let response = sent.await.map_err(|error| {
            if error.is_timeout() {
                SitesError::TooSlow
            } else {
                SitesError::Unavailable(super::describe(error))
            }
        })?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(SitesError::Unauthorized),
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(SitesError::RateLimited { retry_after: super::retry_after(response.headers()) });
            }
            status => return Err(SitesError::Unavailable(format!("status {}", status.as_u16()))),
        }
        super::read(response, MAX_ANSWER).await.map_err(SitesError::Unavailable)
    }
}

/// What `try_get_with` does not keep.
enum Miss {
    Empty,
    Failed(SitesError),
}

impl From<SitesError> for Miss {
    fn from(error: SitesError) -> Self {
        Self::Failed(error)
    }
}

/// Groups the rows by id, for one site has a row for each product, and keeps the sites whose scopes name Confluence, in
/// Atlassian's order. A row that cannot be read is passed over; the rest still counts.
fn confluence_sites(body: &[u8]) -> Option<Vec<Site>> {
    let rows: Vec<Lenient<Row>> = serde_json::from_slice(body).ok()?;
    let mut order = Vec::new();
    let mut confluence: BTreeMap<CloudId, bool> = BTreeMap::new();
    for row in rows.into_iter().filter_map(|row| row.0) {
        let Some(cloud_id) = CloudId::parse(&row.id) else { continue };
        let names_confluence = row.scopes.iter().any(|scope| scope.contains("confluence"));
        if !confluence.contains_key(&cloud_id) {
            let url = safe_address(row.url.trim_end_matches('/')).into();
            order.push(Site { cloud_id: cloud_id.clone(), name: row.name, url });
        }
        *confluence.entry(cloud_id).or_default() |= names_confluence;
    }
    order.retain(|site| confluence[&site.cloud_id]);
    Some(order)
}

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    name: Clean,
    url: Clean,
    #[serde(default)]
    scopes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    #[test]
    fn rows_are_grouped_by_id_and_only_confluence_is_kept() {
        let body = br#"[
            {"id": "11111111-aaaa-4bbb-8ccc-000000000001", "name": "jira only", "url": "https://j.atlassian.net", "scopes": ["read:jira-work"]},
            {"id": "22222222-AAAA-4bbb-8ccc-000000000002", "name": "both", "url": "https://b.atlassian.net/", "scopes": ["read:jira-work"]},
            {"id": "22222222-aaaa-4bbb-8ccc-000000000002", "name": "both", "url": "https://b.atlassian.net", "scopes": ["search:confluence"]},
            {"id": "../../etc", "name": "odd", "url": "https://o.atlassian.net", "scopes": ["search:confluence"]},
            {"id": 7}
        ]"#;
        let sites = confluence_sites(body).unwrap();
        assert_eq!(sites.len(), 1);
        assert_eq!(sites[0].cloud_id.as_str(), "22222222-aaaa-4bbb-8ccc-000000000002");
        assert_eq!(sites[0].url, "https://b.atlassian.net");
        assert_eq!(confluence_sites(b"{}"), None);
    }

    const ONE: &str = r#"[{"id":"22222222-aaaa-4bbb-8ccc-000000000002","name":"a","url":"https://a.atlassian.net","scopes":["search:confluence"]}]"#;

    /// Sites before an Atlassian that answers so, and the number of calls it has had.
    async fn answering(answers: &[ResponseTemplate]) -> (Sites, MockServer) {
        let server = MockServer::start().await;
        for (index, answer) in answers.iter().enumerate() {
            let mock = Mock::given(path("/oauth/token/accessible-resources")).respond_with(answer.clone());
            let last = index + 1 == answers.len();
            let times = if last { u64::MAX } else { 1 };
            mock.up_to_n_times(times).mount(&server).await;
        }
        let url = Url::parse(&server.uri()).unwrap();
        let (http, clock) = (crate::atlassian::http_client().unwrap(), crate::clock::Clock::system());
        (Sites::new(&url, http, Metrics::new(&clock), Breaker::new(&clock)), server)
    }

    async fn ask(sites: &Sites, token: &str) -> Result<usize, SitesError> {
        let clock = crate::clock::Clock::system();
        let deadline = clock.deadline(Duration::from_secs(5));
        sites
            .of(&AccessToken::new(token.to_owned()), deadline, &Tally::start(&clock))
            .await
            .map(|sites| sites.len())
    }

    async fn calls(server: &MockServer) -> usize {
        server.received_requests().await.unwrap().len()
    }

    #[tokio::test]
    async fn callers_with_one_token_share_one_call_and_others_share_nothing() {
        let slow = ResponseTemplate::new(200).set_body_string(ONE).set_delay(Duration::from_millis(50));
        let (sites, server) = answering(&[slow]).await;
        let (one, two) = tokio::join!(ask(&sites, "token 1"), ask(&sites, "token 1"));
        assert_eq!((one, two, ask(&sites, "token 1").await), (Ok(1), Ok(1), Ok(1)));
        assert_eq!(calls(&server).await, 1);
        assert_eq!(ask(&sites, "token 2").await, Ok(1));
        assert_eq!(calls(&server).await, 2);
    }

    #[tokio::test]
    async fn errors_and_empty_lists_are_not_remembered() {
        let answer = ResponseTemplate::new;
        let (sites, server) = answering(&[
            answer(200).set_body_string("[]"),
            answer(401),
            answer(429).insert_header("retry-after", "7"),
            answer(500),
            answer(200).set_body_string("{}"),
            answer(200).set_body_string(ONE),
        ])
        .await;
        assert_eq!(ask(&sites, "t").await, Ok(0));
        assert_eq!(ask(&sites, "t").await, Err(SitesError::Unauthorized));
        assert_eq!(ask(&sites, "t").await, Err(SitesError::RateLimited { retry_after: Some(7) }));
        for _ in 0..2 {
            assert!(matches!(ask(&sites, "t").await, Err(SitesError::Unavailable(_))));
        }
        assert_eq!((ask(&sites, "t").await, ask(&sites, "t").await), (Ok(1), Ok(1)));
        assert_eq!(calls(&server).await, 6);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_the_deadline() {
        let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
        let (sites, _server) = answering(&[never]).await;
        let clock = crate::clock::Clock::system();
        let deadline = clock.deadline(Duration::from_millis(20));
        let tally = Tally::start(&clock);
        assert_eq!(
            sites.of(&AccessToken::new("t".to_owned()), deadline, &tally).await,
            Err(SitesError::TooSlow)
        );
    }
}
