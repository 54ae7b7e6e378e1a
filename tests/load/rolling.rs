//! Replicas come and go while people ask, and the sealing key changes with them: nobody notices.

use std::time::Duration;

use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::proxy::Proxy;
use crate::support::{World, secret};
use crate::visitors::{Outcome, Visitors};

const REPLICAS: usize = 2;

/// Every replica is replaced while people ask, by what has the same configuration. What should not have been is handed back.
pub async fn replace_all(world: &World, binary: &str, pause: Duration) -> Vec<String> {
    roll(world, binary, pause, "replicas leave", &[secret(1)]).await
}

/// The key is changed in three updates, as the README says, while people ask and renew their sign-ins.
pub async fn change_keys(world: &World, binary: &str, pause: Duration) -> Vec<String> {
    let (old, new) = (secret(1), secret(2));
    let updates = [format!("{old},{new}"), format!("{new},{old}"), new];
    roll(world, binary, pause, "the key changes", &updates).await
}

/// Rolls each of `updates` of `CAUSEWAY_SECRET` over the replicas.
async fn roll(world: &World, binary: &str, pause: Duration, name: &str, updates: &[String]) -> Vec<String> {
    let proxy = Proxy::start(world).await;
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let replica = Gateway::start(world, binary, &[]).await;
        proxy.add(&replica.url);
        replicas.push(replica);
    }
    let visitors = Visitors::new(&world.at(proxy.url.clone()), &["alice", "bob"]).await;
    let mut mistakes = Vec::new();
    let asking = visitors.clone().ask_while(async {
        for keys in updates {
            // Whoever comes back in the months between two updates has renewed their sign-in.
            if !visitors.renew().await {
                mistakes.push(format!("{name}: a session is lost"));
            }
            for _ in 0..REPLICAS {
                let update = Gateway::start(world, binary, &[("CAUSEWAY_SECRET", keys)]).await;
                proxy.add(&update.url);
                replicas.push(update);
                let leaving = replicas.remove(0);
                sleep(pause).await;
                let left = leaving.leave().await;
                if !left.success() {
                    mistakes.push(format!("{name}: a replica left with {left}"));
                }
                if !visitors.renew().await {
                    mistakes.push(format!("{name}: a session is lost"));
                }
            }
        }
    });
    let visits = asking.await;
    println!("{name}: {}", crate::visitors::told(&visits));
    let bad = visits.iter().filter(|visit| visit.outcome != Outcome::Right);
    mistakes.extend(bad.map(|visit| format!("{name}: {visit:?}")).take(3));
    mistakes
}
