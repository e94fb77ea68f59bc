use super::{FAILED, MISTAKEN, time};
use crate::fail_if::FailIf;
use crate::process::Process;
use crate::prompts::{self, NoPrompts};
use crate::report::Report;
use crate::run::{Plan, RunError};
use crate::scenario::{Scenario, UnknownScenario};
use crate::target::{Dialect, Server};
use crate::voice::{Utterance, Voice, VoiceError};
use clap::{Args, ValueEnum};
use ringway_wire::voice_ws;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

/// Options of `ringway-load run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The server: http://HOST:PORT, or ws://HOST:PORT/PATH where the path is not ringway's.
    #[arg(long)]
    url: Server,
    /// How it is spoken to.
    #[arg(long, value_enum)]
    protocol: Dialect,
    /// How audio is coded on a browser socket.
    #[arg(long, value_enum, default_value_t = Codec::Pcm16)]
    codec: Codec,
    /// Calls at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls: u32,
    /// How long all calls are on.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time::parse)]
    duration: Duration,
    /// In which time the calls begin, evenly; without it 50 ms a call, at most 10 s.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    ramp: Option<Duration>,
    /// What callers do: chat, or barge_in (they also speak over the bot).
    #[arg(long, value_name = "NAME", default_value = "chat")]
    scenario: String,
    /// Recorded speech for callers to say, any WAV file; repeatable. Without it Debian's asterisk-core-sounds-en-wav.
    #[arg(long, value_name = "FILE")]
    say: Vec<PathBuf>,
    /// The server's process id: its CPU time and memory are measured.
    #[arg(long)]
    pid: Option<u32>,
    /// Gives the same words and pauses again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Writes the report here as JSON; - is standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Exit 1 when this holds, as in 'answer.p95 > 800ms'; repeatable.
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<FailIf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Codec {
    /// 16-bit samples at 16 kHz.
    Pcm16,
    /// Opus at 16 kHz.
    Opus,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
enum Mistake {
    #[error(transparent)]
    Scenario(#[from] UnknownScenario),
    #[error(transparent)]
    Prompts(#[from] NoPrompts),
    #[error(transparent)]
    Voice(#[from] VoiceError),
}

/// The 50 ms a call and their bound.
const RAMP_A_CALL: Duration = Duration::from_millis(50);
const LONGEST_RAMP: Duration = Duration::from_secs(10);

/// Bots that wait 200 ms take a longer pause for the end of the turn.
const LONG_PAUSE: Duration = Duration::from_millis(160);

impl Run {
    /// Exit 0: measured; 1: not measured, or a condition holds; 2: the command line has mistakes.
    pub fn run(self) -> ExitCode {
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(mistake) => return fail(&mistake, MISTAKEN),
        };
        match plan.run() {
            Ok(report) => self.judge(&report),
            Err(error @ RunError::Process(_)) => fail(&error, MISTAKEN),
            Err(error @ RunError::Runtime(_)) => fail(&error, FAILED),
        }
    }

    fn plan(&self) -> Result<Plan, Mistake> {
        let codec = match self.codec {
            Codec::Pcm16 => voice_ws::Codec::Pcm16,
            Codec::Opus => voice_ws::Codec::Opus,
        };
        Ok(Plan {
            url: self.url.socket(self.protocol),
            dialect: self.protocol,
            codec,
            calls: self.calls,
            duration: self.duration,
            ramp: self.ramp.unwrap_or_else(|| LONGEST_RAMP.min(RAMP_A_CALL * self.calls)),
            scenario: Rc::new(Scenario::named(&self.scenario)?),
            voice: Rc::new(self.voice(codec)?),
            seed: self.seed,
            server: self.pid.map(Process::new),
        })
    }

    fn voice(&self, codec: voice_ws::Codec) -> Result<Voice, Mistake> {
        let paths = if self.say.is_empty() { prompts::installed()? } else { self.say.clone() };
        let voice = Voice::load(&paths, Plan::encoding(self.protocol, codec))?;
        voice.utterances.iter().for_each(warn_of_pause);
        Ok(voice)
    }

    fn judge(&self, report: &Report) -> ExitCode {
        if let Err(error) = self.write(report) {
            return fail(&error, FAILED);
        }
        let holding: Vec<_> = self.fail_if.iter().filter(|condition| condition.holds(report)).collect();
        holding.iter().for_each(|condition| eprintln!("ringway-load: failed: {condition}"));
        if report.is_empty() {
            return fail(&"no answer was measured", FAILED);
        }
        let unjudged = report.invalid.is_some() && !self.fail_if.is_empty();
        if unjudged {
            return fail(&"the tester was late itself: nothing can be judged", FAILED);
        }
        if holding.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
    }

    fn write(&self, report: &Report) -> std::io::Result<()> {
        let json = || serde_json::to_string_pretty(report).expect("every key is a string") + "\n";
        match &self.json {
            Some(path) if path == Path::new("-") => print!("{}", json()),
            Some(path) => {
                print!("{report}");
                std::fs::write(path, json())?;
            }
            None => print!("{report}"),
        }
        Ok(())
    }
}

fn warn_of_pause(utterance: &Utterance) {
    let pause = utterance.longest_pause();
    if pause > LONG_PAUSE {
        let path = utterance.path.display();
        eprintln!("ringway-load: {path}: a pause of {} ms in it may be taken for its end", pause.as_millis());
    }
}

fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("ringway-load: {error}");
    ExitCode::from(code)
}
