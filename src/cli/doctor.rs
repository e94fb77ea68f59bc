mod finding;
mod neighbour;
mod probe;

use super::{FAILED, MISTAKEN, fail};
use crate::engines;
use clap::Args;
use finding::Finding;
use neighbour::Neighbour;
use probe::{Probe, Word};
use ringway_config::{Config, Loaded, Sources, load};
use ringway_frame::Format;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle};

/// Tries every configured engine and service with a real request, all at once: a spoken word to each recogniser, a
/// question to each language model, a word to each voice; Redis, LiveKit and the knowledge base, where they are named.
#[derive(Clone, Debug, Args)]
pub struct Doctor {
    /// Configuration file; without it config/default.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Exit 0: all are well; 1: one is not; 2: the configuration has mistakes.
    pub fn run(self) -> ExitCode {
        let loaded = match load(Sources::of_process(self.config.clone(), Vec::new())) {
            Ok(loaded) => loaded,
            Err(problems) => {
                complain!("{problems}");
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
            say_json!(json!({ "ok": well, "engines": engines }));
        } else {
            say!("{}", finding::table(findings).trim_end());
        }
        if well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
    }
}

fn examine(loaded: Loaded) -> std::io::Result<Vec<Finding>> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let findings = runtime.block_on(examine_all(Arc::new(loaded)));
    // An engine that never comes back is not waited for.
    runtime.shutdown_background();
    Ok(findings)
}

/// Each on a thread of its own, since engines may block.
async fn examine_all(loaded: Arc<Loaded>) -> Vec<Finding> {
    let spoken = tokio::task::spawn_blocking({
        let loaded = loaded.clone();
        move || speak_the_word(&loaded)
    });
    let word: Word = spoken.await.unwrap_or_else(|end| Err(end.to_string()));
    let engines =
        probes(&loaded.config).map(|probe| tokio::spawn(probe.examine(loaded.clone(), word.clone())));
    let neighbours =
        Neighbour::of(&loaded.config).map(|neighbour| tokio::spawn(neighbour.examine(loaded.clone())));
    let mut examined: Vec<_> = engines.chain(neighbours).collect();
    for (code, language) in loaded.config.languages.iter().filter(|(_, language)| language.own_tts) {
        let loaded = Arc::new(Loaded { config: language.config.clone(), ..(*loaded).clone() });
        let voices = language.config.tts.engines.iter().cloned().map(Probe::Tts);
        let in_it = voices.map(|voice| examine_in(code.clone(), voice.examine(loaded.clone(), word.clone())));
        examined.extend(in_it.map(tokio::spawn));
    }
    let mut findings = Vec::new();
    for finding in examined {
        // A probe's own panic is told in its finding.
        findings.extend(finding.await);
    }
    findings
}

/// Voices of another language can say the word too; its recognisers are not asked to understand it.
async fn examine_in(code: String, examined: impl Future<Output = Finding>) -> Finding {
    let finding = examined.await;
    Finding { engine: format!("{}/{code}", finding.engine), ..finding }
}

fn probes(config: &Config) -> impl Iterator<Item = Probe> + use<> {
    let vad = [Probe::Vad(config.vad.engine.clone())];
    let tts: Vec<_> = config.tts.engines.iter().cloned().map(Probe::Tts).collect();
    let stt: Vec<_> = config.stt.engines.iter().cloned().map(Probe::Stt).collect();
    let llm: Vec<_> = config.llm.engines.iter().cloned().map(Probe::Llm).collect();
    let s2s: Vec<_> = config.speech_to_speech.engines.iter().cloned().map(Probe::S2s).collect();
    vad.into_iter().chain(tts).chain(s2s).chain(stt).chain(llm)
}

/// By the embedded voice, whichever is configured: what the others are to hear does not depend on a service.
fn speak_the_word(loaded: &Loaded) -> Word {
    let said =
        engines::one_tts(&loaded.config, &loaded.secrets, "flite").map_err(|error| error.to_string())?;
    let audio = Handle::current().block_on(probe::speak(said.as_ref(), Format::Pcm16k));
    audio.map(|spoken| spoken.audio.into()).map_err(|error| error.to_string())
}
