//! `ringway talk`: speaks recorded files into a running server, as a page would, and tells how it went.

mod codec;
pub(super) mod connection;
mod conversation;
mod journal;
mod session;
mod speech;
mod time_line;
mod trust;

use super::{FAILED, MISTAKEN};
use clap::Args;
use connection::ConnectError;
use conversation::Conversation;
use jiff::SignedDuration;
use journal::Journal;
use ringway_stages::private_files;
use ringway_wire::voice_ws::Codec;
use session::{BreakOff, Session, SessionError};
use speech::{Speech, SpeechError};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Speaks WAV files into a running server in real time and prints the conversation.
#[derive(Clone, Debug, Args)]
pub struct Talk {
    /// What to say: a WAV file of any rate and channels. Repeatable: each is said after the answer to the one before.
    #[arg(long = "in", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Speaks over each answer: the next file begins so long after the answer's first sound.
    #[arg(long, value_name = "TIME", value_parser = time)]
    barge_in_after: Option<Duration>,
    /// How audio is coded: pcm16 or opus.
    #[arg(long, default_value = "pcm16", value_parser = codec)]
    codec: Codec,
    /// The address of the server, or of its browser socket.
    #[arg(long, default_value = "ws://127.0.0.1:3000/voice-ws")]
    url: String,
    /// The dialogue to ask for; without it the server's default.
    #[arg(long, value_name = "NAME")]
    dialogue: Option<String>,
    /// Breaks the connection so long after the call began, without a word, and resumes the session over another one.
    #[arg(long, value_name = "TIME", value_parser = time)]
    drop_at: Option<Duration>,
    /// How long it stays away then.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1s", requires = "drop_at")]
    drop_for: Duration,
    /// Writes what the bot said, on the call's time line, as a WAV file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints one JSON object an event.
    #[arg(long)]
    json: bool,
    /// Takes any certificate behind wss://, a self-signed one for example.
    #[arg(long)]
    insecure: bool,
}

/// Something that was said was not answered.
const NO_ANSWER: u8 = 3;

/// The server has no place for the call, or does not want it.
const REFUSED: u8 = 4;

/// Why there was no conversation, or no whole one.
#[derive(Debug, thiserror::Error)]
enum TalkError {
    #[error(transparent)]
    Speech(#[from] SpeechError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("{path}: {error}", path = .path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("no runtime: {0}")]
    Runtime(std::io::Error),
    #[error("no answer")]
    NoAnswer,
}

impl Talk {
    /// Exit 0: answered; 1: the connection failed; 2: usage; 3: no answer; 4: refused.
    pub fn run(self) -> ExitCode {
        match self.talk() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain!("ringway: {error}");
                ExitCode::from(error.exit())
            }
        }
    }

    fn talk(&self) -> Result<(), TalkError> {
        let speeches = self.files.iter().map(|path| Speech::read(path)).collect::<Result<_, _>>()?;
        let conversation = Conversation::new(speeches, self.barge_in_after);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let spoken = runtime.map_err(TalkError::Runtime)?.block_on(self.call(conversation))?;
        if let Some(path) = &self.out {
            private_files::write(path, &spoken.bot.to_wav())
                .map_err(|error| TalkError::Write { path: path.clone(), error })?;
        }
        if spoken.answered { Ok(()) } else { Err(TalkError::NoAnswer) }
    }

    async fn call(&self, conversation: Conversation) -> Result<session::Spoken, TalkError> {
        let socket = connection::open(&self.url, self.insecure).await?;
        let journal = if self.json { Journal::Json } else { Journal::People };
        let break_off = self.drop_at.map(|at| BreakOff {
            at,
            away: self.drop_for,
            address: self.url.clone(),
            insecure: self.insecure,
        });
        let session = Session::new(socket, self.codec, conversation, (journal, break_off))?;
        Ok(session.run(self.dialogue.clone()).await?)
    }
}

impl TalkError {
    const fn exit(&self) -> u8 {
        match self {
            Self::Speech(_) | Self::Connect(ConnectError::Url(_)) => MISTAKEN,
            Self::NoAnswer => NO_ANSWER,
            Self::Connect(ConnectError::Refused(_)) | Self::Session(SessionError::Refused(_)) => REFUSED,
            Self::Connect(_) | Self::Session(_) | Self::Write { .. } | Self::Runtime(_) => FAILED,
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "not a time such as 800ms or 2s")?;
    Duration::try_from(parsed).map_err(|_| "a time is not negative".to_owned())
}

fn codec(text: &str) -> Result<Codec, String> {
    Codec::from_name(text).ok_or_else(|| "pcm16 or opus".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_own_exit_code() {
        let refused = || "no place".to_owned();
        assert_eq!(TalkError::NoAnswer.exit(), 3);
        assert_eq!(TalkError::Session(SessionError::Refused(refused())).exit(), 4);
        assert_eq!(TalkError::Connect(ConnectError::Refused(refused())).exit(), 4);
        assert_eq!(TalkError::Connect(ConnectError::Url("x".into())).exit(), 2);
        let wav = SpeechError::Silent("a.wav".into());
        assert_eq!(TalkError::Speech(wav).exit(), 2);
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("800ms"), Ok(Duration::from_millis(800)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        assert!(time("800").is_err() && time("-1s").is_err());
    }
}
