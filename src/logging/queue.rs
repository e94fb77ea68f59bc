//! Lines on their way to standard error: a bounded queue, and the one thread that writes.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Lines that wait at most.
const LINES: usize = 8_192;

/// Bytes that wait at most.
const BYTES: usize = 4 << 20;

/// Bytes after which what was gathered is written.
const BATCH: usize = 64 << 10;

/// Between two tries on an output that takes nothing at the moment, and between two looks of who waits for the end.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes lines without ever waiting; clones are the same queue. What does not fit is dropped and counted.
#[derive(Clone, Debug)]
pub struct Queue {
    lines: SyncSender<String>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Bytes that wait.
    bytes: AtomicUsize,
    /// Lines that were taken.
    taken: AtomicU64,
    /// Lines that were taken and are written or lost.
    done: AtomicU64,
    /// Lines that did not fit.
    dropped: AtomicU64,
    /// Lines that could not be written.
    unwritten: AtomicU64,
}

impl Queue {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, lines) = Self::new();
        let counts = queue.counts.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || run(&lines, out, &counts))?;
        Ok(queue)
    }

    fn new() -> (Self, Receiver<String>) {
        let (sender, lines) = sync_channel(LINES);
        (Self { lines: sender, counts: Arc::default() }, lines)
    }

    /// Puts a line, with its end.
    pub fn put(&self, line: String) {
        let bytes = line.len();
        let waiting = self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.taken.fetch_add(1, Ordering::AcqRel);
        if waiting + bytes > BYTES || self.lines.try_send(line).is_err() {
            self.counts.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            self.counts.done.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Waits until everything that was put is written or lost, at most for `bound`.
    pub fn flush(&self, bound: Duration) {
        let until = Instant::now() + bound;
        while !self.is_empty() && Instant::now() < until {
            sleep(PAUSE);
        }
    }

    fn is_empty(&self) -> bool {
        self.counts.done.load(Ordering::Acquire) >= self.counts.taken.load(Ordering::Acquire)
    }

    /// Lines that did not fit.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Lines that could not be written.
    pub fn unwritten(&self) -> u64 {
        self.counts.unwritten.load(Ordering::Relaxed)
    }
}

fn run(lines: &Receiver<String>, out: impl Write, counts: &Counts) {
    let mut writer = Writer { out, torn: false, told: 0 };
    while let Ok(first) = lines.recv() {
        writer.write(&Batch::gather(first, lines), counts, || sleep(PAUSE));
    }
}

/// Lines that are written at once.
struct Batch {
    text: String,
    lines: u64,
}

impl Batch {
    fn gather(first: String, lines: &Receiver<String>) -> Self {
        let mut batch = Self { text: first, lines: 1 };
        while batch.text.len() < BATCH
            && let Ok(line) = lines.try_recv()
        {
            batch.text.push_str(&line);
            batch.lines += 1;
        }
        batch
    }
}

struct Writer<W> {
    out: W,
    /// The output ends inside a line.
    torn: bool,
    /// Lines that are missing of which the log has told.
    told: u64,
}

impl<W: Write> Writer<W> {
    fn write(&mut self, batch: &Batch, counts: &Counts, pause: impl Fn()) {
        let missing = counts.dropped.load(Ordering::Relaxed) + counts.unwritten.load(Ordering::Relaxed);
        if std::mem::take(&mut self.torn) {
            // Whether or not it can be written: the line is lost.
            let _ = self.write_all(b"\n", &pause);
        }
        match self.write_all(batch.text.as_bytes(), &pause) {
            Ok(()) => self.tell(missing),
            Err(written) => {
                let text = batch.text.as_bytes();
                let whole = text[..written].iter().filter(|byte| **byte == b'\n').count() as u64;
                self.torn = written > 0 && text[written - 1] != b'\n';
                counts.unwritten.fetch_add(batch.lines.saturating_sub(whole), Ordering::Relaxed);
            }
        }
        counts.bytes.fetch_sub(batch.text.len(), Ordering::Relaxed);
        counts.done.fetch_add(batch.lines, Ordering::AcqRel);
    }

    /// Writes all of it, or as much as can be written: so many bytes.
    fn write_all(&mut self, bytes: &[u8], pause: &impl Fn()) -> Result<(), usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.out.write(&bytes[written..]) {
                Ok(0) => return Err(written),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Its reader has set it not to block.
                Err(error) if error.kind() == ErrorKind::WouldBlock => pause(),
                Err(_) => return Err(written),
            }
        }
        Ok(())
    }

    /// The log can be written, but lines before these are missing.
    fn tell(&mut self, missing: u64) {
        let news = missing - self.told.min(missing);
        if news > 0 {
            self.told = missing;
            tracing::warn!(lines = news, "lines of the log are missing");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// An output that does what it is told, then takes everything.
    #[derive(Default)]
    struct Output {
        fate: VecDeque<Result<usize, ErrorKind>>,
        text: String,
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.fate.pop_front().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
            self.text.push_str(str::from_utf8(&bytes[..count]).expect("ASCII"));
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Puts lines, each written for itself, to an output with this fate.
    fn written(lines: &[&str], fate: &[Result<usize, ErrorKind>]) -> (String, Queue) {
        let (queue, waiting) = Queue::new();
        let output = Output { fate: fate.iter().copied().collect(), ..Output::default() };
        let mut writer = Writer { out: output, torn: false, told: 0 };
        for line in lines {
            queue.put((*line).to_owned());
            let first = waiting.recv().expect("it was put");
            writer.write(&Batch::gather(first, &waiting), &queue.counts, || {});
        }
        assert!(queue.is_empty());
        assert_eq!(queue.counts.bytes.load(Ordering::Relaxed), 0);
        (writer.out.text, queue)
    }

    #[test]
    fn a_reader_that_is_gone_and_a_disk_that_is_full_cost_lines_and_nothing_else() {
        let fate = [Err(ErrorKind::BrokenPipe), Err(ErrorKind::StorageFull), Ok(0)];
        let (text, queue) = written(&["one\n", "two\n", "three\n", "four\n"], &fate);
        assert_eq!((text.as_str(), queue.unwritten(), queue.dropped()), ("four\n", 3, 0));
    }

    #[test]
    fn a_line_that_was_cut_short_does_not_run_into_the_next() {
        let (text, queue) = written(&["one\n", "two\n"], &[Ok(2), Err(ErrorKind::StorageFull)]);
        assert_eq!((text.as_str(), queue.unwritten()), ("on\ntwo\n", 1));
    }

    #[test]
    fn an_output_that_is_interrupted_or_takes_nothing_at_the_moment_gets_every_line() {
        let fate = [Err(ErrorKind::Interrupted), Ok(1), Err(ErrorKind::WouldBlock), Ok(2)];
        let (text, queue) = written(&["one\n", "two\n"], &fate);
        assert_eq!((text.as_str(), queue.unwritten()), ("one\ntwo\n", 0));
    }

    #[test]
    fn lines_that_nobody_writes_are_dropped_beyond_the_bound_in_lines_and_in_bytes() {
        let (queue, _waiting) = Queue::new();
        (0..LINES + 3).for_each(|_| queue.put("x\n".to_owned()));
        assert_eq!(queue.dropped(), 3);
        let (queue, _waiting) = Queue::new();
        (0..5).for_each(|_| queue.put("x".repeat(BYTES / 4)));
        assert_eq!(queue.dropped(), 1);
    }

    #[test]
    fn lines_that_wait_together_are_written_at_once() {
        let (queue, waiting) = Queue::new();
        ["one\n", "two\n"].into_iter().for_each(|line| queue.put(line.to_owned()));
        let batch = Batch::gather(waiting.recv().expect("it was put"), &waiting);
        assert_eq!((batch.text.as_str(), batch.lines), ("one\ntwo\n", 2));
    }
}
