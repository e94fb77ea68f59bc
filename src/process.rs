//! What this process uses, from `/proc` (proc(5)), in Prometheus' text format and under the names that its clients share.
//!
//! The recorder of the other metrics counts in whole numbers, which is too coarse for seconds of CPU.

use std::fs;
use std::time::Duration;

/// Ticks a second in `/proc/self/stat`: sysconf(_SC_CLK_TCK), which the Linux ABI fixes at 100 on every architecture
/// but Alpha.
const USER_HZ: u64 = 100;

/// Both metrics; empty where there is no `/proc`.
pub fn render() -> String {
    let cpu = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_time(&stat));
    let memory = fs::read_to_string("/proc/self/status").ok().and_then(|status| resident(&status));
    let cpu = cpu.map(|time| {
        series("process_cpu_seconds_total", "counter", "CPU time of all threads.", time.as_secs_f64())
    });
    let memory = memory
        .map(|bytes| series("process_resident_memory_bytes", "gauge", "Resident memory.", bytes as f64));
    cpu.into_iter().chain(memory).collect()
}

/// Files that this process may still open; `None` where there is no `/proc`.
pub fn free_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(most_files(&limits)?.saturating_sub(open))
}

/// The soft limit.
fn most_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        limit => limit.parse().ok(),
    }
}

fn series(name: &str, kind: &str, help: &str, value: f64) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
}

/// Fields 14 and 15, utime and stime. The name in field 2 may hold spaces and parentheses.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut ticks = behind_name.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = ticks.next()?.ok()? + ticks.next()?.ok()?;
    Some(Duration::from_millis(ticks * 1_000 / USER_HZ))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 200";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_found_among_the_others() {
        assert_eq!(resident("Name:\tx\nVmHWM:\t  30 kB\nVmRSS:\t   20 kB\n"), Some(20_480));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn the_limit_of_open_files_is_found() {
        let line = "Max open files            1024                 524288               files     ";
        assert_eq!(most_files(&format!("Limit  Soft Limit\n{line}\n")), Some(1_024));
        assert_eq!(most_files("Max open files  unlimited  unlimited  files"), Some(usize::MAX));
        assert_eq!(most_files(""), None);
    }

    #[test]
    fn both_are_shown_in_the_text_format() {
        let text = render();
        for line in ["# TYPE process_cpu_seconds_total counter", "# TYPE process_resident_memory_bytes gauge"]
        {
            assert!(text.lines().any(|shown| shown == line), "{text}");
        }
    }
}
