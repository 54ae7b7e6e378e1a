//! What the process that reads a file may use. It takes the limits upon itself, and none of them can be lifted again.

use std::time::Duration;

/// Limits of one child.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Address space, in bytes.
    pub memory: u64,
    /// Computing time, in whole seconds.
    pub cpu: Duration,
}

/// How much this process gives way to others, the gateway first of all: it computes when nobody else wants to.
#[cfg(unix)]
const NICENESS: i32 = 5;

/// Takes the limits upon this process: memory, computing time, and nothing that could be opened, written or left behind.
#[cfg(unix)]
pub fn take(limits: Limits) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    /// Standard input, output and error: no other file, no socket, no pipe.
    const DESCRIPTORS: u64 = 3;
    let both = |value| Rlimit { current: Some(value), maximum: Some(value) };
    let set = |resource, value| {
        setrlimit(resource, both(value)).map_err(|error| format!("a limit cannot be set: {error}"))
    };
    // What cannot be more polite than it is reads all the same.
    rustix::process::nice(NICENESS).unwrap_or_default();
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)?;
    set(Resource::Nofile, DESCRIPTORS)?;
    set(Resource::Cpu, limits.cpu.as_secs().max(1))?;
    // Elsewhere than on Linux it is not enforced, or less than what every process has.
    let memory = set(Resource::As, limits.memory);
    if cfg!(target_os = "linux") { memory } else { Ok(()) }
}

#[cfg(not(unix))]
pub fn take(_: Limits) -> Result<(), String> {
    Err("files are read on Unix only, where a process can be limited".to_owned())
}
