//! Atlassian fails in every way it can while people ask.

use std::collections::BTreeMap;
use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind};
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::support::World;
use crate::visitors::{Outcome, Visit, Visitors};

/// No answer takes longer.
const SLOWEST: Duration = Duration::from_secs(40);
/// So long after a fault's end everybody is answered again.
const RECOVERY: Duration = Duration::from_secs(5);
/// What the gateway may take of the machine's memory, in MB.
const MEMORY: u64 = 400;

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, headers: Vec::new(), body: "{\"message\":\"upstream\"}".to_owned() }
}

fn faults() -> Vec<(&'static str, FaultKind)> {
    let half = |kind| FaultKind::Half(Box::new(kind));
    vec![
        ("none", FaultKind::Slow(Duration::ZERO)),
        ("reset", FaultKind::Reset),
        ("wrong length", FaultKind::TruncatedBody),
        ("stops in the middle", FaultKind::Stall),
        ("slow first byte", FaultKind::Slow(Duration::from_millis(1500))),
        ("no first byte", FaultKind::Hang),
        ("slow body", FaultKind::Trickle),
        ("429 without a wait", status(429)),
        ("429 with a wait", FaultKind::TooManyRequests(2)),
        ("500", status(500)),
        ("502", status(502)),
        ("503", status(503)),
        ("401, as of an expired token", status(401)),
        ("malformed JSON", FaultKind::MalformedJson),
        ("huge body", FaultKind::HugeBody),
        ("huge compressed body", FaultKind::HugeGzip),
        ("half 503", half(status(503))),
        ("half without a first byte", half(FaultKind::Hang)),
        ("half reset", half(FaultKind::Reset)),
    ]
}

/// Each fault once, or those of these names. What should not have been is handed back.
pub async fn run(world: &World, binary: &str, lasting: Duration, names: &[String]) -> Vec<String> {
    let gateway = Gateway::start(world, binary).await;
    let mut visitors = Visitors::new(&gateway.world, &["alice", "bob"]).await;
    let mut mistakes = Vec::new();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    for (name, kind) in faults().into_iter().filter(|(name, _)| wanted(name)) {
        let visits = under(&visitors, world, kind, lasting).await;
        let memory = gateway.memory();
        let recovered = recovered(&visits, lasting);
        println!("{name}: {}; recovered after {recovered:.1?}, {memory} MB", told(&visits));
        mistakes.extend(judge(name, &visits, recovered, memory));
        if !visitors.are_signed_in().await {
            mistakes.push(format!("{name}: a session is lost"));
        }
        world.sandbox.forget_calls();
    }
    mistakes
}

/// People ask while the fault lasts and for somewhat longer.
async fn under(visitors: &Visitors, world: &World, kind: FaultKind, lasting: Duration) -> Vec<Visit> {
    let fault = Fault { path_contains: "/".to_owned(), times: usize::MAX, kind };
    world.sandbox.inject(fault);
    let sandbox = world.sandbox.clone();
    tokio::spawn(async move {
        sleep(lasting).await;
        sandbox.clear_faults();
    });
    visitors.ask_for(lasting + RECOVERY + Duration::from_secs(1)).await
}

/// How long after the fault's end somebody was not answered for the last time.
fn recovered(visits: &[Visit], lasting: Duration) -> Duration {
    let last = visits.iter().filter(|visit| visit.outcome != Outcome::Right).map(|visit| visit.sent).max();
    last.unwrap_or_default().saturating_sub(lasting)
}

fn judge(name: &str, visits: &[Visit], recovered: Duration, memory: u64) -> Vec<String> {
    let mut mistakes = Vec::new();
    let bad = visits.iter().filter(|visit| match &visit.outcome {
        Outcome::Wrong(_) | Outcome::Broken(_) => true,
        Outcome::Right | Outcome::Problem(..) => visit.took > SLOWEST,
    });
    mistakes.extend(bad.map(|visit| format!("{name}: {visit:?}")).take(3));
    if recovered > RECOVERY {
        mistakes.push(format!("{name}: recovered only after {recovered:.1?}"));
    }
    if memory > MEMORY {
        mistakes.push(format!("{name}: {memory} MB"));
    }
    mistakes
}

fn told(visits: &[Visit]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for visit in visits {
        let outcome = match &visit.outcome {
            Outcome::Right => "right".to_owned(),
            Outcome::Problem(status, kind) => format!("{status} {kind}"),
            Outcome::Wrong(_) => "WRONG".to_owned(),
            Outcome::Broken(_) => "BROKEN".to_owned(),
        };
        *counts.entry(outcome).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let slowest = visits.iter().map(|visit| visit.took).max().unwrap_or_default();
    format!("{}; slowest {slowest:.1?}", counts.join(", "))
}
