//! What another process uses, from `/proc` (proc(5)).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(u32);

/// Why nothing is known of a process.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It is gone, or there is no `/proc`.
    #[error("process {pid}: {error}")]
    Gone {
        /// Its id.
        pid: u32,
        /// Why.
        error: io::Error,
    },
    /// `/proc` has another form than proc(5) says.
    #[error("process {0}: /proc is not in the form of proc(5)")]
    Form(u32),
}

/// Ticks a second in `/proc/PID/stat`: sysconf(_SC_CLK_TCK), which the Linux ABI fixes at 100 on every
/// architecture but Alpha.
const USER_HZ: u64 = 100;

impl Process {
    /// The process `pid`.
    pub const fn new(pid: u32) -> Self {
        Self(pid)
    }

    /// CPU time of all its threads so far, in user and kernel.
    pub fn cpu_time(self) -> Result<Duration, ProcessError> {
        let stat = self.read("stat")?;
        let ticks = cpu_ticks(&stat).ok_or(ProcessError::Form(self.0))?;
        Ok(Duration::from_millis(ticks * 1_000 / USER_HZ))
    }

    /// Resident memory in KiB.
    pub fn resident_kib(self) -> Result<u64, ProcessError> {
        let status = self.read("status")?;
        resident(&status).ok_or(ProcessError::Form(self.0))
    }

    fn read(self, file: &str) -> Result<String, ProcessError> {
        let path: PathBuf = ["/proc", &self.0.to_string(), file].iter().collect();
        std::fs::read_to_string(path).map_err(|error| ProcessError::Gone { pid: self.0, error })
    }
}

/// Fields 14 and 15, utime and stime. The name in field 2 may hold spaces and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut ticks = behind_name.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(ticks.next()?.ok()? + ticks.next()?.ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 200";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_found_among_the_others() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  30 kB\nVmRSS:\t   20 kB\n"), Some(20));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        // Beyond the kernel's greatest process id, 2^22.
        assert!(matches!(Process::new(u32::MAX).cpu_time(), Err(ProcessError::Gone { .. })));
        assert!(Process::new(std::process::id()).resident_kib().is_ok_and(|kib| kib > 0));
    }
}
