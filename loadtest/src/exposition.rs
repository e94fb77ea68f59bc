//! A run as Prometheus sees it while it goes on: what the callers measure, and that there is a run at all.
//!
//! The page is written by the run's thread now and then and served by a thread of its own, which callers do not notice.

use crate::tally::{Tally, Times};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Serves the page of the present run; clones share it.
#[derive(Clone, Debug)]
pub struct Exposition {
    page: Arc<Mutex<String>>,
}

/// Which run it is.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// What callers do.
    pub scenario: &'a str,
    /// How the server is spoken to.
    pub protocol: &'a str,
    /// Calls at once.
    pub calls: u32,
}

/// How long a scraper may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Upper bounds of the histograms, in milliseconds.
const BOUNDS: [u64; 18] =
    [10, 20, 50, 100, 150, 200, 250, 300, 350, 400, 500, 600, 800, 1_000, 1_500, 2_000, 3_000, 5_000];

impl Exposition {
    /// Serves at this address until the process ends; the address where it does.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub fn serve(address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let exposition = Self { page: Arc::default() };
        let page = exposition.page.clone();
        thread::Builder::new().name("metrics".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                // A scraper that has gone needs no answer.
                let _ = answer(stream, &page);
            }
        })?;
        Ok((exposition, address))
    }

    /// So far the run has come.
    pub fn show(&self, mark: Mark<'_>, tally: &Tally) {
        self.put(render(mark, tally));
    }

    /// There is no run any more.
    pub fn clear(&self) {
        self.put(String::new());
    }

    fn put(&self, text: String) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

/// Whatever is asked for, the page is the answer.
fn answer(stream: TcpStream, page: &Mutex<String>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = BufReader::new(&stream).lines();
    for line in head {
        if line?.is_empty() {
            break;
        }
    }
    let page = page.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    (&stream).write_all((head + &page).as_bytes())
}

fn render(mark: Mark<'_>, tally: &Tally) -> String {
    let mut page = String::with_capacity(4_096);
    let Mark { scenario, protocol, calls } = mark;
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "# TYPE ringway_load_run_calls gauge\nringway_load_run_calls{{scenario={scenario:?},protocol={protocol:?}}} {calls}"
    );
    scalar(&mut page, "ringway_load_calls_active", "gauge", tally.active as f64);
    for (name, count) in [
        ("ringway_load_missing_total", tally.missing),
        ("ringway_load_underruns_total", tally.underruns),
        ("ringway_load_refused_total", tally.refused_count()),
        ("ringway_load_errors_total", tally.error_count()),
    ] {
        scalar(&mut page, name, "counter", count as f64);
    }
    let late = tally.lateness.percentile(99.0).unwrap_or_default();
    scalar(&mut page, "ringway_load_lateness_p99_seconds", "gauge", late.as_secs_f64());
    histogram(&mut page, "ringway_load_answer_seconds", &tally.answer);
    histogram(&mut page, "ringway_load_barge_in_seconds", &tally.barge_in);
    page
}

fn scalar(page: &mut String, name: &str, kind: &str, value: f64) {
    let _ = writeln!(page, "# TYPE {name} {kind}\n{name} {value}");
}

fn histogram(page: &mut String, name: &str, times: &Times) {
    let _ = writeln!(page, "# TYPE {name} histogram");
    for (bound, count) in BOUNDS.iter().zip(times.not_longer_than(&BOUNDS.map(Duration::from_millis))) {
        let _ = writeln!(page, "{name}_bucket{{le=\"{}\"}} {count}", *bound as f64 / 1_000.0);
    }
    let (count, sum) = (times.count(), times.sum().as_secs_f64());
    let _ = writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::Read;
    use std::net::Ipv4Addr;

    const MARK: Mark<'_> = Mark { scenario: "chat", protocol: "twilio", calls: 30 };

    fn get(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_run_is_there_as_long_as_it_goes_on() {
        let (exposition, address) = Exposition::serve((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let mark = "ringway_load_run_calls{scenario=\"chat\",protocol=\"twilio\"} 30\n";
        assert!(!get(address).contains(mark));
        exposition.show(MARK, &Tally::new());
        assert!(get(address).starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(get(address).contains(mark));
        exposition.clear();
        assert!(get(address).ends_with("\r\n\r\n"), "an empty page");
    }

    #[test]
    fn answers_are_counted_in_cumulative_buckets() {
        let mut tally = Tally::new();
        [240, 250, 310, 9_000].into_iter().for_each(|ms| tally.answered(Duration::from_millis(ms)));
        let page = render(MARK, &tally);
        for (le, count) in [("0.2", 0), ("0.25", 2), ("0.3", 2), ("0.35", 3), ("5", 3), ("+Inf", 4)] {
            let line = format!("ringway_load_answer_seconds_bucket{{le=\"{le}\"}} {count}\n");
            assert!(page.contains(&line), "{line}{page}");
        }
        assert!(page.contains("ringway_load_answer_seconds_count 4\n"));
    }

    #[test]
    fn metrics_are_what_the_documentation_says() {
        let page = render(MARK, &Tally::new());
        let shown: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let shown: BTreeSet<_> = shown.into_iter().filter_map(|line| line.split(' ').next()).collect();
        let docs = include_str!("../../docs/operate/load-testing.md");
        let rows = docs.lines().filter_map(|line| line.strip_prefix("| `ringway_load_")?.split_once('`'));
        let documented: BTreeSet<_> =
            rows.map(|(row, _)| format!("ringway_load_{}", row.split('{').next().unwrap_or(row))).collect();
        assert_eq!(shown, documented.iter().map(String::as_str).collect());
    }
}
