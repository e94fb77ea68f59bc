//! Wyoming over TCP, as `wyoming-faster-whisper` and `wyoming-piper` speak it: one connection serves both, each request
//! by what it begins with.

mod event;
mod request;

use super::fate::Fate;
use super::fault::Fault;
use super::mocks::Mocks;
use super::paced::{Piece, cut_in_half};
use super::socket::{at, next};
use super::stats::{Service, Ticket};
use bytes::{Bytes, BytesMut};
pub use event::Event;
use event::written;
use request::{Answer, Said, Speech, Utterance};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Serves one connection to its end.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, mocks: Arc<Mocks>) {
    mocks.stats.connected();
    let (mut talk, mut heard) = (Conversation::new(mocks), BytesMut::new());
    loop {
        tokio::select! {
            read = stream.read_buf(&mut heard), if !talk.closing => match read {
                Ok(count @ 1..) => talk.take(&mut heard, count as u64),
                // The client is gone: what was on its way counts as given up.
                _ => return,
            },
            Some((_, outgoing)) = next(&mut talk.outgoing) => match outgoing {
                Outgoing::Bytes(bytes) => if stream.write_all(&bytes).await.is_err() { return },
                Outgoing::Answered(mut ticket) => ticket.answered(),
                Outgoing::End => return,
            },
            () = at(talk.until) => return talk.expire(),
        }
    }
}

/// One connection.
#[derive(Debug)]
struct Conversation {
    mocks: Arc<Mocks>,
    opened: Instant,
    /// What is listened to.
    utterance: Option<Utterance>,
    /// What is spoken while its text still comes.
    speech: Option<Speech>,
    outgoing: VecDeque<(Instant, Outgoing)>,
    /// Requests that are never answered.
    hanging: Vec<Ticket>,
    /// What the client may send at most, and until when.
    bytes_left: Option<u64>,
    until: Option<Instant>,
    /// It says what is on its way, and heeds no more.
    closing: bool,
}

#[derive(Debug)]
enum Outgoing {
    Bytes(Bytes),
    /// All of a request was said.
    Answered(Ticket),
    /// The connection ends.
    End,
}

/// A line that is none of JSON.
const GARBAGE: &[u8] = b"{\"type\": \"audio-start\", \"data\n";

/// A web page in place of an event.
const PAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<!doctype html><title>welcome</title>";

impl Conversation {
    fn new(mocks: Arc<Mocks>) -> Self {
        Self {
            mocks,
            opened: Instant::now(),
            utterance: None,
            speech: None,
            outgoing: VecDeque::new(),
            hanging: Vec::new(),
            bytes_left: None,
            until: None,
            closing: false,
        }
    }

    /// What has come, `count` bytes of it now.
    fn take(&mut self, heard: &mut BytesMut, count: u64) {
        while !self.closing {
            match Event::take(heard) {
                Ok(Some(event)) => self.heed(&event),
                Ok(None) => break,
                // The servers end with what they cannot read.
                Err(_) => self.end(),
            }
        }
        if let Some(left) = &mut self.bytes_left {
            *left = left.saturating_sub(count);
            if *left == 0 {
                self.until = Some(Instant::now());
            }
        }
    }

    fn heed(&mut self, event: &Event) {
        match event.kind.as_str() {
            "describe" => self.put(Instant::now(), Outgoing::Bytes(written("info", &info(), &[]))),
            "transcribe" | "audio-start" => self.listen(),
            "audio-chunk" => {
                self.listen();
                self.utterance.iter_mut().for_each(|utterance| utterance.hear(&event.payload));
            }
            "audio-stop" => self.understand(),
            // Within a stream it repeats the text for servers that know no streams.
            "synthesize" if self.speech.is_none() => self.speak(event.text("text")),
            "synthesize-start" => self.speech = self.begin(Service::WyomingTts).map(Speech::new),
            "synthesize-chunk" => self.speak_on(event.text("text")),
            "synthesize-stop" => self.conclude(),
            _ => {}
        }
    }

    /// A request comes; `None`: it was refused.
    fn begin(&mut self, service: Service) -> Option<(Ticket, Fate)> {
        let mut ticket = self.mocks.arrived(service);
        let fate = self.mocks.fate(&ticket);
        match fate.fault {
            Some(Fault::Refuse) => {
                ticket.answered();
                self.end();
                return None;
            }
            Some(Fault::Limit) => {
                self.until = Some(self.opened + fate.limit.after);
                self.bytes_left = fate.limit.bytes;
            }
            _ => {}
        }
        Some((ticket, fate))
    }

    fn listen(&mut self) {
        if self.utterance.is_none() {
            self.utterance = self.begin(Service::WyomingStt).map(Utterance::new);
        }
    }

    /// The server closes the connection behind each transcript.
    fn understand(&mut self) {
        self.listen();
        let Some(Utterance { ticket, fate, heard }) = self.utterance.take() else { return };
        let texts = self.mocks.config.socket_texts(Service::WyomingStt);
        let text = &texts[(ticket.number() % texts.len() as u64) as usize];
        let answer = Answer::transcript(if heard { text } else { "" });
        if self.say(&fate, answer) == Said::Nothing {
            return self.hanging.push(ticket);
        }
        self.settle(ticket);
        self.end();
    }

    fn speak(&mut self, text: &str) {
        let Some((ticket, fate)) = self.begin(Service::WyomingTts) else { return };
        let answer = Answer::speech(text, &self.mocks);
        self.speak_as(ticket, &fate, answer);
    }

    /// A stream of text goes on: sentences are spoken as they are complete.
    fn speak_on(&mut self, text: &str) {
        let Some(mut speech) = self.speech.take() else { return };
        for sentence in speech.sentences(text) {
            let answer = Answer::speech(&sentence, &self.mocks);
            if self.say(&speech.fate, answer) == Said::Nothing {
                return self.hanging.push(speech.ticket);
            }
        }
        self.speech = Some(speech);
    }

    fn conclude(&mut self) {
        let Some(speech) = self.speech.take() else { return };
        let mut answer = Answer::speech(&speech.rest(), &self.mocks);
        answer.add(written("synthesize-stopped", &Value::Null, &[]));
        self.speak_as(speech.ticket, &speech.fate, answer);
    }

    fn speak_as(&mut self, ticket: Ticket, fate: &Fate, answer: Answer) {
        match self.say(fate, answer) {
            Said::Nothing => self.hanging.push(ticket),
            Said::All => self.settle(ticket),
            Said::Wrong => {
                self.settle(ticket);
                self.end();
            }
        }
    }

    /// Says it at its time, or fails as was asked for.
    fn say(&mut self, fate: &Fate, answer: Answer) -> Said {
        let Answer { mut pieces, other } = answer;
        let whole = |bytes: Bytes| vec![Piece { after: Duration::ZERO, bytes }];
        let mut said = Said::Wrong;
        match fate.fault {
            Some(Fault::Hang) => return Said::Nothing,
            Some(Fault::Status(status)) => pieces = whole(error(status)),
            Some(Fault::Cut) => cut_in_half(&mut pieces),
            Some(Fault::Garbage) => pieces = whole(Bytes::from_static(GARBAGE)),
            Some(Fault::Page) => pieces = whole(Bytes::from_static(PAGE)),
            // Right but for its head, and so is the rest of the connection.
            Some(Fault::Type) => (pieces[0].bytes, said) = (other, Said::All),
            _ => said = Said::All,
        }
        let mut due = Instant::now() + fate.delay;
        for Piece { after, bytes } in pieces {
            due += fate.stretched(after);
            self.put(due, Outgoing::Bytes(bytes));
        }
        said
    }

    fn settle(&mut self, ticket: Ticket) {
        self.put(Instant::now(), Outgoing::Answered(ticket));
    }

    fn end(&mut self) {
        self.put(Instant::now(), Outgoing::End);
        self.closing = true;
    }

    /// Not before what was to be said earlier.
    fn put(&mut self, due: Instant, outgoing: Outgoing) {
        let due = self.outgoing.back().map_or(due, |(before, _)| due.max(*before));
        self.outgoing.push_back((due, outgoing));
    }

    /// Its time is over: what is on its way is not said.
    fn expire(self) {
        let on_their_way = self.outgoing.into_iter().filter_map(|(_, outgoing)| match outgoing {
            Outgoing::Answered(ticket) => Some(ticket),
            Outgoing::Bytes(_) | Outgoing::End => None,
        });
        let begun = self.utterance.map(|utterance| utterance.ticket);
        let begun = begun.into_iter().chain(self.speech.map(|speech| speech.ticket));
        on_their_way.chain(begun).chain(self.hanging).for_each(|mut ticket| ticket.answered());
    }
}

fn error(status: u16) -> Bytes {
    let text = format!("The mock was told to fail with {status}.");
    written("error", &json!({"text": text, "code": status.to_string()}), &[])
}

/// What the server can do.
fn info() -> Value {
    let about = |name: &str| {
        json!({
            "name": name, "description": "A mock", "version": "1", "installed": true,
            "attribution": {"name": "ringway", "url": ""},
        })
    };
    let of = |name: &str, more: Value| {
        let mut about = about(name);
        let fields = about.as_object_mut().into_iter().zip(more.as_object().cloned());
        fields.for_each(|(about, more)| about.extend(more));
        about
    };
    let languages = json!({"languages": ["en"]});
    let models = json!({"models": [of("mock", languages.clone())], "supports_transcript_streaming": false});
    let voices =
        json!({"voices": [of("en_US-mock-medium", languages)], "supports_synthesize_streaming": true});
    json!({"asr": [of("mock", models)], "tts": [of("mock", voices)]})
}
