//! What has to be at load: a binary as it is shipped, before the sandbox. `tests/load/run` starts it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod faults;
mod gateway;
mod hostile;
mod large_pages;
mod proxy;
mod rolling;
mod shares;
#[path = "../it/support/mod.rs"]
mod support;
mod visitors;

use std::time::Duration;

use support::World;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, seconds, names @ ..] = arguments.as_slice() else {
        println!("usage: tests/load/run BINARY [SECONDS [NAME… | hostile [ATTACK…]]]");
        return;
    };
    let lasting = Duration::from_secs_f64(seconds.parse().expect("a number of seconds"));
    let world = World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net")]).await;
    gateway::keep_time(&world);
    world.sandbox.allow_points(1_000_000_000);
    let mistakes = match names {
        [first, names @ ..] if first == "hostile" => hostile::run(&world, binary, lasting, names).await,
        names => troubles(&world, binary, lasting, names).await,
    };
    for mistake in &mistakes {
        println!("WRONG: {mistake}");
    }
    std::process::exit(i32::from(!mistakes.is_empty()));
}

/// What goes wrong at Atlassian's, what operators do, and what people ask for all at once.
async fn troubles(world: &World, binary: &str, lasting: Duration, names: &[String]) -> Vec<String> {
    let mut mistakes = faults::run(world, binary, lasting, names).await;
    if is_wanted("replicas leave", names) {
        mistakes.extend(rolling::replace_all(world, binary, lasting).await);
    }
    if is_wanted("the key changes", names) {
        mistakes.extend(rolling::change_keys(world, binary, lasting).await);
    }
    if is_wanted("large pages", names) {
        mistakes.extend(large_pages::run(world, binary).await);
    }
    mistakes.extend(shares::run(world, binary, lasting, names).await);
    mistakes
}

/// Whether a scene of this name is to be seen: all are when none is named.
fn is_wanted(name: &str, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|wanted| wanted == name)
}
