//! The gateway's side: one child for each file, a few at a time, each alive only as long as somebody waits for it. Nobody has
//! more than half of them, and what was too much once is not read again for a while.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::{Extracted, Failure, Job};
use crate::atlassian::Account;
use crate::config;
use crate::fair::{FairPool, Permit, Shares};
use crate::memo::Memo;

/// The fewest and the most children at a time; in between, as many as there are processors.
const FEWEST: usize = 2;
const MOST: usize = 8;
/// How many files may wait for each child.
const WAITING: usize = 16;
/// How many times its computing time a child may take by the clock on the wall, since it gives way to everything else.
const WALL_TIME: u32 = 3;
/// How many files that were too much are remembered, and for how long.
const REMEMBERED: u64 = 10_000;
const FOR_SO_LONG: Duration = Duration::from_secs(10 * 60);
/// The allocator would lay a gigabyte of address space aside before the child can limit itself, and none of it would count.
const NO_RESERVE: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");
/// The longest answer of a child, in bytes: a part of a text is far below it.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// Starts the processes that read files. A clone shares the places.
#[derive(Clone)]
pub struct Extractor {
    config: config::Extraction,
    places: FairPool<Account>,
    too_much: Memo<()>,
}

/// One file that is being read. Whoever drops it ends its process.
pub struct Extraction {
    child: Child,
    /// Closed when the child has made up its mind before the end of the file.
    input: Option<ChildStdin>,
    patience: Duration,
    _place: Permit<Account>,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    #[error("too many files are being read")]
    Busy,
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The gateway's own fault. The cause is for the log.
    #[error("no process: {0}")]
    Internal(String),
}

impl Extractor {
    pub fn new(config: config::Extraction) -> Self {
        let processors = std::thread::available_parallelism().map_or(FEWEST, usize::from);
        let permits = processors.clamp(FEWEST, MOST);
        let shares = Shares { permits, of_one: permits / 2, waiting: permits * WAITING };
        Self { config, places: FairPool::new(shares), too_much: Memo::lasting(REMEMBERED, FOR_SO_LONG) }
    }

    /// A place for a process that reads a file for this person, who waits no longer than `patience`.
    pub async fn place(&self, account: Account, patience: Duration) -> Result<Permit<Account>, ProcessError> {
        self.places.acquire(account, 1, patience).await.map_err(|_| ProcessError::Busy)
    }

    /// Whether a file of this key was too much not long ago.
    pub async fn is_too_much(&self, key: &[u8]) -> bool {
        self.too_much.get(key).await.is_some()
    }

    /// Remembers that a file was too much.
    pub async fn remember_too_much(&self, key: Vec<u8>) {
        self.too_much.insert(key, ()).await;
    }

    /// Starts a process for a file, whose bytes it is then fed.
    pub async fn start(&self, job: &Job, place: Permit<Account>) -> Result<Extraction, ProcessError> {
        let program = self.config.program.as_ref().ok_or_else(|| internal("its program is not known"))?;
        let mut child = Command::new(program)
            .arg("extract")
            .args(["--memory", &self.config.memory.to_string()])
            .args(["--cpu-seconds", &self.config.cpu.as_secs().to_string()])
            .env_clear()
            .envs([NO_RESERVE])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(internal)?;
        let input = child.stdin.take();
        let patience = self.config.cpu * WALL_TIME;
        let mut extraction = Extraction { child, input, patience, _place: place };
        let mut line = serde_json::to_vec(job).map_err(internal)?;
        line.push(b'\n');
        extraction.feed(&line).await;
        Ok(extraction)
    }
}

impl Extraction {
    /// Hands over the next bytes of the file.
    pub async fn feed(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input
            && input.write_all(bytes).await.is_err()
        {
            self.input = None;
        }
    }

    /// The answer, once all bytes have been handed over. A child that takes too long for it is ended.
    pub async fn finish(mut self) -> Result<Extracted, ProcessError> {
        drop(self.input.take());
        let patience = self.patience;
        let answer = timeout(patience, self.answer()).await;
        answer.unwrap_or(Err(ProcessError::Failed(Failure::TooMuch)))
    }

    async fn answer(&mut self) -> Result<Extracted, ProcessError> {
        let output = self.child.stdout.take().ok_or_else(|| internal("no output"))?;
        let mut answer = Vec::new();
        output.take(LONGEST_ANSWER).read_to_end(&mut answer).await.map_err(internal)?;
        let status = self.child.wait().await.map_err(internal)?;
        match serde_json::from_slice::<Result<Extracted, Failure>>(&answer) {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(judge(status)),
        }
    }
}

/// A child that ends without an answer was ended by its limits, or could not even begin.
fn judge(status: ExitStatus) -> ProcessError {
    match status.code() {
        None => ProcessError::Failed(Failure::TooMuch),
        Some(code) => internal(format!("it ended with {code}")),
    }
}

#[allow(clippy::needless_pass_by_value)]
fn internal(cause: impl ToString) -> ProcessError {
    ProcessError::Internal(cause.to_string())
}
