use super::Transcript;
use super::upsample::Upsampler;
use crate::alarm::Alarm;
use crate::level::LoudTracker;
use crate::services::listening::{LONG_SPEECH, Listening, Terms};
use crate::services::stt_link::{Dialect, Link};
use crate::services::{Phase, ServiceError};
use crate::stt::{Segment, SegmentId, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::{FRAME, Format, Frame, MediaTime};
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// What tells one server's messages from another's.
pub(in crate::services) trait Reader {
    /// It says something several times a second, whether or not it understands a word.
    const TALKATIVE: bool;

    /// Takes in a message.
    fn read(&mut self, message: &str, stream: Stream) -> Result<(), ServiceError>;

    /// The server has said that it listens.
    fn is_ready(&self) -> bool;

    /// The words so far.
    fn transcript(&mut self) -> &mut Transcript;

    /// Up to where the server has looked for words, as far as it tells.
    fn looked(&self) -> Option<Duration>;

    /// The words up to `until` will be waited for from now on.
    fn ask(&mut self, until: Duration);

    /// The server has looked at these words, or does not tell.
    fn covers(&self) -> bool;

    /// Another stream begins.
    fn reset(&mut self);
}

/// Where a stream is.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Stream {
    /// How much audio had been heard before its first.
    pub(in crate::services) origin: Duration,
    /// How much the server has, of all that was heard.
    pub(in crate::services) sent: Duration,
}

/// How long a session waits.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Timing {
    /// For the last words of a turn, at most.
    pub(in crate::services) finalize: Duration,
    /// Without a change of the words.
    pub(in crate::services) settle: Duration,
    /// Silence sent ahead.
    pub(in crate::services) padding: Duration,
    /// How old a stream may get; it is renewed in a pause.
    pub(in crate::services) renew: Option<Duration>,
}

/// One call's recogniser.
pub(in crate::services) struct Session<R, D: Dialect> {
    listening: Listening<D>,
    reader: R,
    timing: Timing,
    upsampler: Upsampler,
    loud: LoudTracker,
    segment: SegmentId,
    /// Where it began.
    from: Duration,
    /// The words that were shown last.
    shown: String,
    /// Up to where the server had looked when it last found other words.
    changed: Option<Duration>,
    /// When they last changed, or were looked at, since the question.
    settling: Option<Instant>,
    /// When the present stream was first heard of.
    since: Option<Instant>,
    alarm: Alarm,
    events: VecDeque<SttEvent>,
}

impl<R: Reader, D: Dialect> Session<R, D> {
    pub(in crate::services) fn new(
        engine: &'static str,
        dialect: D,
        reader: R,
        format: Format,
        timing: Timing,
    ) -> Self {
        let terms = Terms { patience: timing.finalize, answers_all: false };
        Self {
            listening: Listening::new(engine, Link::open(dialect, Format::Pcm16k), terms),
            reader,
            timing,
            upsampler: Upsampler::new(format),
            loud: LoudTracker::new(Format::Pcm16k.rate()),
            segment: SegmentId(0),
            from: Duration::ZERO,
            shown: String::new(),
            changed: None,
            settling: None,
            since: None,
            alarm: Alarm::default(),
            events: VecDeque::new(),
        }
    }

    fn take(&mut self, message: &str) -> Result<(), ServiceError> {
        self.since.get_or_insert_with(Instant::now);
        let covered = self.reader.covers();
        let stream = self.stream();
        self.reader.read(message, stream)?;
        let words = self.reader.transcript().words();
        let changed = words != self.shown;
        if changed || self.reader.covers() != covered {
            self.settling = Some(Instant::now());
        }
        if changed {
            self.changed = self.reader.looked();
            self.show(words);
        }
        Ok(())
    }

    fn show(&mut self, words: String) {
        self.shown.clone_from(&words);
        if self.listening.is_busy() && !words.is_empty() {
            self.events.push_back(SttEvent::Partial { segment: self.segment, text: words });
        }
    }

    /// What the server has: silence that was sent ahead is on its way for a moment.
    fn stream(&mut self) -> Stream {
        let origin = self.listening.origin();
        let waiting = FRAME * (self.listening.link().waiting() / Format::Pcm16k.bytes()) as u32;
        let on_its_way = self.listening.sent().is_none_or(|sent| sent.elapsed() < TRANSIT);
        let asked = self.listening.asked().filter(|_| on_its_way);
        let position = asked.unwrap_or_else(|| self.listening.position());
        Stream { origin, sent: position.saturating_sub(waiting) }
    }

    /// The last words count when the server has looked at them and has changed nothing for a while.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ServiceError>> {
        let Some(sent) = self.listening.sent() else { return Poll::Pending };
        let due = sent + self.timing.finalize;
        let settled = self.settling.unwrap_or(sent).max(sent) + self.timing.settle;
        let covered = self.reader.is_ready() && self.reader.covers();
        ready!(self.alarm.poll(if covered { settled.min(due) } else { due }, cx));
        if let Some(late) = self.lateness() {
            return Poll::Ready(Err(late));
        }
        self.listening.answered();
        let text = self.reader.transcript().answer();
        self.events.push_back(SttEvent::Final { segment: self.segment, text, flushed: true });
        Poll::Ready(Ok(()))
    }

    /// A server that has not looked at the words is too slow or gone, and the words are another's to find. Here silence
    /// may also mean that nothing was understood, but not of long speech.
    fn lateness(&self) -> Option<ServiceError> {
        let limit = self.timing.finalize;
        let spoken = self.listening.position().saturating_sub(self.from);
        let mute = !self.listening.has_spoken() && (R::TALKATIVE || spoken >= LONG_SPEECH);
        if !self.reader.is_ready() || mute || self.listening.is_behind() {
            return Some(ServiceError::Late { phase: Phase::FirstByte, limit });
        }
        let behind = R::TALKATIVE && !self.reader.covers();
        behind.then_some(ServiceError::Late { phase: Phase::Answer, limit })
    }

    fn lose(&mut self, error: ServiceError) -> Result<(), SttError> {
        self.listening.lose(error)?;
        self.forget();
        Ok(())
    }

    fn renew(&mut self) {
        self.listening.link().rest();
        self.forget();
    }

    /// Another stream begins.
    fn forget(&mut self) {
        self.reader.reset();
        self.shown.clear();
        self.changed = None;
        self.since = None;
    }

    /// A stream that gets too old ends when nobody speaks, before the server ends it when somebody does.
    fn poll_age(&mut self) {
        let old = |(since, renew): (Instant, Duration)| since.elapsed() >= renew;
        if !self.listening.is_busy() && self.since.zip(self.timing.renew).is_some_and(old) {
            self.renew();
        }
    }

    /// Silence up to the end of a message, so that it is sent at once.
    fn pad(&mut self) {
        let silence = Frame::silence(Format::Pcm16k);
        let link = self.listening.link();
        let until = link.position() + self.timing.padding;
        while link.position() < until || link.is_partial() {
            link.hear(&silence);
        }
    }
}

impl<R: Reader, D: Dialect> SttSession for Session<R, D> {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.segment = segment.id;
        self.listening.begin();
        self.events.clear();
        self.from = self.listening.position().saturating_sub(ONSET);
        // Words that were found before it began are not of this segment.
        let before = self.changed.is_none_or(|changed| changed <= self.from);
        self.reader.transcript().begin(before);
        self.shown.clear();
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        let Self { upsampler, listening, loud, .. } = self;
        let mut heard = Ok(());
        upsampler.push(frame, |frame| {
            loud.hear(&frame.at(0, MediaTime::from(listening.position())));
            if heard.is_ok() {
                heard = listening.hear(frame);
            }
        });
        heard
    }

    fn flush(&mut self) -> Result<(), SttError> {
        let until = self.loud.loud_until().since_start();
        self.listening.ask();
        self.settling = None;
        self.reader.ask(until);
        self.pad();
        Ok(())
    }

    fn abandon(&mut self) {
        self.listening.end();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(event));
            }
            self.poll_age();
            match self.listening.poll_text(cx) {
                Poll::Ready(text) => {
                    if let Err(error) = text.and_then(|text| self.take(&text)) {
                        self.lose(error)?;
                    }
                }
                Poll::Pending => {
                    ready!(self.poll_answer(cx)).map_err(|error| self.listening.failure(error))?;
                }
            }
        }
    }
}

impl<R, D: Dialect> std::fmt::Debug for Session<R, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("segment", &self.segment)
            .field("settling", &self.settling)
            .finish_non_exhaustive()
    }
}

/// How far before its sign the words of a segment may begin.
const ONSET: Duration = Duration::from_millis(500);

/// A server may know of silence that was sent ahead after this.
const TRANSIT: Duration = Duration::from_millis(100);
