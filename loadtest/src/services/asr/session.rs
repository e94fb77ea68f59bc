use crate::services::deepgram::hearing::{Heard, Hearing, Transcript};
use crate::services::deepgram::options::{Encoding, Options};
use crate::services::fate::Fate;
use crate::services::fault::Fault;
use crate::services::mocks::Mocks;
use crate::services::stats::Ticket;
use futures_util::{SinkExt, StreamExt};
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How a client wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All of the call each time.
    Full,
    /// What has changed.
    Diff,
}

/// A socket after its handshake.
#[derive(Debug)]
pub struct Session {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    mode: Mode,
    hearing: Hearing,
    heard: Vec<Heard>,
    fate: Fate,
    utterances: u64,
    /// The words that stand.
    line: String,
    /// The words that may change.
    guess: String,
    outgoing: VecDeque<(Instant, Outgoing)>,
    /// The audio when something was last told.
    told: Duration,
    /// Messages with words so far, and the lines that the client has.
    sequence: u64,
    lines: Vec<String>,
    /// A failure has made it silent.
    mute: bool,
}

/// What is to be sent.
#[derive(Debug)]
enum Outgoing {
    /// What was understood when so much audio had been heard.
    State {
        at: Duration,
        line: String,
        guess: String,
    },
    Text(String),
    /// The connection ends without a word.
    Cut,
}

/// The silence that the server's detector takes for the end of speech.
const SILENCE: Duration = Duration::from_millis(300);

/// How often it tells how far it is, when there are no other words.
const CADENCE: Duration = Duration::from_millis(100);

/// No JSON.
const GARBAGE: &str = "{\"status\":\"active_transcription\",\"lines\":[{\"speaker\":";

impl Mode {
    /// Of a query; full is the default.
    pub fn read(query: &str) -> Self {
        let mut given = form_urlencoded::parse(query.as_bytes());
        if given.any(|(key, value)| key == "mode" && value == "diff") { Self::Diff } else { Self::Full }
    }
}

impl Session {
    /// Of a request whose handshake was answered.
    pub fn new(mocks: Arc<Mocks>, ticket: Ticket, mode: Mode) -> Self {
        let options = Options {
            model: String::new(),
            encoding: Encoding::Linear16,
            rate: SampleRate::HZ_16000,
            interim_results: true,
            endpointing: Some(SILENCE),
            utterance_end: None,
            vad_events: false,
        };
        let hearing = Hearing::new(options, mocks.config.listen_texts());
        let fate = mocks.fate_of_part(&ticket, 0, |_| false);
        Self {
            mocks,
            ticket,
            mode,
            hearing,
            heard: Vec::new(),
            fate,
            utterances: 0,
            line: String::new(),
            guess: String::new(),
            outgoing: VecDeque::new(),
            told: Duration::ZERO,
            sequence: 0,
            lines: Vec::new(),
            mute: false,
        }
    }

    /// Serves the socket to its end.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut socket: WebSocketStream<S>) {
        let mode = if self.mode == Mode::Full { "full" } else { "diff" };
        let config = json!({"type": "config", "useAudioWorklet": true, "mode": mode});
        self.say(Duration::ZERO, Outgoing::Text(config.to_string()));
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Binary(audio))) => self.take(&audio),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // The server knows no text and ends with it; a client that is gone has all it wanted.
                    _ => return self.ticket.answered(),
                },
                Some((_, outgoing)) = next(&mut self.outgoing) => {
                    if self.send(&mut socket, outgoing).await.is_none() {
                        return self.ticket.answered();
                    }
                }
            }
        }
    }

    fn take(&mut self, audio: &[u8]) {
        if audio.is_empty() {
            self.hearing.close(&mut self.heard);
        } else {
            self.hearing.audio(audio, &mut self.heard);
        }
        for heard in std::mem::take(&mut self.heard) {
            if let Heard::Result(transcript) = heard {
                self.understand(&transcript);
            }
        }
        if self.hearing.duration() - self.told >= CADENCE {
            self.tell(self.fate.delay);
        }
        if audio.is_empty() {
            let end = json!({"type": "ready_to_stop"});
            self.say(self.fate.delay, Outgoing::Text(end.to_string()));
        }
    }

    fn understand(&mut self, transcript: &Transcript) {
        let words: Vec<_> = transcript.words.iter().map(|word| word.word.as_str()).collect();
        let text: String = words.iter().flat_map(|word| [" ", *word]).collect();
        if !transcript.is_final {
            self.guess = text;
            return self.tell(self.fate.delay);
        }
        self.line.push_str(&text);
        self.guess.clear();
        if words.is_empty() {
            return self.tell(self.fate.delay);
        }
        let fate = self.fate_of_utterance();
        match fate.fault {
            Some(Fault::Hang) => {
                self.outgoing.clear();
                self.mute = true;
            }
            Some(Fault::Cut) => self.say(fate.delay, Outgoing::Cut),
            Some(Fault::Garbage) => self.say(fate.delay, Outgoing::Text(GARBAGE.into())),
            _ => self.tell(fate.delay),
        }
    }

    fn fate_of_utterance(&mut self) -> Fate {
        self.utterances += 1;
        self.ticket.utterance();
        self.mocks.fate_of_part(&self.ticket, self.utterances, |fault| !fault.is_of_handshakes())
    }

    fn tell(&mut self, delay: Duration) {
        self.told = self.hearing.duration();
        let (line, guess) = (self.line.clone(), self.guess.clone());
        self.say(delay, Outgoing::State { at: self.told, line, guess });
    }

    /// Sends it after `delay`, and not before what was to be sent earlier.
    fn say(&mut self, delay: Duration, outgoing: Outgoing) {
        if self.mute {
            return;
        }
        let due = Instant::now() + delay;
        let due = self.outgoing.back().map_or(due, |(before, _)| due.max(*before));
        self.outgoing.push_back((due, outgoing));
    }

    /// `None` when that was the end.
    async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut WebSocketStream<S>,
        outgoing: Outgoing,
    ) -> Option<()> {
        let text = match outgoing {
            Outgoing::Text(text) => text,
            Outgoing::Cut => return None,
            Outgoing::State { at, line, guess } => self.state(at, line, &guess).to_string(),
        };
        socket.send(Message::text(text)).await.ok()
    }

    /// In the shape of the mode; what was heard since `at` counts as not looked at.
    fn state(&mut self, at: Duration, line: String, guess: &str) -> Value {
        let behind = (self.hearing.duration() - at).as_secs_f64();
        let behind = (behind * 10.0).round() / 10.0;
        let now = if line.is_empty() { Vec::new() } else { vec![line] };
        let before = std::mem::replace(&mut self.lines, now);
        self.sequence += 1;
        let empty = self.lines.is_empty() && guess.is_empty();
        let mut state = json!({
            "status": if empty { "no_audio_detected" } else { "active_transcription" },
            "buffer_transcription": guess,
            "buffer_diarization": "",
            "buffer_translation": "",
            "remaining_time_transcription": behind,
            "remaining_time_transcription_processing": behind,
            "remaining_time_transcription_policy": 0.0,
            "remaining_time_diarization": 0,
        });
        let lines = self.lines.iter().map(|text| self.line(text, at)).collect::<Vec<_>>();
        if self.mode == Mode::Diff && self.sequence > 1 {
            state["type"] = "diff".into();
            state["n_lines"] = lines.len().into();
            if before != self.lines {
                state["lines_pruned"] = before.len().into();
                state["new_lines"] = lines.into();
            }
        } else {
            state["lines"] = lines.into();
        }
        if self.mode == Mode::Diff {
            state["seq"] = self.sequence.into();
            if self.sequence == 1 {
                state["type"] = "snapshot".into();
            }
        }
        state
    }

    fn line(&self, text: &str, end: Duration) -> Value {
        json!({"speaker": 1, "text": text, "start": "0:00:00.00", "end": clock(end)})
    }
}

/// Hours, minutes, seconds and their hundredths.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let hundredths = time.subsec_millis() / 10;
    format!("{}:{:02}:{:02}.{hundredths:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The first in the queue, at its time; never from an empty one.
async fn next(outgoing: &mut VecDeque<(Instant, Outgoing)>) -> Option<(Instant, Outgoing)> {
    match outgoing.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
    outgoing.pop_front()
}
