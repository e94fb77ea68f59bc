use super::link::{Door, KeepAlive, Link};
use super::progress::Progress;
use super::speech::{Coding, Speech};
use crate::alarm::Alarm;
use crate::services::{Phase, ServiceError};
use crate::tts::{Clause, TtsError, TtsEvent, TtsSession};
use bytes::Bytes;
use ringway_frame::{FRAME, Format, Frame};
use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// What a service's messages mean. Clauses are told apart by numbers, each of which is used once.
pub(in crate::services) trait Dialect: 'static {
    /// Its name, for errors.
    const NAME: &'static str;
    /// It tells when words are spoken.
    const TIMED: bool;
    /// What keeps a silent socket alive, where that is needed.
    const KEEP_ALIVE: Option<KeepAlive>;
    /// What is said before the socket is closed.
    const FAREWELL: &'static str;

    /// Asks for a clause.
    fn speak(&mut self, number: u64, text: &str, out: &mut VecDeque<String>);

    /// Clauses that nobody wants any more.
    fn cancel(&mut self, numbers: &[u64], out: &mut VecDeque<String>);

    /// What a message says, and what is to be said to it.
    ///
    /// # Errors
    /// It is none of the protocol.
    fn read(
        &mut self,
        message: Message,
        heard: &mut Vec<Heard>,
        out: &mut VecDeque<String>,
    ) -> Result<(), ServiceError>;

    /// The socket has taken all that it takes; another one is needed.
    fn is_spent(&mut self) -> bool {
        false
    }

    /// Another socket begins.
    fn renew(&mut self);
}

/// What a service says of a clause.
#[derive(Debug)]
pub(in crate::services) enum Heard {
    /// Its next audio.
    Audio(u64, Bytes),
    /// Words, or characters, and when they end.
    Words(u64, Since, Vec<Said>),
    /// Its audio is complete.
    End(u64),
    /// It failed; or all did.
    Failed(Option<u64>, ServiceError),
}

/// Since when times count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services) enum Since {
    /// The clause's first audio.
    Begin,
    /// What came of it so far.
    Now,
}

/// Text within the audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services) struct Said {
    pub(in crate::services) text: String,
    pub(in crate::services) end: Duration,
}

/// How long a service may take.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Timeouts {
    /// From a clause to its first audio.
    pub(in crate::services) first: Duration,
    /// Between two pieces of it.
    pub(in crate::services) idle: Duration,
}

/// One call's voice on a socket of its own: its clauses are made one behind the other.
#[derive(Debug)]
pub(in crate::services) struct Streamed<D> {
    dialect: D,
    link: Link,
    format: Format,
    timeouts: Timeouts,
    /// Not asked for yet.
    waiting: VecDeque<Clause>,
    /// Asked for, in order.
    asked: VecDeque<Utterance>,
    numbers: u64,
    /// The socket, or the attempt at one, is younger than what it is needed for: its loss is a failure.
    fresh: bool,
    heard: Vec<Heard>,
    /// Since when nothing has come, while something is owed.
    since: Option<Instant>,
    alarm: Alarm,
}

/// A clause and its audio.
#[derive(Debug)]
struct Utterance {
    number: u64,
    speech: Speech,
    progress: Progress,
    /// There is something to be heard.
    sounds: bool,
    /// Told when its turn comes.
    failed: Option<ServiceError>,
    /// Bytes of the text whose place in the audio is known.
    cursor: usize,
}

impl<D: Dialect> Streamed<D> {
    pub(in crate::services) fn open(dialect: D, door: Door, format: Format, timeouts: Timeouts) -> Self {
        Self {
            dialect,
            link: Link::open(door, D::KEEP_ALIVE, D::FAREWELL),
            format,
            timeouts,
            waiting: VecDeque::new(),
            asked: VecDeque::new(),
            numbers: 0,
            fresh: false,
            heard: Vec::new(),
            since: None,
            alarm: Alarm::default(),
        }
    }

    fn ask(&mut self) {
        while self.asked.len() < MOST_ASKED && !self.waiting.is_empty() {
            if self.dialect.is_spent() {
                if self.asked.iter().any(Utterance::is_owed) {
                    return;
                }
                self.link.renew();
                self.dialect.renew();
                self.fresh = true;
            }
            let Some(clause) = self.waiting.pop_front() else { return };
            let mut utterance = Utterance::new(clause, D::TIMED, self.format);
            self.request(&mut utterance);
            self.asked.push_back(utterance);
        }
    }

    fn request(&mut self, utterance: &mut Utterance) {
        self.numbers += 1;
        utterance.number = self.numbers;
        let text = utterance.progress.clause().text.trim();
        if text.contains(char::is_alphanumeric) {
            self.dialect.speak(self.numbers, text, self.link.queue());
        } else {
            utterance.sounds = false;
            utterance.speech.give_up();
        }
    }

    /// The socket is gone: what has not begun to sound is asked for again, once.
    fn lose(&mut self, error: ServiceError) -> Result<(), ServiceError> {
        self.since = None;
        let mut owed = self.asked.iter().filter(|utterance| utterance.is_owed()).peekable();
        if owed.peek().is_none() {
            tracing::info!(voice = D::NAME, %error, "the voice is connected again when it is needed");
            self.link.rest();
            self.dialect.renew();
            self.fresh = false;
            return Ok(());
        }
        if self.fresh || owed.any(|utterance| utterance.speech.has_begun()) {
            return Err(error);
        }
        self.link.renew();
        self.dialect.renew();
        self.fresh = true;
        let mut asked = std::mem::take(&mut self.asked);
        asked.iter_mut().filter(|utterance| utterance.is_owed()).for_each(|again| self.request(again));
        self.asked = asked;
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), ServiceError> {
        self.dialect.read(message, &mut self.heard, self.link.queue())?;
        let mut heard = std::mem::take(&mut self.heard);
        let taken = heard.drain(..).try_for_each(|heard| self.hear(heard));
        self.heard = heard;
        if !self.link.queue().is_empty() {
            self.link.send_now();
        }
        taken
    }

    /// What is said of clauses that nobody wants any more is passed over.
    fn hear(&mut self, heard: Heard) -> Result<(), ServiceError> {
        let number = match &heard {
            Heard::Failed(None, _) => None,
            Heard::Failed(Some(number), _) | Heard::Audio(number, _) => Some(*number),
            Heard::Words(number, ..) | Heard::End(number) => Some(*number),
        };
        let wanted = number.and_then(|number| self.asked.iter_mut().find(|asked| asked.number == number));
        match (heard, wanted) {
            (Heard::Failed(None, error), _) => return Err(error),
            (Heard::Failed(_, error), Some(utterance)) => {
                utterance.failed = Some(error);
                utterance.speech.finish();
            }
            (Heard::Audio(_, audio), Some(utterance)) => {
                utterance.speech.take(audio);
                self.fresh = false;
            }
            (Heard::Words(_, since, words), Some(utterance)) => utterance.place(since, &words),
            (Heard::End(_), Some(utterance)) => utterance.speech.finish(),
            (_, None) => {}
        }
        Ok(())
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<ServiceError> {
        let owed = self.asked.iter().find(|utterance| utterance.is_owed());
        let Some(owed) = owed.filter(|_| self.link.is_open()) else {
            self.since = None;
            return Poll::Pending;
        };
        let Timeouts { first, idle } = self.timeouts;
        let (phase, limit) =
            if owed.speech.has_begun() { (Phase::Answer, idle) } else { (Phase::FirstByte, first) };
        let since = *self.since.get_or_insert_with(Instant::now);
        self.alarm.poll(since + limit, cx).map(|()| ServiceError::Late { phase, limit })
    }

    fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        frame: &mut Frame,
    ) -> Poll<Result<TtsEvent, ServiceError>> {
        loop {
            if let Some(front) = self.asked.front_mut()
                && let Some(event) = front.next(frame).transpose()
            {
                if matches!(event, Ok(TtsEvent::Done { .. })) {
                    self.asked.pop_front();
                    self.ask();
                }
                return Poll::Ready(event);
            }
            match self.link.poll(cx) {
                Poll::Ready(Ok(message)) => {
                    self.since = None;
                    self.take(message)?;
                }
                Poll::Ready(Err(error)) => self.lose(error)?,
                Poll::Pending => return self.poll_late(cx).map(Err),
            }
        }
    }
}

impl<D: Dialect> TtsSession for Streamed<D> {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        let queued = self.waiting.len() + self.asked.len();
        if queued == MOST_CLAUSES {
            return Err(TtsError::Overloaded { queued });
        }
        self.waiting.push_back(clause);
        if self.link.hurry() {
            self.fresh = true;
        }
        self.ask();
        Ok(())
    }

    fn cancel(&mut self) {
        self.waiting.clear();
        self.since = None;
        let owed = self.asked.iter().filter(|utterance| utterance.is_owed());
        let numbers: Vec<u64> = owed.map(|utterance| utterance.number).collect();
        self.asked.clear();
        if !numbers.is_empty() {
            self.dialect.cancel(&numbers, self.link.queue());
            self.link.send_now();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let event = self.poll_event(cx, frame);
        let refused = |source| {
            let refused = self.asked.pop_front().map(|clause| clause.progress.clause().id);
            self.ask();
            TtsError::of_service(D::NAME, refused, source)
        };
        event.map_err(refused)
    }
}

impl Utterance {
    fn new(clause: Clause, timed: bool, format: Format) -> Self {
        let speech = Speech::new(Coding::Call, format);
        let progress = Progress::new(clause, timed);
        Self { number: 0, speech, progress, sounds: true, failed: None, cursor: 0 }
    }

    /// Audio is to come.
    fn is_owed(&self) -> bool {
        !self.speech.is_told()
    }

    /// What can be told now.
    fn next(&mut self, frame: &mut Frame) -> Result<Option<TtsEvent>, ServiceError> {
        if let Some(word) = self.progress.word(self.speech.frames()) {
            return Ok(Some(word));
        }
        if self.speech.next(frame)? {
            self.progress.spoke();
            return Ok(Some(TtsEvent::Audio));
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match self.speech.is_told() {
            true if self.sounds && self.speech.is_empty() => Err(ServiceError::Silent),
            told => Ok(told.then(|| self.progress.end())),
        }
    }

    /// Finds words in the text, and marks where in the audio each ends.
    fn place(&mut self, since: Since, words: &[Said]) {
        let base = if since == Since::Now { self.speech.length() } else { Duration::ZERO };
        for Said { text: said, end } in words {
            let text = &self.progress.clause().text;
            let Some(at) = find(&text[self.cursor..], said.trim()) else { continue };
            self.cursor += at;
            let rest = &text[self.cursor..];
            if rest.is_empty() || rest.starts_with(char::is_whitespace) {
                let upto = if rest.trim().is_empty() { text.len() } else { self.cursor };
                self.progress.mark(upto, frames(base + *end));
            }
        }
    }
}

/// Where `said` ends in `text`, if it is next, or nearly: services drop and change signs.
fn find(text: &str, said: &str) -> Option<usize> {
    if said.is_empty() {
        return None;
    }
    let from = text.len() - text.trim_start().len();
    let at = from + text[from..].find(said)?;
    (at - from <= FARTHEST).then_some(at + said.len())
}

fn frames(length: Duration) -> u64 {
    length.as_nanos().div_ceil(FRAME.as_nanos()) as u64
}

/// Clauses of one call that wait or are being spoken; beyond it the newest is refused.
const MOST_CLAUSES: usize = 64;

/// Clauses of one call that are asked for at one time.
const MOST_ASKED: usize = 2;

/// Bytes of text that a word may be further on than the word before it.
const FARTHEST: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_though_signs_between_them_are_not_told() {
        assert_eq!(find(" \"Hello,\" he", "Hello"), Some(7));
        assert_eq!(find("Hello", "Hello"), Some(5));
        assert_eq!(find("one two three four", "four"), None);
        assert_eq!(find("Hello", ""), None);
    }

    fn marks(text: &str, words: &[(&str, u64)]) -> Vec<(u64, TtsEvent)> {
        let clause = Clause { id: 1, text: text.into() };
        let mut utterance = Utterance::new(clause, true, Format::Mulaw8k);
        let said =
            |(text, end): &(&str, u64)| Said { text: (*text).into(), end: Duration::from_millis(*end) };
        utterance.place(Since::Begin, &words.iter().map(said).collect::<Vec<_>>());
        let mut told = Vec::new();
        for at in 1..100 {
            utterance.progress.spoke();
            told.extend(utterance.progress.word(None).map(|word| (at, word)));
        }
        told
    }

    #[test]
    fn characters_make_words() {
        let text = "So, is it?";
        let times: Vec<(String, u64)> =
            text.chars().enumerate().map(|(at, char)| (char.to_string(), 20 * (at as u64 + 1))).collect();
        let times: Vec<(&str, u64)> = times.iter().map(|(char, end)| (char.as_str(), *end)).collect();
        let word = |upto| TtsEvent::Word { clause: 1, upto };
        assert_eq!(marks(text, &times), [(3, word(3)), (6, word(6))]);
    }

    #[test]
    fn words_are_marked_where_their_audio_ends() {
        let word = |upto| TtsEvent::Word { clause: 1, upto };
        let words = [("Good", 100), ("day,", 210), ("Sir.", 400)];
        assert_eq!(marks("Good day, Sir.", &words), [(5, word(4)), (11, word(9))]);
    }
}
