//! Servers under test: processes of their own, on a core of their own where `taskset` is there.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running process, stopped when this goes.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    /// What nginx keeps beside its configuration.
    folder: Option<PathBuf>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx has a worker, which a killed master would leave behind.
        if self.folder.is_some() {
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().ok();
        } else {
            self.child.kill().ok();
        }
        self.child.wait().ok();
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).ok();
        }
    }
}

/// Which cores a process may use.
#[derive(Clone, Copy)]
pub enum Cores {
    /// The first: what is measured.
    First,
    /// All others: what measures, and the upstream.
    Others,
    All,
}

impl Cores {
    /// The list that `taskset` takes; none where there is one core alone or no `taskset`.
    pub fn list(self) -> Option<String> {
        let count = std::thread::available_parallelism().map_or(1, usize::from).max(cores_seen());
        let taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok();
        match self {
            _ if count < 2 || !taskset => None,
            Self::First => Some("0".to_owned()),
            Self::Others => Some(format!("1-{}", count - 1)),
            Self::All => None,
        }
    }

    fn command(self, program: &str) -> Command {
        match self.list() {
            Some(list) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &list, program]);
                command
            }
            None => Command::new(program),
        }
    }
}

/// How many cores the machine has, however few this process may use.
fn cores_seen() -> usize {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines().filter(|line| line.starts_with("processor")).count()
}

/// A free address on loopback.
pub fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Ourselves again, in another part.
pub fn ourselves(cores: Cores, part: &str, rest: &[&str]) -> Server {
    let address = free();
    let program = std::env::current_exe().unwrap();
    let mut command = cores.command(program.to_str().unwrap());
    command.args([part, &address.to_string()]).args(rest).env("LOAD_PINNED", "1");
    start(command, address, None)
}

/// The gateway: the release binary, as operators run it.
pub fn gateway(cores: Cores, upstream: SocketAddr, secret: &str, more: &[(&str, &str)]) -> Server {
    let address = free();
    let mut command = cores.command(env!("CARGO_BIN_EXE_causeway"));
    let upstream = format!("http://{upstream}");
    command.arg("serve").env_clear().envs([
        ("CAUSEWAY_PUBLIC_URL", format!("http://{address}").as_str()),
        ("CAUSEWAY_LISTEN", &address.to_string()),
        ("CAUSEWAY_SECRET", secret),
        ("CAUSEWAY_CLIENT_ID", super::CLIENT_ID),
        ("CAUSEWAY_CLIENT_SECRET", "a secret of the bench, which nobody uses"),
        ("CAUSEWAY_SITE", super::upstream::SITE),
        ("ATLASSIAN_CLIENT_ID", "bench"),
        ("ATLASSIAN_CLIENT_SECRET", "a secret of the bench"),
        ("ATLASSIAN_AUTH_URL", &upstream),
        ("ATLASSIAN_API_URL", &upstream),
    ]);
    command.envs(more.iter().copied());
    start(command, address, None)
}

/// `mcpo` before `mcp-atlassian`, with a token for Confluence Data Center; nothing is logged but errors.
pub fn mcpo(cores: Cores, upstream: SocketAddr, mcpo: &str, mcp_atlassian: &str) -> Server {
    let address = free();
    let mut command = cores.command(mcpo);
    command.args(["--host", "127.0.0.1", "--port", &address.port().to_string(), "--log-level", "ERROR"]);
    command.args(["--", mcp_atlassian]).envs([
        ("CONFLUENCE_URL", format!("http://{upstream}").as_str()),
        ("CONFLUENCE_PERSONAL_TOKEN", "a token of the bench"),
        ("ENABLED_TOOLS", "confluence_search,confluence_get_page"),
        ("READ_ONLY_MODE", "true"),
        ("MCP_LOGGING_STDOUT", "false"),
    ]);
    start(command, address, None)
}

/// nginx as a pass-through, when it is installed.
pub fn nginx(cores: Cores, upstream: SocketAddr) -> Option<Server> {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().ok()?;
    let address = free();
    let folder = std::env::temp_dir().join(format!("causeway-load-{}", address.port()));
    std::fs::create_dir_all(&folder).ok()?;
    let configuration = format!(
        "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
         fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
         keepalive_requests 1000000; proxy_buffers 32 16k; proxy_buffer_size 16k;\n\
         upstream there {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}\n\
         server {{ listen {address}; location / {{\n\
         proxy_pass http://there; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}\n",
        folder = folder.display()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration).ok()?;
    let mut command = cores.command("nginx");
    command.args(["-p", folder.to_str()?, "-c", file.to_str()?, "-e", "/dev/null"]);
    Some(start(command, address, Some(folder)))
}

fn start(mut command: Command, address: SocketAddr, folder: Option<PathBuf>) -> Server {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server { address, child, folder };
    let begin = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{address} does not come up");
        std::thread::sleep(Duration::from_micros(500));
    }
    server
}

impl Server {
    /// Its own process and those it started.
    fn processes(&self) -> Vec<u32> {
        let own = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }

    /// Seconds of processor time used so far.
    pub fn processor_seconds(&self) -> f64 {
        let of = |process: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
            let ticks = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
            ticks.sum::<f64>() / 100.0
        };
        self.processes().into_iter().map(of).sum()
    }

    /// Resident memory now, in MB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most resident memory so far, in MB.
    pub fn most_memory(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> f64 {
        let of = |process: u32| {
            let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix(field).map(str::to_owned));
            line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default()
        };
        self.processes().into_iter().map(of).sum::<f64>() * 1024.0 / 1e6
    }

    /// Asks it to leave, and waits until it has.
    pub fn terminate(mut self) -> bool {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().is_ok_and(|status| status.success())
    }
}
