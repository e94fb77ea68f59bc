use crate::exposition::Exposition;
use crate::process::Process;
use crate::repertoire::Repertoire;
use crate::run::Plan;
use crate::scenario::{Scenario, ScenarioError};
use crate::target::{Dialect, Header, Server, Target};
use crate::time;
use crate::tls::{self, TlsError};
use clap::{Args, ValueEnum};
use ringway_wire::opus::OpusError;
use ringway_wire::voice_ws;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// Who is called, how, and what callers do: options that `run` and `sweep` share.
#[derive(Debug, Args)]
pub struct Callers {
    /// The server: http://HOST:PORT, or ws://HOST:PORT/PATH where the path is not ringway's; https and wss with TLS.
    #[arg(long)]
    url: Server,
    /// How it is spoken to.
    #[arg(long, value_enum)]
    protocol: Dialect,
    /// How audio is coded on a browser socket.
    #[arg(long, value_enum, default_value_t = Codec::Pcm16)]
    codec: Codec,
    /// What callers do: chat, barge_in, interruptions_that_are_none, ivr, flaky_network, campaign_answering, or FILE.toml.
    #[arg(long, value_name = "NAME", default_value = "chat")]
    scenario: String,
    /// Recorded speech for callers to say, any WAV file; repeatable. Without it Debian's asterisk-core-sounds-en-wav.
    #[arg(long, value_name = "FILE")]
    say: Vec<PathBuf>,
    /// Asks the server for this dialogue.
    #[arg(long, value_name = "NAME")]
    dialogue: Option<String>,
    /// A custom parameter of a carrier's start message; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,
    /// A header of the upgrade, as in 'Authorization: Bearer abc'; repeatable.
    #[arg(long, value_name = "NAME:VALUE")]
    header: Vec<Header>,
    /// Trusts any certificate, for a server of one's own with a self-signed one.
    #[arg(long)]
    insecure: bool,
    /// In which time the calls begin, evenly; without it 50 ms a call, at most 10 s.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    ramp: Option<Duration>,
    /// The server's process id: its CPU time and memory are measured.
    #[arg(long)]
    pid: Option<u32>,
    /// Shows the run to Prometheus while it goes on, here; port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// Gives the same words and pauses again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
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
pub enum Mistake {
    /// The scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// libopus.
    #[error(transparent)]
    Opus(#[from] OpusError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Prometheus.
    #[error("--metrics {address}: {error}")]
    Metrics {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
}

/// The 50 ms a call and their bound.
const RAMP_A_CALL: Duration = Duration::from_millis(50);
const LONGEST_RAMP: Duration = Duration::from_secs(10);

impl Callers {
    /// Reads the scenario and all that is said.
    ///
    /// # Errors
    /// There are mistakes in what was asked for.
    pub fn plan(&self, calls: u32, duration: Duration) -> Result<Plan, Mistake> {
        let target = self.target()?;
        let mut repertoire = Repertoire::new(target.encoding(), self.say.clone());
        let scenario = Scenario::open(&self.scenario, &mut repertoire)?;
        repertoire.warnings().iter().for_each(|warning| eprintln!("ringway-load: {warning}"));
        Ok(Plan {
            target,
            calls,
            duration,
            ramp: self.ramp(calls),
            scenario: Rc::new(scenario),
            voice: Rc::new(repertoire.into_voice()?),
            seed: self.seed,
            server: self.pid.map(Process::new),
            exposition: self.metrics.map(expose).transpose()?,
        })
    }

    /// In which time so many calls begin.
    pub fn ramp(&self, calls: u32) -> Duration {
        self.ramp.unwrap_or_else(|| LONGEST_RAMP.min(RAMP_A_CALL * calls))
    }

    fn target(&self) -> Result<Target, Mistake> {
        Ok(Target {
            url: self.url.socket(self.protocol),
            dialect: self.protocol,
            codec: match self.codec {
                Codec::Pcm16 => voice_ws::Codec::Pcm16,
                Codec::Opus => voice_ws::Codec::Opus,
            },
            dialogue: self.dialogue.clone(),
            custom_parameters: self.parameter.clone(),
            headers: self.header.clone(),
            tls: if self.url.is_tls() { Some(tls::config(self.insecure)?) } else { None },
        })
    }
}

/// Where the system chose the port, users want to know it.
fn expose(address: SocketAddr) -> Result<Exposition, Mistake> {
    let served = Exposition::serve(address).map_err(|error| Mistake::Metrics { address, error });
    let (exposition, address) = served?;
    eprintln!("ringway-load: metrics at http://{address}/metrics");
    Ok(exposition)
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
