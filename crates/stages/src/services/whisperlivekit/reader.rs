use super::message::{Message, Update, read};
use crate::services::Phase;
use crate::services::ServiceError;
use crate::services::whisper::{Reader, Stream, Transcript};
use std::time::Duration;

/// The server's messages, and what they come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    takes_pcm: bool,
    lines: Vec<String>,
    transcript: Transcript,
    /// Up to where it has looked; `None` when it does not tell.
    looked: Option<Duration>,
    until: Duration,
}

impl Messages {
    fn update(&mut self, update: Update, stream: Stream) {
        self.transcript.stand(&self.lines.concat());
        self.transcript.guess(&update.guess);
        self.looked = update.behind.map(|behind| stream.sent.saturating_sub(behind));
    }

    /// The lines that stay, then the new ones; a line that grew counts as new.
    fn change(&mut self, new: Vec<String>, pruned: usize, lines: usize) -> Result<(), ServiceError> {
        let kept = lines.checked_sub(new.len()).zip(self.lines.len().checked_sub(pruned));
        let Some((kept, _)) = kept.filter(|(kept, left)| kept <= left) else {
            return Err(ServiceError::malformed("message", "it changes lines that were never sent"));
        };
        self.lines.drain(..pruned);
        self.lines.truncate(kept);
        self.lines.extend(new);
        Ok(())
    }
}

impl Reader for Messages {
    const TALKATIVE: bool = true;

    fn read(&mut self, message: &str, stream: Stream) -> Result<(), ServiceError> {
        match read(message)? {
            Message::Config { takes_pcm: true } => self.takes_pcm = true,
            Message::Config { takes_pcm: false } => return Err(ServiceError::Unfit { reason: NO_PCM }),
            Message::Snapshot(mut update) => {
                self.lines = std::mem::take(&mut update.lines);
                self.update(update, stream);
            }
            Message::Diff { mut update, pruned, lines } => {
                self.change(std::mem::take(&mut update.lines), pruned, lines)?;
                self.update(update, stream);
            }
            Message::ReadyToStop => {
                return Err(ServiceError::cut(Phase::Answer, "the service ended the stream"));
            }
            Message::Other => {}
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.takes_pcm
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
        self.looked.is_none_or(|looked| looked >= self.until)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Messages, a line each: whatever they say is refused, or changes the words in their order.
pub(in crate::services) fn check(messages: &str) {
    let mut reader = Messages::default();
    let stream = Stream { origin: Duration::ZERO, sent: Duration::from_secs(1) };
    for message in messages.lines() {
        if let Err(error) = reader.read(message, stream) {
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            return;
        }
        reader.transcript.begin(true);
        assert_eq!(reader.transcript.words(), "");
    }
}

/// The server tells tenths of a second, and ends words where its own detector does.
const COARSENESS: Duration = Duration::from_millis(200);

const NO_PCM: &str = "the server takes encoded audio only; start it with --pcm-input";

#[cfg(test)]
mod tests {
    use super::*;

    /// The words behind those of the answer before.
    fn answer(reader: &mut Messages) -> String {
        let answer = reader.transcript.answer();
        reader.transcript.begin(false);
        answer
    }

    fn stream(sent_ms: u64) -> Stream {
        Stream { origin: Duration::ZERO, sent: Duration::from_millis(sent_ms) }
    }

    fn diff(new: &[&str], pruned: usize, lines: usize, guess: &str) -> String {
        let new: Vec<_> = new.iter().map(|text| serde_json::json!({"speaker": 1, "text": text})).collect();
        serde_json::json!({
            "type": "diff", "n_lines": lines, "lines_pruned": pruned, "new_lines": new,
            "buffer_transcription": guess, "remaining_time_transcription_processing": 0.3,
        })
        .to_string()
    }

    fn snapshot(lines: &[&str]) -> String {
        let lines: Vec<_> =
            lines.iter().map(|text| serde_json::json!({"speaker": 1, "text": text})).collect();
        serde_json::json!({"type": "snapshot", "lines": lines, "buffer_transcription": ""}).to_string()
    }

    #[test]
    fn changes_are_put_together() {
        let mut reader = Messages::default();
        reader.read(&snapshot(&[" one"]), stream(1_000)).unwrap();
        assert_eq!((reader.looked, answer(&mut reader).as_str()), (None, "one"));
        // The server calls a line that grew a pruned one and a new one.
        reader.read(&diff(&[" one two"], 1, 1, " three"), stream(1_300)).unwrap();
        assert_eq!(answer(&mut reader), "two three");
        assert_eq!(reader.looked, Some(Duration::from_millis(1_000)));
        reader.read(&diff(&["", " four"], 0, 3, ""), stream(9_000)).unwrap();
        assert_eq!(answer(&mut reader), "four");
        assert_eq!(reader.lines, [" one two", "", " four"]);
        reader.read(&diff(&[], 2, 1, ""), stream(9_000)).unwrap();
        assert_eq!(reader.lines, [" four"]);
    }

    #[test]
    fn changes_of_what_was_never_sent_are_refused() {
        for message in [diff(&["x"], 0, 0, ""), diff(&[], 0, 1, ""), diff(&[], 1, 0, "")] {
            let error = Messages::default().read(&message, stream(0)).unwrap_err().to_string();
            assert_eq!(error, "malformed message: it changes lines that were never sent");
        }
    }

    #[test]
    fn a_server_that_wants_encoded_audio_is_of_no_use() {
        let config = r#"{"type":"config","useAudioWorklet":false,"mode":"full"}"#;
        let error = Messages::default().read(config, stream(0)).unwrap_err().to_string();
        assert_eq!(error, "cannot be used: the server takes encoded audio only; start it with --pcm-input");
    }
}
