use super::{FAILED, MISTAKEN, fail};
use crate::engines::{self, Built};
use clap::Args;
use ringway_actors::VadEngine;
use ringway_config::{Loaded, Sources, load};
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmEvent, LlmRequest};
use ringway_stages::silero::WindowCutter;
use ringway_stages::stt::{Segment, SegmentId, SpeechToText, SttCall, SttEvent, Urgency};
use ringway_stages::tts::TextToSpeech;
use ringway_stages::vad::VadJob;
use serde_json::json;
use std::error::Error;
use std::future::poll_fn;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Uses every configured engine once: a word of speech, the same word understood, a reply.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Configuration file; without it config/default.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is spoken and is to be understood.
const WORD: &str = "yes";

/// An engine that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(10);

/// How one engine did.
#[derive(Debug)]
struct Finding {
    stage: &'static str,
    engine: String,
    took: Duration,
    outcome: Result<String, String>,
}

impl Doctor {
    /// Exit 0: all are well; 1: one is not; 2: the configuration has mistakes.
    pub fn run(self) -> ExitCode {
        let loaded = match load(Sources::of_process(self.config.clone(), Vec::new())) {
            Ok(loaded) => loaded,
            Err(problems) => {
                eprintln!("{problems}");
                return ExitCode::from(MISTAKEN);
            }
        };
        match examine(loaded) {
            Ok(findings) => self.print(&findings),
            Err(error) => fail(&error),
        }
    }

    fn print(&self, findings: &[Finding]) -> ExitCode {
        let well = findings.iter().all(|finding| finding.outcome.is_ok());
        if self.json {
            let engines: Vec<_> = findings.iter().map(Finding::to_json).collect();
            println!("{}", json!({ "ok": well, "engines": engines }));
        } else {
            findings.iter().for_each(Finding::print);
        }
        if well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
    }
}

impl Finding {
    fn of(
        stage: &'static str,
        engine: &str,
        examine: impl FnOnce() -> Result<String, Box<dyn Error>>,
    ) -> Self {
        let began = Instant::now();
        let outcome = examine().map_err(|error| error.to_string());
        Self { stage, engine: engine.to_owned(), took: began.elapsed(), outcome }
    }

    fn print(&self) {
        let (mark, detail) = match &self.outcome {
            Ok(detail) => ("ok", detail),
            Err(error) => ("FAILED", error),
        };
        let Self { stage, engine, took, .. } = self;
        println!("{stage:<4} {engine:<14} {mark:<7} {:>6} ms  {detail}", took.as_millis());
    }

    fn to_json(&self) -> serde_json::Value {
        let Self { stage, engine, took, outcome } = self;
        json!({
            "stage": stage,
            "engine": engine,
            "ok": outcome.is_ok(),
            "ms": took.as_millis() as u64,
            "detail": outcome.as_ref().unwrap_or_else(|error| error),
        })
    }
}

/// On a thread beside the runtime's own, since engines are waited for.
fn examine(loaded: Loaded) -> std::io::Result<Vec<Finding>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let examined = runtime.block_on(runtime.spawn_blocking(move || examine_all(&loaded)));
    examined.map_err(std::io::Error::other)
}

fn examine_all(loaded: &Loaded) -> Vec<Finding> {
    let began = Instant::now();
    match engines::build(&loaded.config, &loaded.secrets) {
        Ok(built) => examine_built(&built),
        Err(error) => {
            let outcome = Err(error.to_string());
            vec![Finding { stage: "all", engine: "start".into(), took: began.elapsed(), outcome }]
        }
    }
}

fn examine_built(Built { engines, .. }: &Built) -> Vec<Finding> {
    let mut word = Word::default();
    let mut findings = Vec::new();
    for voice in &engines.tts {
        findings.push(Finding::of("tts", voice.name(), || speak(voice.as_ref(), &mut word)));
    }
    findings.insert(0, Finding::of("vad", &engines.vad.name, || detect(&engines.vad, &word)));
    for recogniser in &engines.stt {
        findings.push(Finding::of("stt", recogniser.name(), || understand(recogniser.as_ref(), &word)));
    }
    for model in &engines.llm {
        findings.push(Finding::of("llm", model.name(), || reply(model.as_ref())));
    }
    findings
}

/// What the first voice said, for the other stages.
#[derive(Debug, Default)]
struct Word {
    audio: Vec<u8>,
    /// It comes from the scripted voice: no word to understand.
    is_a_tone: bool,
}

/// Engines that do as they are told, for load tests.
const SCRIPTED: &str = "scripted";

/// A detector that is less sure of a spoken word does not work.
const CERTAIN: f32 = 0.5;

/// The first voice's audio goes to the other stages.
fn speak(voice: &dyn TextToSpeech, word: &mut Word) -> Result<String, Box<dyn Error>> {
    let audio = engines::render(voice, Format::Pcm16k, WORD)?;
    let frames = audio.len() / Format::Pcm16k.bytes();
    if frames == 0 {
        return Err("it said nothing".into());
    }
    if word.audio.is_empty() {
        *word = Word { audio, is_a_tone: voice.name() == SCRIPTED };
    }
    Ok(format!("said {WORD:?} in {} ms of audio", frames * 20))
}

fn detect(engine: &VadEngine, word: &Word) -> Result<String, Box<dyn Error>> {
    let mut vad = (engine.build)()?;
    let mut cutter = WindowCutter::new(Format::Pcm16k, engine.rate)?;
    let mut state = engine.state.clone();
    let mut highest = 0.0_f32;
    for frame in frames(&word.audio) {
        cutter.hear(&frame);
        while let Some(window) = cutter.next_window() {
            let mut jobs = [VadJob { state: &mut state, samples: window.samples, probability: 0.0 }];
            vad.infer(&mut jobs)?;
            highest = highest.max(jobs[0].probability);
        }
    }
    match highest {
        _ if word.is_a_tone => {
            Ok(format!("ran; the voice is a tone, speech with a probability of {highest:.2}"))
        }
        CERTAIN.. => Ok(format!("speech with a probability of {highest:.2}")),
        _ => Err(format!("took {WORD:?} for speech with a probability of only {highest:.2}").into()),
    }
}

fn understand(recogniser: &dyn SpeechToText, word: &Word) -> Result<String, Box<dyn Error>> {
    let mut session = recogniser.open(SttCall { format: Format::Pcm16k })?;
    let expectation = Expectation { phrases: vec![WORD.into(), "no".into()], ..Expectation::default() };
    session.begin(Segment { id: SegmentId(1), urgency: Urgency::Turn, expectation })?;
    for frame in frames(&word.audio) {
        session.hear(&frame)?;
    }
    session.flush()?;
    loop {
        let event = wait(poll_fn(|cx| session.poll_event(cx)))??;
        let SttEvent::Final { text, flushed: true, .. } = event else { continue };
        let is_judged = !word.is_a_tone && recogniser.name() != SCRIPTED;
        if is_judged && !text.to_lowercase().contains(WORD) {
            return Err(format!("understood {text:?} where {WORD:?} was said").into());
        }
        return Ok(format!("understood {text:?}"));
    }
}

fn reply(model: &dyn LanguageModel) -> Result<String, Box<dyn Error>> {
    let mut session = model.open(LlmCall::default())?;
    session.reply(LlmRequest::new(1, Cue::Joined))?;
    loop {
        match wait(poll_fn(|cx| session.poll_event(cx)))?? {
            LlmEvent::Text { text, .. } if !text.trim().is_empty() => {
                return Ok(format!("began with {:?}", text.trim()));
            }
            LlmEvent::Text { .. }
            | LlmEvent::Call { .. }
            | LlmEvent::Tool { .. }
            | LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Err("it said nothing".into()),
        }
    }
}

fn wait<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Error>> {
    let bounded = async { tokio::time::timeout(PATIENCE, future).await };
    Handle::current().block_on(bounded).map_err(|_| format!("nothing came within {PATIENCE:?}").into())
}

fn frames(audio: &[u8]) -> impl Iterator<Item = Frame> {
    let whole = audio.chunks_exact(Format::Pcm16k.bytes());
    whole.map(|payload| Frame::new(Format::Pcm16k, payload).expect("20 ms"))
}
