//! A gateway in a process of its own.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use causeway::clock::Clock;
use tokio::process::{Child, Command};
use tokio::time::{interval, sleep};

use crate::support::World;

/// A running binary; it ends with this.
pub struct Gateway {
    child: Child,
    /// Its origin.
    pub url: String,
}

impl Gateway {
    /// Starts the binary on a free port, with the configuration of `world` and what is different.
    pub async fn start(world: &World, binary: &str, otherwise: &[(&str, &str)]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        // Whoever sets this wants to see what it says.
        let log = std::env::var("CAUSEWAY_LOG");
        let mut child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .envs(&world.env)
            .env("CAUSEWAY_LISTEN", &listen)
            .env("CAUSEWAY_LOG", log.as_deref().unwrap_or("warn"))
            .envs(otherwise.iter().copied())
            .stdout(Stdio::null())
            .stderr(if log.is_ok() { Stdio::inherit() } else { Stdio::null() })
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{listen}");
        while world.http.get(format!("{url}/healthz")).send().await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it ended: see what it says with CAUSEWAY_LOG=info");
            sleep(Duration::from_millis(20)).await;
        }
        Self { child, url }
    }

    /// What it has of the machine's memory, in MB.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most it has had since this was last asked, in MB.
    pub fn most_memory(&self) -> u64 {
        let most = self.status("VmHWM:");
        std::fs::write(format!("/proc/{}/clear_refs", self.id()), "5").unwrap();
        most
    }

    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024 / 1_000_000
    }

    fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Asks it to leave with SIGTERM, and waits until it has.
    pub async fn leave(mut self) -> ExitStatus {
        Command::new("kill").args(["-TERM", &self.id().to_string()]).status().await.unwrap();
        self.child.wait().await.unwrap()
    }
}

/// The sandbox's clock goes as the machine's, which the binary has, or is ahead of it.
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
