//! What one person, or strangers, ask for all at once, and what that does to somebody who asks for little.

mod crowds;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use causeway::clock::Stopwatch;
use reqwest::RequestBuilder;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::gateway::Gateway;
use crate::is_wanted;
use crate::support::{Session, World};
use crowds::{Crowd, all};

/// How often a scene is seen again when it went wrong: the machine may have had something else to do.
const TRIES: usize = 3;
/// How long all but one in a hundred of the second person's requests may take, and the fewest that say something.
const FEWEST: u32 = 20;
const P99: Duration = Duration::from_secs(1);
/// Whoever is not answered is told so within this time.
const TOLD: Duration = Duration::from_secs(5);
/// What the gateway may take of the machine's memory, in MB.
const MEMORY: u64 = 250;

/// What one request came to.
pub struct Came {
    status: u16,
    took: Duration,
    says_when: bool,
}

/// Each scene, or those of these names. What should not have been is handed back.
pub async fn run(world: &World, binary: &str, lasting: Duration, names: &[String]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for crowd in all().into_iter().filter(|crowd| is_wanted(crowd.name, names)) {
        let mut wrong = Vec::new();
        for _ in 0..TRIES {
            wrong = see(world, binary, lasting, &crowd).await;
            if wrong.is_empty() {
                break;
            }
            wrong.iter().for_each(|wrong| println!("{}: {wrong}", crowd.name));
        }
        mistakes.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", crowd.name)));
    }
    mistakes
}

/// A crowd comes while somebody else asks for little.
async fn see(world: &World, binary: &str, lasting: Duration, crowd: &Crowd) -> Vec<String> {
    let gateway = Gateway::start(world, binary, &[]).await;
    let world = &world.at(gateway.url.clone());
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    let small = (crowd.small)(world, &bob).await;
    ask(small.try_clone().unwrap()).await;
    let requests = (crowd.prepare)(world, &alice).await;
    world.sandbox.forget_calls();
    gateway.most_memory();
    let over = Arc::new(AtomicBool::new(false));
    let others = tokio::spawn(ask_for_little(small, crowd.rate, over.clone()));
    let came = come(requests, crowd, lasting).await;
    over.store(true, Ordering::Relaxed);
    let mut others = others.await.unwrap();
    others.sort_by_key(|other| other.took);
    let memory = gateway.most_memory();
    let calls = world.sandbox.calls();
    let strange =
        calls.iter().filter(|call| crowd.is_strange && call.person.as_deref() != Some("bob")).count();
    world.sandbox.clear_faults();
    println!("{}: {}; {memory} MB at the most", crowd.name, told(&came, &others));
    judge(crowd, &came, &others, memory, strange)
}

/// All of these at once, as often as time allows, at least once.
async fn come(requests: Vec<RequestBuilder>, crowd: &Crowd, lasting: Duration) -> Vec<Came> {
    let began = Stopwatch::start();
    let mut clients = JoinSet::new();
    for request in requests {
        let read = crowd.reads;
        clients.spawn(async move {
            let mut came = Vec::new();
            while came.is_empty() || began.elapsed() < lasting {
                let again = request.try_clone().unwrap();
                came.extend(if read { Some(ask(again).await) } else { hold(again, lasting).await });
                if !read {
                    break;
                }
            }
            came
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

async fn ask(request: RequestBuilder) -> Came {
    let began = Stopwatch::start();
    let answer = request.timeout(Duration::from_secs(60)).send().await;
    let Ok(answer) = answer else { return Came { status: 0, took: began.elapsed(), says_when: false } };
    let (status, says_when) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let whole = answer.bytes().await.is_ok();
    Came { status: if whole { status } else { 0 }, took: began.elapsed(), says_when }
}

/// Asks, and takes nothing of the answer but its head.
async fn hold(request: RequestBuilder, lasting: Duration) -> Option<Came> {
    let began = Stopwatch::start();
    let answer = request.send().await.ok()?;
    let (status, took) = (answer.status().as_u16(), began.elapsed());
    let says_when = answer.headers().contains_key("retry-after");
    sleep(lasting.max(Duration::from_secs(4))).await;
    Some(Came { status, took, says_when })
}

/// The same so many times a second, whether or not the one before is answered.
async fn ask_for_little(request: RequestBuilder, rate: u32, over: Arc<AtomicBool>) -> Vec<Came> {
    let (mut ticks, mut under_way, mut sent) = (interval(Duration::from_secs(1) / rate), JoinSet::new(), 0);
    while !over.load(Ordering::Relaxed) || sent < FEWEST {
        ticks.tick().await;
        under_way.spawn(ask(request.try_clone().unwrap()));
        sent += 1;
    }
    under_way.join_all().await
}

fn p99(sorted: &[Came]) -> Duration {
    sorted.get((sorted.len() * 99).div_ceil(100).saturating_sub(1)).map_or(Duration::MAX, |came| came.took)
}

fn judge(crowd: &Crowd, came: &[Came], others: &[Came], memory: u64, strange: usize) -> Vec<String> {
    let mut mistakes = Vec::new();
    let refused = others.iter().filter(|other| other.status != 200).count();
    if refused > 0 || p99(others) > P99 {
        mistakes.push(format!(
            "of {} others {refused} are not answered, p99 {:.1?}",
            others.len(),
            p99(others)
        ));
    }
    let late = |came: &&Came| came.status == 503 && (came.took > TOLD || !came.says_when);
    if let Some(came) = came.iter().find(late) {
        mistakes.push(format!("503 after {:.1?}, Retry-After: {}", came.took, came.says_when));
    }
    if let Some(came) = came.iter().find(|came| !crowd.answers.contains(&came.status)) {
        mistakes.push(format!("{} after {:.1?}", came.status, came.took));
    }
    if memory > MEMORY {
        mistakes.push(format!("{memory} MB"));
    }
    if strange > 0 {
        mistakes.push(format!("{strange} calls for strangers reached Atlassian"));
    }
    mistakes
}

fn told(came: &[Came], others: &[Came]) -> String {
    let count = |status: u16| came.iter().filter(|came| came.status == status).count();
    let mut statuses: Vec<u16> = came.iter().map(|came| came.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let counts: Vec<String> =
        statuses.into_iter().map(|status| format!("{} × {status}", count(status))).collect();
    let slowest = came.iter().map(|came| came.took).max().unwrap_or_default();
    format!("{}, slowest {slowest:.1?}; {} others, p99 {:.0?}", counts.join(", "), others.len(), p99(others))
}

impl World {
    fn asked(&self, session: &Session, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url)).bearer_auth(&session.access_token)
    }
}
