//! The gateway's side: one child for each file, a few at a time, each alive only as long as somebody waits for it.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Extracted, Failure, Job};
use crate::config;

/// The fewest and the most children at a time; in between, as many as there are processors.
const FEWEST: usize = 2;
const MOST: usize = 8;
/// How long a file may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// The allocator would lay a gigabyte of address space aside before the child can limit itself, and none of it would count.
const NO_RESERVE: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");
/// The longest answer of a child, in bytes: a part of a text is far below it.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// Starts the processes that read files. A clone shares the places.
#[derive(Clone)]
pub struct Extractor {
    config: config::Extraction,
    places: Arc<Semaphore>,
}

/// One file that is being read. Whoever drops it ends its process.
pub struct Extraction {
    child: Child,
    /// Closed when the child has made up its mind before the end of the file.
    input: Option<ChildStdin>,
    _place: OwnedSemaphorePermit,
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
        Self { config, places: Arc::new(Semaphore::new(processors.clamp(FEWEST, MOST))) }
    }

    /// Starts a process for a file, whose bytes it is then fed.
    pub async fn start(&self, job: &Job) -> Result<Extraction, ProcessError> {
        let program = self.config.program.as_ref().ok_or_else(|| internal("its program is not known"))?;
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or(ProcessError::Busy)?;
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
        let mut extraction = Extraction { child, input, _place: place };
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

    /// The answer, once all bytes have been handed over.
    pub async fn finish(mut self) -> Result<Extracted, ProcessError> {
        drop(self.input.take());
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
