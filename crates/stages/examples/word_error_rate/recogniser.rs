use crate::prompts::Prompt;
use audio_codec::Encoder;
use audio_codec::pcmu::PcmuEncoder;
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::pocketsphinx::{Config, Pocketsphinx};
use ringway_stages::spoken;
use ringway_stages::stt::{Segment, SegmentId, SpeechToText, SttCall, SttEvent, SttSession, Urgency};
use std::error::Error;
use std::fs;
use std::future::poll_fn;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// What was heard of a prompt.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What was said.
    pub said: String,
    /// The transcript, normalised.
    pub text: String,
    /// How long the segment is.
    pub audio: Duration,
    /// From the flush to the transcript.
    pub wall: Duration,
    /// Processor time of this process meanwhile, all but none of it the engine's.
    pub cpu: Duration,
}

/// One engine, that hears a prompt at a time.
pub struct Recogniser {
    engine: Pocketsphinx,
    runtime: Runtime,
}

/// Silence that a call keeps before and behind speech.
const PRE_ROLL: usize = 2_400;
const POST_ROLL: usize = 800;

impl Recogniser {
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let engine = Pocketsphinx::start(Config { threads: NonZeroUsize::MIN, ..Config::default() })?;
        Ok(Self { engine, runtime: tokio::runtime::Builder::new_current_thread().build()? })
    }

    /// One call in which all prompts are said, one after the other.
    pub fn hear_all(
        &self,
        prompts: &[Prompt],
        expectation: &Expectation,
        format: Format,
    ) -> Result<Vec<Heard>, Box<dyn Error>> {
        let mut session = self.engine.open(SttCall { format })?;
        let mut heard = Vec::new();
        // A stride that visits all: neighbours are alike, and a call learns from what it hears.
        let stride = (7..).find(|stride| gcd(*stride, prompts.len()) == 1).unwrap_or(1);
        for number in 0..prompts.len() {
            let prompt = &prompts[number * stride % prompts.len()];
            heard.push(self.hear(&mut *session, prompt, expectation, format)?);
            if std::io::stderr().is_terminal() {
                eprint!("\r{}/{} ", number + 1, prompts.len());
            }
        }
        Ok(heard)
    }

    fn hear(
        &self,
        session: &mut dyn SttSession,
        prompt: &Prompt,
        expectation: &Expectation,
        format: Format,
    ) -> Result<Heard, Box<dyn Error>> {
        let frames = frames(&prompt.samples, format);
        let segment = Segment { id: SegmentId(0), urgency: Urgency::Turn, expectation: expectation.clone() };
        session.begin(segment)?;
        frames.iter().try_for_each(|frame| session.hear(frame))?;
        let (cpu, began) = (cpu()?, Instant::now());
        session.flush()?;
        let event = self.runtime.block_on(poll_fn(|cx| session.poll_event(cx)))?;
        let SttEvent::Final { text, .. } = event else { return Err("not a final".into()) };
        Ok(Heard {
            said: prompt.text.clone(),
            text: spoken::words(&text).join(" "),
            audio: ringway_frame::FRAME * frames.len() as u32,
            wall: began.elapsed(),
            cpu: self::cpu()? - cpu,
        })
    }
}

/// The frames of a call that bring the prompt between two silences.
fn frames(samples: &[i16], format: Format) -> Vec<Frame> {
    let padded = [&[0; PRE_ROLL][..], samples, &[0; POST_ROLL]].concat();
    let frame = |samples: &[i16]| {
        let mut frame = Frame::silence(format);
        match format {
            Format::Mulaw8k => {
                // The encoder writes one byte a sample, and the payload has 160.
                let _ = PcmuEncoder::new().encode_into(samples, frame.payload_mut());
            }
            Format::Pcm8k | Format::Pcm16k => {
                let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
                frame.payload_mut().iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
            }
        }
        frame
    };
    padded.chunks_exact(160).map(frame).collect()
}

/// Processor time of all threads of this process: `sum_exec_runtime` of each (proc(5), sched).
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let mut nanos = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += times.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
