//! Clients that mean harm, each kind at full strength, while good clients ask at both doors.

mod attacks;
mod guests;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::gateway::Gateway;
use crate::is_wanted;
use crate::support::World;
use crate::visitors::{Outcome, Visit, Visitors};
use attacks::Attack;
use guests::Guests;
use target::Target;

/// No good client waits longer for an answer, however many mean harm.
const SLOWEST: Duration = Duration::from_secs(10);
/// What the gateway may take of the machine's memory, whatever is done to it, in MB. `infra/threat-model.md` has what of.
const MEMORY: u64 = 384;

/// What came of what hostile clients did, by kind of answer.
type Tally = Arc<Mutex<BTreeMap<String, u64>>>;

/// Each attack once, or those of these names. What should not have been is handed back.
pub async fn run(world: &World, binary: &str, lasting: Duration, names: &[String]) -> Vec<String> {
    let gateway = Gateway::start(world, binary, &[]).await;
    let world = &world.at(gateway.url.clone());
    let visitors = Visitors::new(world, &["alice", "bob"]).await;
    let guests = Guests::new(world, "alice").await;
    let target = Arc::new(Target::new(world).await);
    let mut mistakes = Vec::new();
    for attack in attacks::all().into_iter().filter(|attack| is_wanted(attack.name, names)) {
        let tally = Tally::default();
        let siege = besiege(&attack, &target, &tally);
        let asking = visitors.clone().ask_while(sleep(lasting));
        let (visits, wrong) = tokio::join!(asking, guests.ask_for(lasting));
        drop(siege);
        let memory = gateway.most_memory();
        let counts = std::mem::take(&mut *tally.lock().unwrap());
        println!("{}: {}; {memory} MB at the most", attack.name, told(&visits, &counts, lasting));
        mistakes.extend(judge(&attack, &visits, &counts, lasting, memory));
        mistakes.extend(wrong.into_iter().take(3).map(|wrong| format!("{}: at /mcp: {wrong}", attack.name)));
        world.sandbox.forget_calls();
        sleep(Duration::from_secs(1)).await;
    }
    mistakes
}

/// Begins an attack; it ends when what is handed back is dropped.
fn besiege(attack: &Attack, target: &Arc<Target>, tally: &Tally) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for number in 0..attack.clients {
        let (target, tally, act, pause) = (target.clone(), tally.clone(), attack.act, attack.pause);
        clients.spawn(async move {
            // They do not come in step.
            sleep(pause * u32::try_from(number % 100).unwrap() / 100).await;
            let mut ticks = interval(pause);
            loop {
                ticks.tick().await;
                let came = act(target.clone(), number).await;
                let mut tally = tally.lock().unwrap();
                for (what, count) in came {
                    *tally.entry(what).or_default() += count;
                }
            }
        });
    }
    clients
}

fn judge(
    attack: &Attack,
    visits: &[Visit],
    counts: &BTreeMap<String, u64>,
    lasting: Duration,
    memory: u64,
) -> Vec<String> {
    let name = attack.name;
    let bad = visits.iter().filter(|visit| visit.outcome != Outcome::Right || visit.took > SLOWEST);
    let mut mistakes: Vec<String> = bad.map(|visit| format!("{name}: {visit:?}")).take(3).collect();
    if memory > MEMORY {
        mistakes.push(format!("{name}: {memory} MB"));
    }
    let unheard = |(what, _): &(&String, &u64)| !attack.answers.contains(&what.as_str());
    for (what, count) in counts.iter().filter(unheard) {
        mistakes.push(format!("{name}: {count} × {what}"));
    }
    let done: u64 = counts.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "as a rate it need not be exact")]
    if (done as f64) < attack.least_a_second * lasting.as_secs_f64() {
        mistakes.push(format!("{name}: it came to {done} answers alone, which proves little"));
    }
    mistakes
}

fn told(visits: &[Visit], counts: &BTreeMap<String, u64>, lasting: Duration) -> String {
    let right = visits.iter().filter(|visit| visit.outcome == Outcome::Right).count();
    let slowest = visits.iter().map(|visit| visit.took).max().unwrap_or_default();
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    format!(
        "{} within {lasting:.0?}; {right} of {} good answers, slowest {slowest:.1?}",
        counts.join(", "),
        visits.len()
    )
}
