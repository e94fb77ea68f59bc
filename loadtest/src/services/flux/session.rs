use super::message::{Control, Turn};
use crate::services::deepgram::Refused;
use crate::services::deepgram::options::{Encoding, rate};
use crate::services::hearing::Hearing;
use crate::services::socket::{Listener, Say};
use ringway_frame::SampleRate;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// What the query of a socket asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    encoding: Encoding,
    rate: SampleRate,
    thresholds: Thresholds,
}

/// How sure the service has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Thresholds {
    eager: Option<f64>,
    end: f64,
    timeout: Duration,
}

/// One client's turns.
#[derive(Debug)]
pub struct Session {
    hearing: Hearing,
    thresholds: Thresholds,
    request_id: String,
    sequence: u64,
    index: u64,
    stage: Stage,
    last_update: Duration,
}

/// How the turn stands, as the service tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Initial,
    Ongoing,
    AwaitingEnd,
}

/// How often the state of a turn is told.
const UPDATE: Duration = Duration::from_millis(250);

/// The confidence grows with the silence, to its all in this time: 0.5 after 400 ms, 0.7 after 560 ms.
const CERTAIN: Duration = Duration::from_millis(800);

impl Options {
    /// Reads a query.
    ///
    /// # Errors
    /// A parameter has no meaning.
    pub fn read(query: &str) -> Result<Self, Refused> {
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let get = |key: &str| given.get(key).map(AsRef::as_ref);
        if get("model").is_none_or(|model: &str| !model.starts_with("flux-")) {
            return Err(Refused::invalid("model: one that begins with flux- is needed"));
        }
        let encoding = Encoding::read(get("encoding"))?;
        let threshold = |name: &'static str, least: f64, most: f64| {
            let read = |text: &str| text.parse().ok().filter(|value| (least..=most).contains(value));
            let wrong = || Refused::invalid(format!("{name}: from {least} to {most}"));
            get(name).map(|text| read(text).ok_or_else(wrong)).transpose()
        };
        let end = threshold("eot_threshold", 0.5, 1.0)?.unwrap_or(0.7);
        let eager = threshold("eager_eot_threshold", 0.3, 0.9)?;
        if eager.is_some_and(|eager| eager > end) {
            return Err(Refused::invalid("eager_eot_threshold: at most eot_threshold"));
        }
        let timeout = threshold("eot_timeout_ms", 500.0, 60_000.0)?.unwrap_or(5_000.0);
        let timeout = Duration::from_millis(timeout as u64);
        Ok(Self {
            encoding,
            rate: rate(encoding, get("sample_rate"))?,
            thresholds: Thresholds { eager, end, timeout },
        })
    }
}

impl Session {
    /// Nothing has been heard yet.
    pub fn new(options: Options, texts: &[String], request_id: String) -> Self {
        Self {
            hearing: Hearing::new(options.encoding, options.rate, texts),
            thresholds: options.thresholds,
            request_id,
            sequence: 0,
            index: 0,
            stage: Stage::Initial,
            last_update: Duration::ZERO,
        }
    }

    fn number(&mut self, mut message: Value) -> String {
        message["sequence_id"] = json!(self.sequence);
        self.sequence += 1;
        message.to_string()
    }

    /// Behind each window of audio.
    fn judge(&mut self, say: &mut Vec<Say>) {
        let now = self.hearing.now;
        let Some(speech) = &self.hearing.speech else { return self.update(now, say) };
        let silence = speech.silence(now);
        let confidence = (silence.as_secs_f64() / CERTAIN.as_secs_f64()).min(0.99);
        match self.stage {
            Stage::Initial => {
                self.stage = Stage::Ongoing;
                self.tell("StartOfTurn", 0.0, None, say);
            }
            Stage::AwaitingEnd if silence.is_zero() => {
                self.stage = Stage::Ongoing;
                self.tell("TurnResumed", 0.0, None, say);
            }
            _ if silence >= self.thresholds.timeout => self.end("timeout", confidence, say),
            _ if confidence >= self.thresholds.end => self.end("model", confidence, say),
            Stage::Ongoing if self.thresholds.eager.is_some_and(|eager| confidence >= eager) => {
                self.stage = Stage::AwaitingEnd;
                self.tell("EagerEndOfTurn", confidence, None, say);
            }
            Stage::Ongoing | Stage::AwaitingEnd => self.update(now, say),
        }
    }

    fn update(&mut self, now: Duration, say: &mut Vec<Say>) {
        if now.saturating_sub(self.last_update) >= UPDATE && self.stage != Stage::AwaitingEnd {
            self.tell("Update", 0.01, None, say);
        }
    }

    fn end(&mut self, trigger: &'static str, confidence: f64, say: &mut Vec<Say>) {
        self.tell("EndOfTurn", confidence, Some(trigger), say);
        self.hearing.end();
        self.stage = Stage::Initial;
        self.index += 1;
    }

    fn tell(
        &mut self,
        event: &'static str,
        confidence: f64,
        trigger: Option<&'static str>,
        say: &mut Vec<Say>,
    ) {
        let until = self.hearing.now;
        self.last_update = until;
        let words = match &self.hearing.speech {
            Some(speech) if trigger.is_some() || self.stage == Stage::AwaitingEnd => speech.words(),
            Some(speech) => speech.said(until),
            None => &[],
        };
        let turn = Turn { event, index: self.index, words, until, confidence, trigger };
        let message = turn.json(&self.request_id);
        let text = self.number(message);
        say.push(if trigger.is_some() { Say::Words(text) } else { Say::Text(text) });
    }

    fn control(&mut self, text: &str, say: &mut Vec<Say>) {
        match Control::read(text) {
            Ok(Control::CloseStream) => {
                if self.stage != Stage::Initial {
                    self.end("model", 0.99, say);
                }
                say.push(Say::Close(CloseCode::Normal, ""));
            }
            // Without a turn it means nothing.
            Ok(Control::ForceEndTurn) if self.stage == Stage::Initial => {}
            Ok(Control::ForceEndTurn) => self.end("manual", 0.5, say),
            Ok(Control::Configure(thresholds)) => self.configure(&thresholds, say),
            Err(description) => {
                let error =
                    json!({"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": description});
                let error = self.number(error);
                say.push(Say::Text(error));
                say.push(Say::Close(CloseCode::Policy, "UNPARSABLE_CLIENT_MESSAGE"));
            }
        }
    }

    fn configure(&mut self, wanted: &Value, say: &mut Vec<Say>) {
        let number = |name: &str| wanted[name].as_f64();
        self.thresholds.end = number("eot_threshold").unwrap_or(self.thresholds.end);
        self.thresholds.eager = number("eager_eot_threshold").or(self.thresholds.eager);
        let Thresholds { eager, end, timeout } = self.thresholds;
        let success = json!({
            "type": "ConfigureSuccess", "request_id": self.request_id, "keyterms": [],
            "thresholds": {
                "eot_threshold": end, "eager_eot_threshold": eager, "eot_timeout_ms": timeout.as_millis() as u64,
            },
        });
        let success = self.number(success);
        say.push(Say::Text(success));
    }
}

impl Listener for Session {
    const GARBAGE: &'static str = "{\"type\":\"TurnInfo\",\"event\":\"EndOfTurn\",\"transcript\":\"";

    fn open(&mut self, say: &mut Vec<Say>) {
        let connected = json!({"type": "Connected", "request_id": self.request_id});
        let connected = self.number(connected);
        say.push(Say::Now(connected));
    }

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        match message {
            Message::Binary(audio) => {
                for piece in audio.chunks(PIECE) {
                    self.hearing.hear(piece);
                    self.judge(say);
                }
            }
            Message::Text(text) => self.control(text, say),
            _ => {}
        }
    }
}

/// Audio between two judgements: at most 20 ms of mu-law.
const PIECE: usize = 160;
