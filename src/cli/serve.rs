use super::{fail, start_logging};
use crate::logging::LogFormat;
use clap::Args;
use ringway_config::{Config, Secrets, Tls};
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `ringway serve`; each wins over environment and file.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Configuration file.
    #[arg(long, value_name = "FILE", default_value = "config/default.toml")]
    config: PathBuf,
    /// Port to listen on; 0 lets the system choose.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Opens the fault injection API.
    #[arg(long)]
    chaos: bool,
    /// TLS: `self-signed`, or the PEM files CERT,KEY.
    #[arg(long, value_name = "CERT,KEY")]
    tls: Option<Tls>,
    /// Form of the log.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log: LogFormat,
}

impl Serve {
    /// Serves until told to stop.
    pub fn run(self) -> ExitCode {
        start_logging(self.log);
        let text = std::fs::read_to_string(&self.config).unwrap_or_default();
        let mut config: Config = match toml::from_str(&text) {
            Ok(config) => config,
            Err(error) => return fail(&error),
        };
        config.server.port = self.port.unwrap_or(config.server.port);
        config.server.chaos |= self.chaos;
        config.server.tls = self.tls.or(config.server.tls);
        let secrets = Secrets {
            admin_token: std::env::var("RINGWAY_ADMIN_TOKEN").ok(),
            twilio_auth_token: std::env::var("TWILIO_AUTH_TOKEN").ok(),
        };
        let served = actix_rt::System::new().block_on(crate::serve::run(config, secrets));
        served.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
    }
}
