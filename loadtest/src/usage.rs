use crate::process::{Process, ProcessError};
use crate::report::Server;
use ringway_frame::MediaTime;
use std::time::Duration;

/// What the server's process uses in the course of a run.
#[derive(Debug)]
pub struct Usage {
    process: Option<Process>,
    /// Resident memory before the first call.
    kib_before: u64,
    kib_most: u64,
    died: bool,
    calls_most: u64,
    /// While all calls are on.
    cpu: Option<Cpu>,
}

/// CPU time between two looks.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    first: (MediaTime, Duration),
    last: (MediaTime, Duration),
    /// Calls on, summed over the looks, for their mean.
    calls: u64,
    looks: u64,
}

impl Usage {
    /// No call is on yet; without a process nothing is measured.
    pub fn begin(process: Option<Process>) -> Result<Self, ProcessError> {
        let kib = process.map_or(Ok(0), Process::resident_kib)?;
        Ok(Self { process, kib_before: kib, kib_most: kib, died: false, calls_most: 0, cpu: None })
    }

    /// So many calls are on now; `all` of them, or the run is still ramping up.
    pub fn look(&mut self, now: MediaTime, all: bool, calls: u64) {
        let Some(process) = self.process else { return };
        match process.resident_kib() {
            Ok(kib) => {
                self.kib_most = self.kib_most.max(kib);
                self.calls_most = self.calls_most.max(calls);
            }
            // A process that nobody has waited for yet is there, but without memory.
            Err(_) => self.died = true,
        }
        if let Ok(cpu) = process.cpu_time()
            && all
        {
            self.add((now, cpu), calls);
        }
    }

    fn add(&mut self, look: (MediaTime, Duration), calls: u64) {
        let cpu = self.cpu.get_or_insert(Cpu { first: look, last: look, calls: 0, looks: 0 });
        cpu.last = look;
        cpu.calls += calls;
        cpu.looks += 1;
    }

    /// By call.
    pub fn sum_up(&self) -> Server {
        let grown = (self.kib_most - self.kib_before) as f64;
        let by_call =
            |total: f64, calls: f64| (calls > 0.0).then(|| (total / calls * 1_000.0).round() / 1_000.0);
        let cpu = self.cpu.and_then(|cpu| cpu.percent());
        Server {
            cpu_per_call: self.cpu.and_then(|cpu| by_call(cpu.percent()?, cpu.mean_calls())),
            cpu: cpu.map(|percent| (percent * 10.0).round() / 10.0),
            rss_per_call: self.process.and_then(|_| by_call(grown, self.calls_most as f64)),
            rss: self.process.map(|_| self.kib_most as f64),
            died: self.died,
        }
    }
}

impl Cpu {
    /// Of one core; `None` for a single look.
    fn percent(&self) -> Option<f64> {
        let wall = self.last.0.since(self.first.0);
        let used = self.last.1.saturating_sub(self.first.1);
        (!wall.is_zero()).then(|| used.as_secs_f64() / wall.as_secs_f64() * 100.0)
    }

    fn mean_calls(&self) -> f64 {
        self.calls as f64 / self.looks as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks of (ms of the run, ms of CPU, calls).
    fn usage(looks: &[(u64, u64, u64)]) -> Usage {
        let mut usage = Usage {
            process: Some(Process::new(1)),
            kib_before: 1_000,
            kib_most: 3_000,
            died: false,
            calls_most: 10,
            cpu: None,
        };
        for &(wall, cpu, calls) in looks {
            usage.add((MediaTime::from_millis(wall), Duration::from_millis(cpu)), calls);
        }
        usage
    }

    #[test]
    fn cpu_is_per_cent_of_a_core_a_call() {
        let server = usage(&[(5_000, 700, 10), (10_000, 800, 10), (15_000, 900, 10)]).sum_up();
        assert_eq!(server.cpu_per_call, Some(0.2));
        assert_eq!(server.rss_per_call, Some(200.0));
    }

    #[test]
    fn a_run_too_short_for_two_looks_has_no_figure() {
        assert_eq!(usage(&[]).sum_up().cpu_per_call, None);
        assert_eq!(usage(&[(5_000, 700, 10)]).sum_up().cpu_per_call, None);
    }

    #[test]
    fn without_a_call_nothing_is_divided() {
        let mut none = usage(&[(0, 0, 0), (1_000, 10, 0)]);
        none.calls_most = 0;
        let server = none.sum_up();
        assert_eq!((server.cpu_per_call, server.rss_per_call), (None, None));
    }

    #[test]
    fn a_process_that_ends_meanwhile_has_died() {
        let mut usage = usage(&[]);
        usage.process = Some(Process::new(u32::MAX));
        usage.look(MediaTime::from_millis(1_000), true, 10);
        assert!(usage.sum_up().died);
    }
}
