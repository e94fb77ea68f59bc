//! Records of each call's turns on disk, written by a thread of its own: `ringway replay` reads them.

use jiff::Timestamp;
use ringway_actors::Record;
use ringway_frame::{CallId, MediaTime};
use ringway_stages::private_files;
use ringway_turn::recording::{Header, input_line, output_line};
use ringway_turn::{Config, Input, Output};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Pieces of recordings that wait for the disk at most.
const WAITING: usize = 1_024;

/// Bytes that are gathered before they are handed over.
const PIECE: usize = 16 * 1024;

/// Writes the recordings of all calls into one folder.
#[derive(Clone, Debug)]
pub struct Recorder {
    dir: PathBuf,
    pieces: Pieces,
}

/// The way to the thread that writes.
#[derive(Clone, Debug)]
struct Pieces {
    sender: SyncSender<Piece>,
    /// Pieces that are not written yet.
    waiting: Arc<AtomicUsize>,
}

/// The next part of one recording.
#[derive(Debug)]
struct Piece {
    path: PathBuf,
    text: String,
}

/// One call's recording. When the disk does not keep up it ends there, with a warning: one with a hole cannot be
/// replayed.
struct Recording {
    path: PathBuf,
    text: String,
    pieces: Option<Pieces>,
}

impl Recorder {
    /// Starts the thread that writes into `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made or the system has no thread left.
    pub fn start(dir: &Path) -> io::Result<Self> {
        private_files::create_dir(dir)?;
        let (sender, received) = sync_channel(WAITING);
        let waiting = Arc::<AtomicUsize>::default();
        let pieces = Pieces { sender, waiting: waiting.clone() };
        std::thread::Builder::new().name("recorder".into()).spawn(move || write_all(&received, &waiting))?;
        Ok(Self { dir: dir.to_owned(), pieces })
    }

    /// Everything that was handed over is on the disk, or lost.
    pub fn is_written(&self) -> bool {
        self.pieces.waiting.load(Ordering::Acquire) == 0
    }

    /// Begins the recording of a call.
    pub fn begin(&self, call: CallId, config: &Config) -> Box<dyn Record> {
        let header = Header::new(call, Timestamp::now().to_string(), config.clone());
        let mut recording = Recording {
            path: self.dir.join(format!("{call}.jsonl")),
            text: String::with_capacity(PIECE + 1_024),
            pieces: Some(self.pieces.clone()),
        };
        recording.line(&header.to_line());
        Box::new(recording)
    }
}

impl Recording {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        if self.text.len() >= PIECE {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let Some(pieces) = &self.pieces else { return self.text.clear() };
        let text = std::mem::replace(&mut self.text, String::with_capacity(PIECE + 1_024));
        if pieces.put(Piece { path: self.path.clone(), text }).is_err() {
            tracing::warn!(recording = %self.path.display(), "the disk does not keep up: the recording ends here");
            self.pieces = None;
        }
    }
}

impl Pieces {
    fn put(&self, piece: Piece) -> Result<(), TrySendError<Piece>> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.sender.try_send(piece).inspect_err(|_| {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        })
    }
}

impl Record for Recording {
    fn input(&mut self, now: MediaTime, input: &Input) {
        self.line(&input_line(input, now));
    }

    fn output(&mut self, output: &Output) {
        self.line(&output_line(output));
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.hand_over();
    }
}

fn write_all(received: &Receiver<Piece>, waiting: &AtomicUsize) {
    for piece in received {
        let written = private_files::append(&piece.path);
        if let Err(error) = written.and_then(|mut file| file.write_all(piece.text.as_bytes())) {
            tracing::error!(recording = %piece.path.display(), %error, "cannot be written");
        }
        waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
