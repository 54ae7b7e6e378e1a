//! Places for requests that call Confluence, shared fairly by the people who ask.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::sleep;

use crate::action::{self, Services};
use crate::atlassian::Account;
use crate::fair::{FairPool, PATIENCE, Permit, Refused, Shares};
use crate::problem::Problem;
use crate::telemetry::Metrics;

/// How many requests may wait for each place. More would only wait in vain, and take memory.
const WAITING: usize = 16;

/// From when on a request is slow, and how often it is looked whether there is a place for one more that is.
const PROMPT: Duration = Duration::from_secs(15);
const AGAIN: Duration = Duration::from_millis(500);

/// Places for requests that call Confluence (`CAUSEWAY_MAX_IN_FLIGHT`), and for those that wait for one. Nobody has more than
/// half of them.
pub struct InFlight {
    working: FairPool<Account>,
    /// Half of the working, of which nobody has more than half: what slow requests may take while others wait.
    slow: FairPool<Account>,
    metrics: Metrics,
}

impl InFlight {
    pub fn new(places: usize, metrics: Metrics) -> Self {
        let half = places.div_ceil(2);
        let waiting = places.saturating_mul(WAITING);
        Self {
            working: FairPool::new(Shares { permits: places, of_one: half, waiting }),
            slow: FairPool::new(Shares { permits: half, of_one: half.div_ceil(2), waiting: 0 }),
            metrics,
        }
    }

    /// A place for this person, at once or after a while.
    async fn take(&self, account: Account) -> Result<Permit<Account>, Refused> {
        if let Some(place) = self.working.try_acquire(account, 1) {
            return Ok(place);
        }
        let _counted = self.metrics.waiting();
        self.working.acquire(account, 1, PATIENCE).await
    }

    /// Resolves when a request that has just begun has become slow, there are as many slow ones as there may be, and no place
    /// is left for others of this person or of anybody. However many wait for what does not come, half of the places stay for
    /// those that do not, and of each person's share half.
    async fn must_go(&self, account: Account) {
        sleep(PROMPT).await;
        loop {
            if let Some(_place) = self.slow.try_acquire(account, 1) {
                return pending().await;
            }
            if self.working.is_used_up_for(account) {
                return;
            }
            sleep(AGAIN).await;
        }
    }

    /// Answers a person's request once there is a place for it, which is not waited for for long.
    async fn answer(&self, account: Account, request: Request, next: Next) -> Response {
        let reason = match self.take(account).await {
            Ok(_place) => {
                let _counted = self.metrics.in_flight();
                tokio::select! {
                    response = next.run(request) => return response,
                    () = self.must_go(account) => {}
                }
                self.metrics.shed("slow");
                return Problem::too_slow().into_response();
            }
            Err(refused) => refused.name(),
        };
        self.metrics.shed(reason);
        Problem::overloaded().into_response()
    }
}

/// Waits for a place, not for long. Whose request it is has been found out before: nobody else waits, nor takes a place.
pub async fn wait_for_a_place(
    State(in_flight): State<Arc<InFlight>>,
    Extension(account): Extension<Account>,
    request: Request,
    next: Next,
) -> Response {
    in_flight.answer(account, request, next).await
}

/// What the Actions door asks of a request before it is answered.
pub struct Entrance {
    pub services: Arc<Services>,
    pub in_flight: Arc<InFlight>,
}

/// Finds out whose request it is, and then waits for a place: one layer for both, since each copies what is within it for each
/// request.
pub async fn enter_actions(
    State(entrance): State<Arc<Entrance>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let account = action::open_bearer(&entrance.services, &mut request)?;
    Ok(entrance.in_flight.answer(account, request, next).await)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use futures_util::future::join_all;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    use super::*;
    use crate::clock::{Clock, Stopwatch};

    const PLACES: usize = 8;

    /// A gateway whose `/` is answered at once, `/work` after 300 ms, and `/slow` never.
    fn app() -> Router {
        let in_flight = Arc::new(InFlight::new(PLACES, Metrics::new(&Clock::system())));
        let routes = Router::new()
            .route("/", get(|| async { "well" }))
            .route("/work", get(|| sleep(Duration::from_millis(300))))
            .route("/slow", get(pending::<()>));
        routes.layer(from_fn_with_state(in_flight, wait_for_a_place))
    }

    async fn ask(app: Router, person: usize, path: &'static str) -> u16 {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(Account::of_holder(&person.to_be_bytes()));
        app.oneshot(request).await.unwrap().status().as_u16()
    }

    fn ask_at_once(app: &Router, person: usize, path: &'static str, times: usize) -> JoinSet<u16> {
        (0..times).map(|_| ask(app.clone(), person, path)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_requests_of_one_person_hold_up_nobody_else() {
        let app = app();
        let crowd = ask_at_once(&app, 0, "/work", 1_000);
        sleep(Duration::from_millis(10)).await;
        for person in 1..100 {
            let began = Stopwatch::start();
            assert_eq!(ask(app.clone(), person, "/work").await, 200);
            assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        }
        let began = Stopwatch::start();
        let answers = crowd.join_all().await;
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(answers.iter().all(|answer| [200, 503].contains(answer)));
        assert!(answers.iter().filter(|answer| **answer == 200).count() >= PLACES / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_hang_within_seconds_others_are_answered() {
        let app = app();
        let mut hanging: Vec<_> = (0..4).map(|person| ask_at_once(&app, person, "/slow", PLACES)).collect();
        for _ in 0..3 {
            sleep(PROMPT + AGAIN).await;
            for answer in join_all((4..100).map(|person| ask(app.clone(), person, "/"))).await {
                assert_eq!(answer, 200);
            }
        }
        for hanging in &mut hanging {
            while let Some(answer) = hanging.try_join_next() {
                assert!([503, 504].contains(&answer.unwrap()), "no place, or too slow");
            }
        }
        let left: usize = hanging.iter().map(JoinSet::len).sum();
        assert!((PLACES / 2..PLACES).contains(&left), "{left} are left");
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_of_one_person_leaves_half_of_their_own_share() {
        let app = app();
        let mut hanging = ask_at_once(&app, 0, "/slow", PLACES);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(ask(app.clone(), 0, "/").await, 503);
        sleep(PROMPT + AGAIN).await;
        assert_eq!(ask(app, 0, "/").await, 200);
        while hanging.try_join_next().is_some() {}
        assert!((PLACES / 4..PLACES / 2).contains(&hanging.len()), "{} are left", hanging.len());
    }

    #[tokio::test(start_paused = true)]
    async fn while_there_are_places_nothing_slow_has_to_go() {
        let app = app();
        let mut hanging: Vec<_> = (0..2).map(|person| ask_at_once(&app, person, "/slow", 3)).collect();
        sleep(PROMPT * 10).await;
        assert!(hanging.iter_mut().all(|hanging| hanging.try_join_next().is_none()));
        assert_eq!(ask(app, 2, "/").await, 200);
    }
}
