//! What Atlassian can do to people who ask.

use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind};
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::support::World;
use crate::visitors::{Outcome, Visit, Visitors, told};

/// No answer takes longer.
const SLOWEST: Duration = Duration::from_secs(40);
/// So long after a fault's end everybody is answered again.
const RECOVERY: Duration = Duration::from_secs(5);
/// For so long everybody has to be answered rightly before trouble is over.
const CALM: Duration = Duration::from_millis(1500);
/// How many requests may be under way when all is well.
const AT_ONCE: usize = 30;
/// Longer than an access token of Atlassian's is good for.
const A_TOKEN: Duration = Duration::from_secs(3700);
/// What the gateway may take of the machine's memory, in MB.
const MEMORY: u64 = 250;

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, headers: Vec::new(), body: "{\"message\":\"upstream\"}".to_owned() }
}

/// What goes wrong.
enum Trouble {
    Fault(FaultKind),
    /// Atlassian's access tokens have run out, and the gateway does not know.
    Expired,
    /// Bob has removed the app from his account; later he signs in again.
    Revoked,
}

fn troubles() -> Vec<(&'static str, Trouble)> {
    let half = |kind| FaultKind::Half(Box::new(kind));
    let faults = [
        ("none", FaultKind::Slow(Duration::ZERO)),
        ("reset", FaultKind::Reset),
        ("truncated", FaultKind::CutOff),
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
    ];
    let faults = faults.into_iter().map(|(name, kind)| (name, Trouble::Fault(kind)));
    faults.chain([("expired tokens", Trouble::Expired), ("revoked tokens", Trouble::Revoked)]).collect()
}

/// Each trouble once, or those of these names. What should not have been is handed back.
pub async fn run(world: &World, binary: &str, lasting: Duration, names: &[String]) -> Vec<String> {
    let gateway = Gateway::start(world, binary, &[]).await;
    let visitors = Visitors::new(&world.at(gateway.url.clone()), &["alice", "bob"]).await;
    println!("idle: {} MB", gateway.memory());
    let mut mistakes = Vec::new();
    for (name, trouble) in troubles().into_iter().filter(|(name, _)| super::is_wanted(name, names)) {
        gateway.most_memory();
        let visits = under(&visitors, world, &trouble, lasting).await;
        let (memory, most) = (gateway.memory(), gateway.most_memory());
        let recovered = recovered(&visits, lasting);
        println!(
            "{name}: {}; recovered after {recovered:.1?}; {memory} MB, {most} at the most",
            told(&visits)
        );
        mistakes.extend(judge(name, &visits, recovered, most));
        if matches!(trouble, Trouble::Revoked)
            && visits.iter().any(|visit| visit.person != "bob" && visit.outcome != Outcome::Right)
        {
            mistakes.push(format!("{name}: others felt it"));
        }
        if !visitors.renew().await {
            mistakes.push(format!("{name}: a session is lost"));
        }
        world.sandbox.forget_calls();
    }
    mistakes
}

/// People ask while the trouble lasts, and until they have been answered rightly for a while.
async fn under(visitors: &Visitors, world: &World, trouble: &Trouble, lasting: Duration) -> Vec<Visit> {
    let events = async {
        begin(world, trouble);
        sleep(lasting).await;
        end(world, visitors, trouble).await;
    };
    let asking = visitors.ask_until(|time, visits, sent| {
        let after: Vec<&Visit> = visits.iter().filter(|visit| visit.sent > lasting).collect();
        let last = after.iter().filter(|visit| visit.outcome != Outcome::Right).map(|visit| visit.sent).max();
        let is_calm = time > last.unwrap_or(lasting) + CALM && visits.len() + AT_ONCE > sent;
        is_calm || time > lasting + RECOVERY + CALM
    });
    tokio::join!(asking, events).0
}

fn begin(world: &World, trouble: &Trouble) {
    match trouble {
        Trouble::Fault(kind) => {
            let fault = Fault { path_contains: "/".to_owned(), times: usize::MAX, kind: kind.clone() };
            world.sandbox.inject(fault);
        }
        Trouble::Expired => world.clock.advance(A_TOKEN),
        Trouble::Revoked => world.sandbox.revoke("bob"),
    }
}

async fn end(world: &World, visitors: &Visitors, trouble: &Trouble) {
    match trouble {
        Trouble::Fault(_) => world.sandbox.clear_faults(),
        Trouble::Expired => drop(visitors.renew().await),
        Trouble::Revoked => visitors.sign_in("bob").await,
    }
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
