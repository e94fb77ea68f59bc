//! What this process uses, from `/proc` (proc(5)), in Prometheus' text format and under the names that its clients share.
//!
//! The recorder of the other metrics counts in whole numbers, which is too coarse for seconds of CPU.

use std::fs;
use std::time::Duration;

/// Ticks a second in `/proc/self/stat`: sysconf(_SC_CLK_TCK), which the Linux ABI fixes at 100 on every architecture
/// but Alpha.
const USER_HZ: u64 = 100;

/// All of them; those that `/proc` does not tell are left out.
pub fn render() -> String {
    let read = |path| fs::read_to_string(path).ok();
    let stat = read("/proc/self/stat");
    let cpu = stat.as_deref().and_then(cpu_time).map(|time| time.as_secs_f64());
    let booted = read("/proc/stat").as_deref().and_then(boot_time);
    let started = booted.zip(stat.as_deref().and_then(start_after_boot));
    let memory = read("/proc/self/status").as_deref().and_then(resident);
    let limit =
        read("/proc/self/limits").as_deref().and_then(most_files).filter(|limit| *limit != usize::MAX);
    [
        series("process_cpu_seconds_total", "counter", "CPU time of all threads.", cpu),
        series(
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory.",
            memory.map(|bytes| bytes as f64),
        ),
        series(
            "process_start_time_seconds",
            "gauge",
            "Start of the process, in seconds since 1970.",
            started.map(|(booted, after)| booted as f64 + after.as_secs_f64()),
        ),
        series(
            "process_open_fds",
            "gauge",
            "Open file descriptors.",
            open_descriptors().map(|open| open as f64),
        ),
        series(
            "process_max_fds",
            "gauge",
            "Open file descriptors that are permitted.",
            limit.map(|most| most as f64),
        ),
    ]
    .concat()
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

/// Empty when the value is unknown.
fn series(name: &str, kind: &str, help: &str, value: Option<f64>) -> String {
    value
        .map(|value| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"))
        .unwrap_or_default()
}

/// Fields 14 and 15, utime and stime. The name in field 2 may hold spaces and parentheses.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut ticks = behind_name.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = ticks.next()?.ok()? + ticks.next()?.ok()?;
    Some(Duration::from_millis(ticks * 1_000 / USER_HZ))
}

/// Field 22, starttime: since the machine booted.
fn start_after_boot(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks: u64 = behind_name.split_whitespace().nth(19)?.parse().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / USER_HZ))
}

/// In seconds since 1970, of `/proc/stat`.
fn boot_time(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

fn open_descriptors() -> Option<usize> {
    // One of them is the folder that is being read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
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
    fn the_start_is_told_from_the_boot_of_the_machine() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 12345 1000 200";
        assert_eq!(start_after_boot(stat), Some(Duration::from_millis(123_450)));
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\nprocesses 3\n"), Some(1_700_000_000));
    }

    #[test]
    fn the_soft_limit_of_descriptors_is_found() {
        let limits = "Limit            Soft Limit  Hard Limit  Units\nMax open files   1024        4096        files\n";
        assert_eq!(most_files(limits), Some(1_024));
        assert_eq!(most_files("Max open files   unlimited   unlimited   files\n"), Some(usize::MAX));
        assert_eq!(most_files(""), None);
    }

    #[test]
    fn all_are_shown_in_the_text_format() {
        let text = render();
        for (name, kind) in [
            ("process_cpu_seconds_total", "counter"),
            ("process_resident_memory_bytes", "gauge"),
            ("process_start_time_seconds", "gauge"),
            ("process_open_fds", "gauge"),
        ] {
            assert!(text.lines().any(|shown| shown == format!("# TYPE {name} {kind}")), "{text}");
        }
    }

    #[test]
    fn the_start_of_this_process_is_not_ahead_of_now() {
        let text = render();
        let shown = text.lines().find_map(|line| line.strip_prefix("process_start_time_seconds "));
        let started: f64 = shown.expect("it is shown").parse().expect("a number");
        let now = jiff::Timestamp::now().as_second() as f64;
        assert!(started <= now + 1.0 && started > now - 86_400.0, "{started} {now}");
    }
}
