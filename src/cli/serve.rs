use super::{MISTAKEN, fail};
use crate::logging::{self, LogFormat};
use crate::validation::Validation;
use clap::Args;
use ringway_config::{Flag, Problem, Sources};
use std::mem::ManuallyDrop;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `ringway serve`; each wins over environment and file.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Configuration file; without it config/default.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on; 0.0.0.0 for use from other machines, which needs RINGWAY_ADMIN_TOKEN.
    #[arg(long, value_name = "IP")]
    listen: Option<IpAddr>,
    /// Port to listen on; 0 lets the system choose.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Opens the fault injection API.
    #[arg(long)]
    chaos: bool,
    /// TLS: `self-signed`, or the PEM files CERT,KEY.
    #[arg(long, value_name = "CERT,KEY")]
    tls: Option<String>,
    /// Form of the log.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log: LogFormat,
}

impl Serve {
    /// Serves until told to stop. Exit 2: the configuration has mistakes.
    pub fn run(self) -> ExitCode {
        if let Err(error) = logging::start(self.log) {
            return fail(&error);
        }
        let code = self.serve();
        logging::flush();
        code
    }

    fn serve(self) -> ExitCode {
        let flags = self.flags().collect();
        let found = Validation::of(Sources::of_process(self.config, flags));
        found.warnings.iter().for_each(warn);
        if !found.problems.is_empty() {
            found.problems.iter().for_each(|problem| complain!("{problem}"));
            return ExitCode::from(MISTAKEN);
        }
        let run = crate::serve::run(found.loaded.config, found.loaded.secrets);
        // Its drop would wait for files and look-ups of names that never come back.
        let system = ManuallyDrop::new(actix_rt::System::new());
        let served = system.block_on(run);
        served.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
    }

    fn flags(&self) -> impl Iterator<Item = Flag> + use<> {
        let listen = self.listen.map(|address| Flag::new("--listen", "server.listen", address.to_string()));
        let port = self.port.map(|port| Flag::new("--port", "server.port", i64::from(port)));
        // Without the flag the file decides.
        let chaos = self.chaos.then(|| Flag::new("--chaos", "server.chaos", true));
        let tls = self.tls.clone().map(|tls| Flag::new("--tls", "server.tls", tls));
        [listen, port, chaos, tls].into_iter().flatten()
    }
}

fn warn(warning: &Problem) {
    tracing::warn!("{warning}");
}
