//! WhisperLiveKit's `/v1/listen`, which has Deepgram's form but takes 16 kHz alone, and no Finalize: the end of a turn is
//! found as on the other sockets of Whisper.

use super::message::{Message, Results, read};
use super::{Deepgram, NAME};
use crate::address::ask;
use crate::services::ServiceError;
use crate::services::access::Access;
use crate::services::stt_link::{Dialect, KeepAlive};
use crate::services::whisper::{Reader, Session, Stream, Timing, Transcript};
use ringway_frame::Format;
use std::time::Duration;

/// A session for audio in this format.
pub(super) fn open(service: &Deepgram, format: Format) -> Session<Listened, Listening> {
    let timing = Timing { finalize: service.config.finalize, settle: SETTLE, padding: PADDING, renew: None };
    Session::new(NAME, Listening(service.clone()), Listened::default(), format, timing)
}

#[derive(Clone)]
pub(super) struct Listening(Deepgram);

impl Dialect for Listening {
    const KEEP_ALIVE: KeepAlive = Deepgram::KEEP_ALIVE;
    const CLOSE: Option<&'static str> = Deepgram::CLOSE;

    fn access(&self) -> &Access {
        self.0.access()
    }

    /// Its own end of turns would want its detector of speech.
    fn path(&self, _: Format) -> String {
        let mut path = self.0.config.url.below("");
        for (name, value) in ASKED {
            ask(&mut path, name, value);
        }
        ask(&mut path, "language", &self.0.config.language);
        path
    }
}

/// The server's messages, and what they come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Listened {
    /// The server has said something: it does so at once.
    ready: bool,
    transcript: Transcript,
    looked: Option<Duration>,
    until: Duration,
}

impl Listened {
    fn take(&mut self, results: &Results, stream: Stream) {
        if results.is_final {
            self.transcript.append(&results.text);
            self.transcript.guess("");
        } else {
            self.transcript.guess(&results.text);
        }
        self.looked = Some(stream.origin + results.end);
    }
}

impl Reader for Listened {
    const TALKATIVE: bool = false;

    fn read(&mut self, message: &str, stream: Stream) -> Result<(), ServiceError> {
        if let Message::Results(results) = read(message)? {
            self.take(&results, stream);
        }
        self.ready = true;
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.ready
    }

    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }

    fn looked(&self) -> Option<Duration> {
        self.looked
    }

    fn ask(&mut self, until: Duration) {
        self.until = until.saturating_sub(COARSENESS);
    }

    fn covers(&self) -> bool {
        self.looked.is_some_and(|looked| looked >= self.until)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// How long the last words must not have changed to count.
const SETTLE: Duration = Duration::from_millis(200);

/// Silence that is sent ahead at the end of a turn.
const PADDING: Duration = Duration::from_millis(400);

/// How far the end of the last word may be from that of the sound.
const COARSENESS: Duration = Duration::from_millis(300);

/// What it takes, and what it may leave out.
const ASKED: [(&str, &str); 5] = [
    ("encoding", "linear16"),
    ("sample_rate", "16000"),
    ("channels", "1"),
    ("interim_results", "true"),
    ("endpointing", "false"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_follow_each_other_and_guesses_do_not() {
        let mut listened = Listened::default();
        let mut say = |text: &str, end: f64, is_final: bool| {
            let message = serde_json::json!({
                "type": "Results", "start": 0.0, "duration": end, "is_final": is_final,
                "channel": {"alternatives": [{"transcript": text}]},
            });
            let stream = Stream { origin: Duration::from_secs(1), sent: Duration::ZERO };
            listened.read(&message.to_string(), stream).unwrap();
            (listened.transcript.words(), listened.looked)
        };
        assert_eq!(say("The", 0.5, false), ("The".into(), Some(Duration::from_millis(1_500))));
        assert_eq!(say("The quick", 1.0, true).0, "The quick");
        assert_eq!(say("brow", 1.5, false).0, "The quick brow");
        assert_eq!(say("brown fox", 2.0, true), ("The quick brown fox".into(), Some(Duration::from_secs(3))));
    }
}
