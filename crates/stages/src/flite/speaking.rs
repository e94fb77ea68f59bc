use super::framer::Framer;
use super::spelling::Spelling;
use super::voice::{Listener, Voice, WordEnd};
use crate::pool::{Cancelled, Control, EnginePool, JobError, SubmitError, Ticket};
use crate::stt::Urgency;
use crate::tts::{Clause, TtsError, TtsEvent};
use ringway_frame::{FRAME, Format, Frame, SampleRate};
use ringway_ring::{PopError, Reader, ring};
use std::collections::VecDeque;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A clause that was given to the voices.
#[derive(Debug)]
pub(super) struct Speaking {
    clause: Clause,
    /// Bytes of the part of its text that was reported as said.
    said: u32,
    ticket: Option<Ticket<()>>,
    audio: Audio,
    frames: u32,
}

/// The pool did not take the clause.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) clause: Clause,
    pub(super) error: SubmitError,
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
    /// Queues the clause.
    pub(super) fn begin(
        pool: &EnginePool<Voice>,
        urgency: Urgency,
        clause: Clause,
        format: Format,
    ) -> Result<Self, Refused> {
        let (sender, opening) = oneshot::channel();
        let text = clause.text.clone();
        let say = move |voice: &mut Voice, control: &Control| say(voice, control, &text, format, sender);
        match pool.submit(urgency, say) {
            Ok(ticket) => {
                let audio = Audio::Awaited(opening);
                Ok(Self { clause, said: 0, ticket: Some(ticket), audio, frames: 0 })
            }
            Err(error) => Err(Refused { clause, error }),
        }
    }

    /// What was given to the voices.
    pub(super) fn clause(&self) -> &Clause {
        &self.clause
    }

    /// No voice has begun with it.
    pub(super) fn is_queued(&self) -> bool {
        self.ticket.as_ref().is_some_and(Ticket::is_queued)
    }

    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        frame: &mut Frame,
    ) -> Poll<Result<TtsEvent, TtsError>> {
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
        let len = self.clause.text.len() as u32;
        if self.said < len {
            return self.word(len);
        }
        Poll::Ready(Ok(TtsEvent::Done { clause: self.clause.id }))
    }

    fn word(&mut self, upto: u32) -> Poll<Result<TtsEvent, TtsError>> {
        self.said = upto;
        Poll::Ready(Ok(TtsEvent::Word { clause: self.clause.id, upto }))
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

fn failure(error: JobError) -> TtsError {
    engine_error(error.to_string())
}

/// Flite cannot go on.
pub(super) fn engine_error(reason: String) -> TtsError {
    TtsError::Engine { engine: "flite".into(), reason }
}
