//! A gateway in a process of its own.

use std::process::Stdio;
use std::time::Duration;

use causeway::clock::Clock;
use tokio::process::{Child, Command};
use tokio::time::{interval, sleep};

use crate::support::World;

/// A running binary; it ends with this.
pub struct Gateway {
    child: Child,
    /// The world, its gateway this one.
    pub world: World,
}

impl Gateway {
    /// Starts the binary on a free port, with the configuration of `world`.
    pub async fn start(world: &World, binary: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .envs(&world.env)
            .env("CAUSEWAY_LISTEN", &listen)
            .env("CAUSEWAY_LOG", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let world = world.at(format!("http://{listen}"));
        while world.http.get(format!("{}/healthz", world.url)).send().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        Self { child, world }
    }

    /// What it has of the machine's memory, in MB.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/statm", self.child.id().unwrap());
        let pages = std::fs::read_to_string(path).unwrap();
        pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096 / 1_000_000
    }
}

/// The sandbox's clock goes as the machine's, which the binary has.
pub fn keep_time(world: &World) {
    let (clock, real) = (world.clock.clone(), Clock::system());
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            let behind = real.now().as_millisecond() - clock.now().as_millisecond();
            clock.advance(Duration::from_millis(u64::try_from(behind).unwrap_or(0)));
            ticks.tick().await;
        }
    });
}
