//! `ringway trace`: one call's story, of a running server or from a recording.

mod client;

use super::{FAILED, MISTAKEN};
use crate::trace::{Picture, Retraced, Trace, retrace};
use clap::Args;
use client::{AskError, Server};
use ringway_frame::{CallId, Printed, PrintedJson};
use ringway_stages::private_files;
use ringway_turn::recording::ReplayError;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Prints what happened when in each turn of a call.
#[derive(Clone, Debug, Args)]
pub struct TraceCall {
    /// The id of a call of a running server, or the file of a recorded call.
    call: String,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: String,
    /// The server's token, where it asks for one.
    #[arg(long, env = "RINGWAY_ADMIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Writes a picture instead.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    svg: Option<PathBuf>,
    /// Takes any certificate behind https://, a self-signed one for example.
    #[arg(long)]
    insecure: bool,
}

/// The width of a picture in a file, in pixels.
const WIDTH: u16 = 900;

/// In what form the story is wanted.
#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Json,
    Svg,
}

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
enum TraceError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("{0}: neither the id of a call (32 hexadecimal digits) nor a file")]
    NoCall(String),
    #[error("{path}: {error}", path = .path.display())]
    Recording { path: PathBuf, error: ReplayError },
    #[error("{path}: {error}", path = .path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{path}: line {line} is decided otherwise by this version: the story ends there", path = .path.display())]
    Differs { path: PathBuf, line: u64 },
    #[error("no runtime: {0}")]
    Runtime(io::Error),
    #[error("standard output: {0}")]
    Print(io::Error),
}

impl TraceCall {
    /// Exit 0: told; 1: there is no such call or server, or the recording is none; 2: usage.
    pub fn run(self) -> ExitCode {
        let told = match self.call.parse::<CallId>() {
            Ok(id) => self.ask(id),
            Err(_) => self.retrace(Path::new(&self.call)),
        };
        told.map_or_else(TraceError::exit, |()| ExitCode::SUCCESS)
    }

    fn form(&self) -> Form {
        match (&self.svg, self.json) {
            (Some(_), _) => Form::Svg,
            (None, true) => Form::Json,
            (None, false) => Form::Text,
        }
    }

    fn ask(&self, id: CallId) -> Result<(), TraceError> {
        let server = Server::new(&self.url, self.token.as_deref(), self.insecure)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let query = match self.form() {
            Form::Text => "format=text".to_owned(),
            Form::Json => "format=json".to_owned(),
            Form::Svg => format!("format=svg&width={WIDTH}"),
        };
        let path = format!("/api/calls/{id}/trace?{query}");
        let told = runtime.map_err(TraceError::Runtime)?.block_on(server.get(&path))?;
        self.put(&told)
    }

    fn retrace(&self, path: &Path) -> Result<(), TraceError> {
        if !path.is_file() {
            return Err(TraceError::NoCall(self.call.clone()));
        }
        let path = path.to_owned();
        let file = File::open(&path).map_err(|error| TraceError::File { path: path.clone(), error })?;
        let retraced = retrace(BufReader::new(file));
        let Retraced { trace, difference } =
            retraced.map_err(|error| TraceError::Recording { path: path.clone(), error })?;
        self.put(&self.written(&trace))?;
        match difference {
            Some(difference) => Err(TraceError::Differs { path, line: difference.line }),
            None => Ok(()),
        }
    }

    fn written(&self, trace: &Trace) -> String {
        match self.form() {
            Form::Text => trace.to_string(),
            Form::Json => serde_json::json!(trace).to_string(),
            Form::Svg => Picture::new(trace, WIDTH).to_string(),
        }
    }

    fn put(&self, told: &str) -> Result<(), TraceError> {
        if let Some(path) = &self.svg {
            return private_files::write(path, told.as_bytes())
                .map_err(|error| TraceError::File { path: path.clone(), error });
        }
        let told = told.trim_end();
        let shown = if self.json { PrintedJson(told).to_string() } else { Printed(told).to_string() };
        let printed = io::stdout().write_all(format!("{shown}\n").as_bytes());
        match printed {
            // Whoever reads has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(TraceError::Print),
        }
    }
}

impl TraceError {
    fn exit(self) -> ExitCode {
        complain!("ringway: {self}");
        let usage = matches!(self, Self::NoCall(_) | Self::Ask(AskError::Url(_)));
        ExitCode::from(if usage { MISTAKEN } else { FAILED })
    }
}
