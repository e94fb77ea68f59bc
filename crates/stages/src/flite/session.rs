use super::framer::Framer;
use super::spelling::Spelling;
use super::voice::{Listener, Voice, WordEnd};
use crate::pool::{Cancelled, Control, EnginePool, JobError, SubmitError, Ticket};
use crate::stt::Urgency;
use crate::tts::{Clause, TtsError, TtsEvent, TtsSession};
use ringway_frame::{FRAME, Format, Frame, SampleRate};
use ringway_ring::{PopError, Reader, ring};
use std::collections::VecDeque;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// One call's voice: its clauses are spoken in order, each by whichever thread is free.
#[derive(Debug)]
pub(super) struct Session {
    pool: Arc<EnginePool<Voice>>,
    format: Format,
    clauses: VecDeque<Speaking>,
}

impl Session {
    pub(super) fn new(pool: Arc<EnginePool<Voice>>, format: Format) -> Self {
        Self { pool, format, clauses: VecDeque::new() }
    }
}

impl TtsSession for Session {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if self.clauses.len() == MAX_CLAUSES {
            return Err(TtsError::Overloaded { queued: self.clauses.len() });
        }
        // The caller waits for the first clause; those behind it have its duration as time.
        let urgency = if self.clauses.is_empty() { Urgency::Turn } else { Urgency::Speculation };
        self.clauses.push_back(Speaking::begin(&self.pool, urgency, clause, self.format)?);
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some(speaking) = self.clauses.front_mut() else { return Poll::Pending };
        let event = ready!(speaking.poll_next(cx, frame));
        if !matches!(event, Ok(TtsEvent::Audio | TtsEvent::Word { .. })) {
            self.clauses.pop_front();
        }
        Poll::Ready(event)
    }
}

/// A clause that is being spoken.
#[derive(Debug)]
struct Speaking {
    clause: u32,
    /// Bytes of its text, and of the part that was reported as said.
    len: u32,
    said: u32,
    ticket: Option<Ticket<()>>,
    audio: Audio,
    frames: u32,
}

#[derive(Debug)]
enum Audio {
    /// The voice has not begun.
    Awaited(oneshot::Receiver<Opening>),
    Playing(Opening),
    /// There is none, or no more.
    Over,
}

/// What a voice gives first of a clause.
#[derive(Debug)]
struct Opening {
    reader: Reader,
    words: VecDeque<Mark>,
}

/// The text up to this byte is within so many frames.
#[derive(Clone, Copy, Debug)]
struct Mark {
    upto: u32,
    frames: u32,
}

impl Speaking {
    fn begin(
        pool: &EnginePool<Voice>,
        urgency: Urgency,
        clause: Clause,
        format: Format,
    ) -> Result<Self, TtsError> {
        let (sender, opening) = oneshot::channel();
        let Clause { id, text } = clause;
        let len = text.len() as u32;
        let say = move |voice: &mut Voice, control: &Control| say(voice, control, &text, format, sender);
        let ticket = pool.submit(urgency, say).map_err(refusal)?;
        Ok(Self { clause: id, len, said: 0, ticket: Some(ticket), audio: Audio::Awaited(opening), frames: 0 })
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        // First, since a thread that is stuck keeps its other promises open.
        self.poll_ticket(cx)?;
        loop {
            match &mut self.audio {
                Audio::Awaited(opening) => {
                    let opening = ready!(Pin::new(opening).poll(cx));
                    self.audio = opening.map_or(Audio::Over, Audio::Playing);
                }
                Audio::Playing(playing) => match ready!(playing.poll_next(cx, frame, self.frames)) {
                    Some(Step::Word(upto)) => return self.word(upto),
                    Some(Step::Audio) => {
                        self.frames += 1;
                        return Poll::Ready(Ok(TtsEvent::Audio));
                    }
                    None => self.audio = Audio::Over,
                },
                Audio::Over => return self.poll_end(),
            }
        }
    }

    /// No audio is left: the rest of the words, then the end, once the job has returned.
    fn poll_end(&mut self) -> Poll<Result<TtsEvent, TtsError>> {
        if self.ticket.is_some() {
            return Poll::Pending;
        }
        if self.said < self.len {
            return self.word(self.len);
        }
        Poll::Ready(Ok(TtsEvent::Done { clause: self.clause }))
    }

    fn word(&mut self, upto: u32) -> Poll<Result<TtsEvent, TtsError>> {
        self.said = upto;
        Poll::Ready(Ok(TtsEvent::Word { clause: self.clause, upto }))
    }

    fn poll_ticket(&mut self, cx: &mut Context<'_>) -> Result<(), TtsError> {
        let Some(ticket) = &mut self.ticket else { return Ok(()) };
        if let Poll::Ready(result) = ticket.poll(cx) {
            self.ticket = None;
            result.map_err(failure)?;
        }
        Ok(())
    }
}

enum Step {
    Audio,
    Word(u32),
}

impl Opening {
    /// What comes after `frames` frames; `None`: nothing.
    fn poll_next(&mut self, cx: &mut Context<'_>, frame: &mut Frame, frames: u32) -> Poll<Option<Step>> {
        if let Some(mark) = self.words.front().filter(|mark| mark.frames <= frames).copied() {
            self.words.pop_front();
            return Poll::Ready(Some(Step::Word(mark.upto)));
        }
        loop {
            match self.reader.pop(frame) {
                Ok(()) => return Poll::Ready(Some(Step::Audio)),
                Err(PopError::Closed) => return Poll::Ready(None),
                // A frame, or the end, may come between the two looks.
                Err(PopError::Empty) => {
                    let _ = ready!(self.reader.poll_ready(cx));
                }
            }
        }
    }
}

/// On the voice's thread.
fn say(
    voice: &mut Voice,
    control: &Control,
    text: &str,
    format: Format,
    opening: oneshot::Sender<Opening>,
) -> Result<(), Cancelled> {
    let spelling = Spelling::new(text);
    let Some(spelled) = spelling.to_c() else { return Ok(()) };
    let mut utterance =
        Utterance { control, spelling, format, opening: Some(opening), waiting: None, framer: None };
    voice.speak(&spelled, &mut utterance);
    control.checkpoint()?;
    utterance.finish();
    Ok(())
}

/// Takes the audio of one clause from the voice into the ring.
struct Utterance<'a> {
    control: &'a Control,
    spelling: Spelling,
    format: Format,
    opening: Option<oneshot::Sender<Opening>>,
    /// The opening, until the front is trimmed and the words can be dated.
    waiting: Option<(Reader, Vec<WordEnd>, SampleRate)>,
    framer: Option<Framer>,
}

impl Listener for Utterance<'_> {
    fn words(&mut self, words: Vec<WordEnd>, rate: SampleRate, samples: usize) {
        let frames = rate.duration(samples as u64).as_nanos().div_ceil(FRAME.as_nanos()) as usize;
        let (writer, reader) = ring(self.format, frames + 2);
        self.framer = Some(Framer::new(rate, writer));
        self.waiting = Some((reader, words, rate));
    }

    fn audio(&mut self, samples: &[i16]) -> ControlFlow<()> {
        if self.control.checkpoint().is_err() {
            return ControlFlow::Break(());
        }
        if let Some(framer) = &mut self.framer {
            framer.push(samples);
            if let Some(dropped) = framer.trimmed() {
                self.open(dropped);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Utterance<'_> {
    fn open(&mut self, dropped: usize) {
        let (Some((reader, ends, rate)), Some(opening)) = (self.waiting.take(), self.opening.take()) else {
            return;
        };
        let date = |(upto, seconds): (u32, f32)| {
            let seconds = seconds - dropped as f32 / rate.hz() as f32;
            Mark { upto, frames: (seconds / FRAME.as_secs_f32()).ceil().max(0.0) as u32 }
        };
        let words = self.spelling.places(&ends).into_iter().map(date).collect();
        // A session that has gone does not miss it.
        drop(opening.send(Opening { reader, words }));
    }

    fn finish(mut self) {
        if let Some(framer) = self.framer.take() {
            framer.finish();
        }
    }
}

fn refusal(error: SubmitError) -> TtsError {
    match error {
        SubmitError::Overloaded { queued } => TtsError::Overloaded { queued },
        SubmitError::NoEngine => engine_error(error.to_string()),
    }
}

fn failure(error: JobError) -> TtsError {
    engine_error(error.to_string())
}

fn engine_error(reason: String) -> TtsError {
    TtsError::Engine { engine: "flite".into(), reason }
}

/// Clauses of one call that wait or are being spoken; beyond it the newest is refused.
const MAX_CLAUSES: usize = 16;
