use super::message::{Message, Segment, read};
use crate::services::whisper::{Reader, Stream, Transcript};
use crate::services::{Phase, ServiceError};
use std::time::Duration;

/// The server's messages, and what they come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    ready: bool,
    transcript: Transcript,
    /// Where the last segment that stands ends, since the stream's first audio.
    completed: Duration,
    /// Where the last words end that were found.
    looked: Option<Duration>,
    until: Duration,
    /// Messages with segments since words were asked for.
    looks: u32,
}

impl Messages {
    fn take(&mut self, segments: &[Segment], stream: Stream) {
        let mut stood = false;
        for segment in segments.iter().filter(|segment| segment.completed) {
            // Each message repeats the last ones.
            if segment.start + OVERLAP >= self.completed && segment.end > self.completed {
                self.transcript.append(segment.text.trim());
                self.completed = segment.end;
                stood = true;
            }
        }
        let guess = segments.iter().rfind(|segment| !segment.completed);
        if guess.is_none() && !stood {
            self.keep_guess();
        }
        self.transcript.guess(guess.map_or("", |segment| segment.text.trim()));
        self.looked = segments.last().map(|segment| stream.origin + segment.end);
        self.looks += 1;
    }

    /// The server forgets a segment that says the same as the one before it, instead of completing it.
    fn keep_guess(&mut self) {
        let guess = self.transcript.guessed().to_owned();
        self.transcript.append(&guess);
    }
}

impl Reader for Messages {
    const TALKATIVE: bool = false;

    fn read(&mut self, message: &str, stream: Stream) -> Result<(), ServiceError> {
        match read(message)? {
            Message::Ready => self.ready = true,
            Message::Segments(segments) => self.take(&segments, stream),
            Message::Disconnect => {
                return Err(ServiceError::cut(Phase::Answer, "the server's time limit has passed"));
            }
            Message::Other => {}
        }
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
        self.looks = 0;
    }

    /// What it says first may be older than the question.
    fn covers(&self) -> bool {
        self.looks >= 2 || (self.looks > 0 && self.looked.is_some_and(|looked| looked >= self.until))
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Messages, a line each: whatever they say is refused, or adds to the words.
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

/// By how much a segment may begin before the one before it has ended.
const OVERLAP: Duration = Duration::from_millis(100);

/// How far the end of a segment may be from that of its last word.
const COARSENESS: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    /// The words behind those of the answer before.
    fn answer(reader: &mut Messages) -> String {
        let answer = reader.transcript.answer();
        reader.transcript.begin(false);
        answer
    }

    fn segment(start_ms: u64, end_ms: u64, text: &str, completed: bool) -> Segment {
        let [start, end] = [start_ms, end_ms].map(Duration::from_millis);
        Segment { start, end, text: text.into(), completed }
    }

    fn take(reader: &mut Messages, segments: &[Segment]) -> String {
        reader.take(segments, Stream { origin: Duration::ZERO, sent: Duration::ZERO });
        answer(reader)
    }

    #[test]
    fn segments_that_are_repeated_are_told_once() {
        let mut reader = Messages::default();
        let first = segment(0, 2_000, " the quick", true);
        assert_eq!(take(&mut reader, &[segment(0, 2_000, " the quick", false)]), "the quick");
        assert_eq!(take(&mut reader, &[first.clone(), segment(2_000, 3_000, " brown", false)]), "brown");
        let second = segment(2_000, 3_500, " brown fox", true);
        assert_eq!(take(&mut reader, &[first.clone(), second.clone()]), "fox");
        assert_eq!(take(&mut reader, &[first, second]), "");
    }

    #[test]
    fn a_word_that_was_said_before_is_not_lost_when_the_server_forgets_it() {
        let mut reader = Messages::default();
        let yes = segment(0, 500, " yes", true);
        assert_eq!(take(&mut reader, std::slice::from_ref(&yes)), "yes");
        reader.take(
            &[yes.clone(), segment(4_000, 4_500, " yes", false)],
            Stream { origin: Duration::ZERO, sent: Duration::ZERO },
        );
        assert_eq!(take(&mut reader, &[yes]), "yes");
    }
}
