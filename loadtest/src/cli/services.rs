use super::{FAILED, MISTAKEN, fail};
use crate::services::config::{Config, ConfigError};
use crate::services::delay::Delay;
use crate::services::fault::{BadRule, Rule};
use crate::services::stats::Service;
use crate::services::{self, table};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

/// Options of `ringway-load services`; they go before what stands in the file.
#[derive(Debug, Args)]
pub struct Services {
    /// What the services do, as TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The port of the loopback; 0 is any that is free [default: 8090].
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Milliseconds from a recording to its transcript, and from the end of speech to that of a socket [default: 50].
    ///
    /// As all times a number, or uniform(30,80), normal(100,20), lognormal(100,0.5).
    #[arg(long, value_name = "DELAY")]
    stt_ms: Option<Delay>,
    /// Milliseconds from a request to the first token [default: 100].
    #[arg(long, value_name = "DELAY")]
    llm_ms: Option<Delay>,
    /// Milliseconds from a token to the next [default: 10].
    #[arg(long, value_name = "DELAY")]
    token_ms: Option<Delay>,
    /// Milliseconds from a text to the first byte of its speech [default: 50].
    #[arg(long, value_name = "DELAY")]
    tts_ms: Option<Delay>,
    /// Milliseconds from the request for an answer to its first audio, of what hears and speaks [default: 150].
    #[arg(long, value_name = "DELAY")]
    realtime_ms: Option<Delay>,
    /// What the transcript says; repeatable: one request after the other.
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// What the language model replies; repeatable: one request after the other.
    #[arg(long, value_name = "TEXT")]
    reply: Vec<String>,
    /// Failures, as 'llm:2%:500'; repeatable. Services: stt, listen, flux, live, cartesia, whisperlive, wyoming_stt, llm,
    /// tts, speech, elevenlabs, sonic, speak, wyoming_tts, phone_tts, realtime. Failures: refuse, 400 to 599, hang, cut,
    /// slow, garbage, type, page, limit, empty; of sockets that hear also mute, unanswered, late, twice.
    #[arg(long, value_name = "SERVICE:RATE:FAILURE")]
    fail: Vec<Failing>,
    /// When a connection that is struck by 'limit' ends, in milliseconds [default: 5000].
    #[arg(long, value_name = "N")]
    limit_ms: Option<u64>,
    /// After how many bytes it ends, if that comes first.
    #[arg(long, value_name = "N")]
    limit_bytes: Option<u64>,
    /// The same delays and failures again [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads that serve.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
}

/// A service and a failure of it.
#[derive(Clone, Debug)]
struct Failing {
    service: Service,
    rule: Rule,
}

impl Services {
    /// Exit 0: told to end; 1: nothing could be served; 2: the command line or the file has mistakes.
    pub fn run(self) -> ExitCode {
        let threads = usize::from(self.threads);
        let config = match self.config() {
            Ok(config) => config,
            Err(mistake) => return fail(&mistake, MISTAKEN),
        };
        match services::serve(config, threads) {
            Ok(snapshot) => {
                eprint!("{}", table::served(&snapshot));
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, FAILED),
        }
    }

    fn config(self) -> Result<Config, ConfigError> {
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read)?;
        if let Some(delay) = self.stt_ms {
            config.stt.delay_ms = delay;
            config.ears_mut().into_iter().for_each(|(delay, _)| *delay = None);
        }
        if !self.text.is_empty() {
            config.stt.texts = self.text;
            config.ears_mut().into_iter().for_each(|(_, texts)| texts.clear());
        }
        if !self.reply.is_empty() {
            config.llm.replies = self.reply;
        }
        set(&mut config.port, self.port);
        set(&mut config.seed, self.seed);
        set(&mut config.limit_ms, self.limit_ms);
        config.limit_bytes = self.limit_bytes.or(config.limit_bytes);
        set(&mut config.llm.delay_ms, self.llm_ms);
        set(&mut config.llm.token_ms, self.token_ms);
        set(&mut config.tts.delay_ms, self.tts_ms);
        set(&mut config.realtime.delay_ms, self.realtime_ms);
        self.fail.into_iter().for_each(|failing| config.fail_mut(failing.service).push(failing.rule));
        config.check().map(|()| config)
    }
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

impl FromStr for Failing {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rule) =
            text.split_once(':').ok_or("not a service, a share and a failure, as llm:2%:500")?;
        let service = Service::ALL.into_iter().find(|service| service.name() == name);
        let service = service.ok_or_else(|| {
            let known = Service::ALL.map(Service::name).join(", ");
            format!("no service {name}; there are {known}")
        })?;
        Ok(Self { service, rule: rule.parse().map_err(|error: BadRule| error.to_string())? })
    }
}
