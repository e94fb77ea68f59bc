//! Engines that can be read: a word is a run of frames whose samples all have the word's own value.

use ringway_actors::{Engines, Phrase, VadEngine};
use ringway_frame::{Format, Frame, SampleRate};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession,
};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use ringway_stages::vad::{Vad, VadError, VadJob, VadState};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep as pass};

/// All words that can be said or heard.
pub const WORDS: [&str; 20] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo",
    "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango",
];

/// Frames of one word (300 ms).
pub const WORD_FRAMES: usize = 15;

/// What the bot says to everything, after the greeting.
pub const REPLY: &str = "golf hotel india juliet kilo lima mike november oscar papa";

/// What the bot says to "quebec".
pub const CLAUSES: &str =
    "golf hotel india. juliet kilo lima. mike november oscar. papa romeo golf. hotel india.";

/// What the bot says first.
pub const GREETING: &str = "tango sierra";

/// The sample value of a word.
pub fn value(word: &str) -> i16 {
    let index = WORDS.iter().position(|known| *known == word).expect("a known word");
    3_000 + 500 * index as i16
}

/// The word of a frame, if it has one.
pub fn word_of(frame: &Frame) -> Option<&'static str> {
    let samples = frame.payload().as_chunks::<2>().0;
    if samples.iter().any(|sample| *sample != samples[0]) {
        return Some(TONES);
    }
    let sample = i16::from_le_bytes(samples[0]);
    let index = (sample - 3_000) / 500;
    (sample >= 3_000).then(|| WORDS.get(index as usize).copied()).flatten()
}

/// What is no word, and no silence either.
pub const TONES: &str = "(tones)";

/// A frame of a word.
pub fn frame_of(word: &str, frame: &mut Frame) {
    for pair in frame.payload_mut().as_chunks_mut::<2>().0 {
        *pair = value(word).to_le_bytes();
    }
}

/// Words as they are heard: runs of the same word count once.
pub fn words(frames: impl IntoIterator<Item = Option<&'static str>>) -> Vec<&'static str> {
    let mut heard = Vec::new();
    let mut last = None;
    for word in frames {
        if word != last {
            heard.extend(word);
        }
        last = word;
    }
    heard
}

/// What is said when nothing else can be.
pub const APOLOGY: [&str; 2] = ["romeo", "quebec"];

/// What is said while an answer takes long: a word that only its memory has.
pub const FILLER: &str = "One moment.";

/// One engine for each stage.
pub fn all() -> Engines {
    Engines {
        vad: VadEngine {
            name: "energy".into(),
            rate: SampleRate::HZ_16000,
            window: 512,
            state: VadState::zeroed(0),
            build: Box::new(|| Ok(Box::new(EnergyVad))),
        },
        s2s: Vec::new(),
        stt: vec![Arc::new(Reader)],
        llm: vec![Arc::new(Reciter)],
        tts: vec![Arc::new(Speaker)],
        languages: Vec::new(),
        apology: Phrase { text: APOLOGY.join(" "), pcm_16k: audio(&APOLOGY), ..Phrase::default() },
        filler: Phrase { text: FILLER.into(), pcm_16k: audio(&["echo"]), ..Phrase::default() },
    }
}

/// Whole frames of these words.
pub fn audio(words: &[&str]) -> Arc<[u8]> {
    let mut frame = Frame::silence(Format::Pcm16k);
    let mut audio = Vec::new();
    for word in words {
        frame_of(word, &mut frame);
        (0..WORD_FRAMES).for_each(|_| audio.extend_from_slice(frame.payload()));
    }
    audio.into()
}

pub struct EnergyVad;

impl Vad for EnergyVad {
    fn rate(&self) -> SampleRate {
        SampleRate::HZ_16000
    }

    fn window(&self) -> usize {
        512
    }

    fn state(&self) -> VadState {
        VadState::zeroed(0)
    }

    fn infer(&mut self, jobs: &mut [VadJob<'_>]) -> Result<(), VadError> {
        for job in jobs {
            let mean = job.samples.iter().map(|sample| sample.abs()).sum::<f32>() / job.samples.len() as f32;
            job.probability = if mean > 0.02 { 0.95 } else { 0.02 };
        }
        Ok(())
    }
}

/// Reads words off the samples.
pub struct Reader;

#[derive(Default)]
struct ReaderSession {
    segment: Option<SegmentId>,
    frames: Vec<Option<&'static str>>,
    answer: Option<(Pin<Box<Sleep>>, SttEvent)>,
}

impl SpeechToText for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn open(&self, _: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        Ok(Box::new(ReaderSession::default()))
    }
}

impl SttSession for ReaderSession {
    fn mode(&self) -> SttMode {
        SttMode::Segments
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        *self = Self { segment: Some(segment.id), ..Self::default() };
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.frames.push(word_of(frame));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        let text = words(self.frames.drain(..)).join(" ");
        let segment = self.segment.expect("a segment was begun");
        let event = SttEvent::Final { segment, text, flushed: true };
        self.answer = Some((Box::pin(pass(Duration::from_millis(80))), event));
        Ok(())
    }

    fn abandon(&mut self) {
        *self = Self::default();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        let Some((timer, _)) = &mut self.answer else { return Poll::Pending };
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.answer.take().expect("seen above").1))
    }
}

/// Says the same to everything, a word a token.
pub struct Reciter;

#[derive(Default)]
struct ReciterSession {
    id: u32,
    tokens: VecDeque<String>,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl LanguageModel for Reciter {
    fn name(&self) -> &str {
        "reciter"
    }

    fn open(&self, _: LlmCall) -> Result<Box<dyn LlmSession>, LlmError> {
        Ok(Box::new(ReciterSession::default()))
    }
}

impl LlmSession for ReciterSession {
    fn reply(&mut self, request: LlmRequest) -> Result<(), LlmError> {
        let text = match &request.cue {
            Cue::Joined => GREETING,
            Cue::Said(words) if words == "quebec" => CLAUSES,
            _ => REPLY,
        };
        let rest = text.strip_prefix(&request.already).expect("we said so ourselves");
        let tokens = rest.split_inclusive(' ').map(str::to_owned).collect();
        *self = Self {
            id: request.id,
            tokens,
            timer: Some(Box::pin(pass(Duration::from_millis(60)))),
            running: true,
        };
        Ok(())
    }

    fn cancel(&mut self) {
        *self = Self::default();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<LlmEvent, LlmError>> {
        if !self.running || self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_pending()) {
            return Poll::Pending;
        }
        let id = self.id;
        self.timer = Some(Box::pin(pass(Duration::from_millis(30))));
        Poll::Ready(Ok(match self.tokens.pop_front() {
            Some(text) => LlmEvent::Text { id, text },
            None => {
                self.running = false;
                LlmEvent::Done { id, next: Next::Listen(Expectation::anything()), memo: String::new() }
            }
        }))
    }
}

/// Speaks a word as frames of its value; has room for one clause at a time, as an engine under load.
pub struct Speaker;

#[derive(Default)]
struct SpeakerSession {
    queue: VecDeque<Piece>,
}

enum Piece {
    Frame(&'static str),
    Event(TtsEvent),
}

impl TextToSpeech for Speaker {
    fn name(&self) -> &str {
        "speaker"
    }

    fn open(&self, _: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(SpeakerSession::default()))
    }
}

impl TtsSession for SpeakerSession {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if !self.queue.is_empty() {
            return Err(TtsError::Overloaded { queued: 1 });
        }
        let mut upto = 0;
        for piece in clause.text.split_inclusive(' ') {
            upto += piece.len() as u32;
            let word = WORDS.iter().find(|word| **word == piece.trim().trim_end_matches('.'));
            let frames = std::iter::repeat_n(word, if word.is_some() { WORD_FRAMES } else { 0 }).flatten();
            self.queue.extend(frames.map(|word| Piece::Frame(word)));
            self.queue.push_back(Piece::Event(TtsEvent::Word { clause: clause.id, upto }));
        }
        self.queue.push_back(Piece::Event(TtsEvent::Done { clause: clause.id }));
        Ok(())
    }

    fn cancel(&mut self) {
        self.queue.clear();
    }

    fn poll_next(&mut self, _: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        match self.queue.pop_front() {
            None => Poll::Pending,
            Some(Piece::Event(event)) => Poll::Ready(Ok(event)),
            Some(Piece::Frame(word)) => {
                frame_of(word, frame);
                Poll::Ready(Ok(TtsEvent::Audio))
            }
        }
    }
}
