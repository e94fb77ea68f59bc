use super::finding::Finding;
use crate::engines;
use ringway_actors::VadEngine;
use ringway_config::Loaded;
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmEvent, LlmRequest};
use ringway_stages::silero::WindowCutter;
use ringway_stages::speech_to_speech::{SpeechCall, SpeechEvent, SpeechToSpeech, Wanted};
use ringway_stages::stt::{Segment, SegmentId, SpeechToText, SttCall, SttEvent, SttMode, Urgency};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsEvent};
use ringway_stages::vad::VadJob;
use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// One engine that is tried.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    Vad(String),
    Stt(String),
    Llm(String),
    Tts(String),
    S2s(String),
}

/// What is spoken and is to be understood.
const WORD: &str = "yes";

/// What is asked.
const QUESTION: &str = "Say yes.";

/// Audio of the word, or why there is none.
pub(super) type Word = Result<Arc<[u8]>, String>;

type Seen = Result<String, Box<dyn Error>>;

impl Probe {
    /// Tries it on a thread of its own.
    pub(super) async fn examine(self, loaded: Arc<Loaded>, word: Word) -> Finding {
        let (stage, engine) = self.names();
        let (began, engine) = (Instant::now(), engine.to_owned());
        let tried = tokio::task::spawn_blocking(move || self.try_out(&loaded, &word));
        let (took, outcome) = match timeout(PATIENCE + SETTING_UP, tried).await {
            Ok(Ok(tried)) => tried,
            Ok(Err(end)) => (began.elapsed(), Err(format!("it panicked: {end}"))),
            Err(_elapsed) => (began.elapsed(), Err("it did not come back".to_owned())),
        };
        Finding { stage, engine, took, outcome }
    }

    fn names(&self) -> (&'static str, &str) {
        match self {
            Self::Vad(name) => ("vad", name),
            Self::Stt(name) => ("stt", name),
            Self::Llm(name) => ("llm", name),
            Self::Tts(name) => ("tts", name),
            Self::S2s(name) => ("s2s", name),
        }
    }

    /// Sets it up and uses it once; only the second counts as its time.
    fn try_out(&self, loaded: &Loaded, word: &Word) -> (Duration, Result<String, String>) {
        let mut began = Instant::now();
        let seen = self.seen(loaded, word, &mut || began = Instant::now());
        let outcome = seen.map_err(|error| error.to_string());
        (began.elapsed(), outcome)
    }

    /// `ready`: it is set up.
    fn seen(&self, loaded: &Loaded, word: &Word, ready: &mut dyn FnMut()) -> Seen {
        let Loaded { config, secrets, .. } = loaded;
        let word = || word.as_deref().map_err(String::as_str);
        match self {
            Self::Vad(_) => {
                let engine = engines::one_vad(config)?;
                ready();
                detect(&engine, word()?)
            }
            Self::Stt(name) => {
                let recogniser = engines::one_stt(config, secrets, name)?;
                ready();
                wait(understand(recogniser.as_ref(), word()?))
            }
            Self::Llm(name) => {
                let model = engines::one_llm(config, secrets, name)?;
                ready();
                wait(reply(model.as_ref()))
            }
            Self::Tts(name) => {
                let voice = engines::one_tts(config, secrets, name)?;
                ready();
                wait(say(voice.as_ref()))
            }
            Self::S2s(name) => {
                let service = engines::one_s2s(config, secrets, name)?;
                ready();
                wait(greet(service.as_ref()))
            }
        }
    }
}

fn wait(seen: impl Future<Output = Seen>) -> Seen {
    let bounded = async { timeout(PATIENCE, seen).await };
    Handle::current().block_on(bounded).map_err(|_| format!("nothing came within {PATIENCE:?}"))?
}

/// What a voice said.
pub(super) struct Spoken {
    pub(super) audio: Vec<u8>,
    /// From the request to the first audio.
    first: Option<Duration>,
}

/// Has a voice say the word.
pub(super) async fn speak(voice: &dyn TextToSpeech, format: Format) -> Result<Spoken, Box<dyn Error>> {
    let began = Instant::now();
    let mut session = voice.open(TtsCall { format })?;
    session.speak(Clause { id: 0, text: WORD.to_owned() })?;
    let mut frame = Frame::silence(format);
    let mut spoken = Spoken { audio: Vec::new(), first: None };
    loop {
        match poll_fn(|cx| session.poll_next(cx, &mut frame)).await? {
            TtsEvent::Audio => {
                spoken.first.get_or_insert_with(|| began.elapsed());
                spoken.audio.extend_from_slice(frame.payload());
            }
            TtsEvent::Word { .. } => {}
            TtsEvent::Done { .. } => return Ok(spoken),
        }
    }
}

async fn say(voice: &dyn TextToSpeech) -> Seen {
    let Spoken { audio, first } = speak(voice, Format::Pcm16k).await?;
    let millis = audio.len() / Format::Pcm16k.bytes() * 20;
    let first = first.ok_or("it said nothing")?.as_millis();
    Ok(format!("said {WORD:?} in {millis} ms of audio, the first after {first} ms"))
}

fn detect(engine: &VadEngine, word: &[u8]) -> Seen {
    let mut vad = (engine.build)()?;
    let mut cutter = WindowCutter::new(Format::Pcm16k, engine.rate)?;
    let mut state = engine.state.clone();
    let mut highest = 0.0_f32;
    for frame in frames(word) {
        cutter.hear(&frame);
        while let Some(window) = cutter.next_window() {
            let mut jobs = [VadJob { state: &mut state, samples: window.samples, probability: 0.0 }];
            vad.infer(&mut jobs)?;
            highest = highest.max(jobs[0].probability);
        }
    }
    if highest < CERTAIN {
        return Err(format!("took {WORD:?} for speech with a probability of only {highest:.2}").into());
    }
    Ok(format!("{}: speech with a probability of {highest:.2}", engine.name))
}

async fn understand(recogniser: &dyn SpeechToText, word: &[u8]) -> Seen {
    let mut session = recogniser.open(SttCall { format: Format::Pcm16k })?;
    let expectation = Expectation { phrases: vec![WORD.into(), "no".into()], ..Expectation::default() };
    let segment = Segment { id: SegmentId(1), urgency: Urgency::Turn, expectation };
    let silence = vec![0; QUIET * Format::Pcm16k.bytes()];
    let is_stream = session.mode() == SttMode::Streaming;
    if is_stream {
        frames(&silence).try_for_each(|frame| session.hear(&frame))?;
    }
    session.begin(segment)?;
    frames(word).try_for_each(|frame| session.hear(&frame))?;
    if is_stream {
        frames(&silence).try_for_each(|frame| session.hear(&frame))?;
    }
    session.flush()?;
    loop {
        let event = poll_fn(|cx| session.poll_event(cx)).await?;
        if let SttEvent::Final { text, flushed: true, .. } = event {
            return judge(recogniser.name(), &text);
        }
    }
}

/// The embedded recogniser knows the word; services may write it otherwise, but have to hear something.
fn judge(engine: &str, text: &str) -> Seen {
    let misunderstood = engine == "pocketsphinx" && !text.to_lowercase().contains(WORD);
    if misunderstood || text.trim().is_empty() {
        return Err(format!("understood {text:?} where {WORD:?} was said").into());
    }
    Ok(format!("understood {text:?}"))
}

async fn reply(model: &dyn LanguageModel) -> Seen {
    // A dialogue's first words are its greeting; others may greet without asking their service.
    let greets = ["dialogue", "scripted"].contains(&model.name());
    let cue = if greets { Cue::Joined } else { Cue::Said(QUESTION.to_owned()) };
    let mut session = model.open(LlmCall::default())?;
    session.reply(LlmRequest::new(1, cue))?;
    loop {
        match poll_fn(|cx| session.poll_event(cx)).await? {
            LlmEvent::Text { text, .. } if !text.trim().is_empty() => {
                return Ok(format!("began with {:?}", text.trim()));
            }
            LlmEvent::Text { .. }
            | LlmEvent::Call { .. }
            | LlmEvent::Tool { .. }
            | LlmEvent::Slots { .. }
            | LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Err("it said nothing".into()),
        }
    }
}

async fn greet(service: &dyn SpeechToSpeech) -> Seen {
    let format = Format::Pcm16k;
    let mut session = service.open(SpeechCall::of(format))?;
    session.answer(Wanted::new(1, Cue::Joined))?;
    let mut frame = Frame::silence(format);
    let sound = |cx: &mut Context<'_>| {
        loop {
            match session.poll_event(cx) {
                Poll::Ready(Ok(SpeechEvent::Done { .. })) => return Poll::Ready(Ok("listens")),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if session.next_frame(&mut frame) => return Poll::Ready(Ok("greets")),
                Poll::Pending => return Poll::Pending,
            }
        }
    };
    Ok(poll_fn(sound).await?.to_owned())
}

fn frames(audio: &[u8]) -> impl Iterator<Item = Frame> {
    let whole = audio.chunks_exact(Format::Pcm16k.bytes());
    whole.map(|payload| Frame::new(Format::Pcm16k, payload).expect("20 ms"))
}

/// An engine that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(10);

/// Models are read, and threads started.
const SETTING_UP: Duration = Duration::from_secs(60);

/// A detector that is less sure of a spoken word does not work.
const CERTAIN: f32 = 0.5;

/// Frames of silence on both sides of the word, for recognisers that listen all the time.
const QUIET: usize = 25;
