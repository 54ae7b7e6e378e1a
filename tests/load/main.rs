//! What has to be at load: a binary as it is shipped, before the sandbox. `tests/load/run` starts it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod faults;
mod gateway;
#[path = "../it/support/mod.rs"]
mod support;
mod visitors;

use std::time::Duration;

use support::World;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, seconds, names @ ..] = arguments.as_slice() else {
        println!("usage: tests/load/run BINARY [SECONDS [FAULT…]]");
        return;
    };
    let lasting = Duration::from_secs(seconds.parse().expect("a number of seconds"));
    let world = World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net")]).await;
    gateway::keep_time(&world);
    world.sandbox.allow_points(1_000_000_000);
    let mistakes = faults::run(&world, binary, lasting, names).await;
    for mistake in &mistakes {
        println!("WRONG: {mistake}");
    }
    std::process::exit(i32::from(!mistakes.is_empty()));
}
