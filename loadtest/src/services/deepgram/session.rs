use super::hearing::{Heard, Hearing};
use super::message::{self, Control};
use super::options::Options;
use crate::services::fate::Fate;
use crate::services::fault::Fault;
use crate::services::mocks::Mocks;
use crate::services::stats::Ticket;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A socket after its handshake.
#[derive(Debug)]
pub struct Session {
    mocks: Arc<Mocks>,
    ticket: Ticket,
    model: String,
    request_id: String,
    hearing: Hearing,
    heard: Vec<Heard>,
    fate: Fate,
    utterances: u64,
    outgoing: VecDeque<(Instant, Outgoing)>,
    /// A failure has made it silent.
    mute: bool,
    /// It says what is on its way, and heeds no more.
    closing: bool,
}

/// What is to be sent.
#[derive(Debug)]
enum Outgoing {
    Text(String),
    Close(CloseCode, &'static str),
    /// The connection ends without a word.
    Cut,
}

/// How long a client may send nothing.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the service says to a client that sent nothing for that long.
const NET_0001: &str = "Deepgram did not receive audio data or a text message within the timeout window. See \
                        https://dpgr.am/net0001";

/// No JSON.
const GARBAGE: &str = "{\"type\":\"Results\",\"channel\":{\"alternatives\":[{\"transcript\":\"";

impl Session {
    /// Of a request whose handshake was answered.
    pub fn new(mocks: Arc<Mocks>, ticket: Ticket, options: Options, request_id: String) -> Self {
        let model = options.model.clone();
        let hearing = Hearing::new(options, mocks.config.listen_texts());
        // Delays of what is no utterance are as those of one that does not fail.
        let fate = mocks.fate_of_part(&ticket, 0, |_| false);
        Self {
            mocks,
            ticket,
            model,
            request_id,
            hearing,
            heard: Vec::new(),
            fate,
            utterances: 0,
            outgoing: VecDeque::new(),
            mute: false,
            closing: false,
        }
    }

    /// Serves the socket to its end.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut socket: WebSocketStream<S>) {
        let mut last_heard = Instant::now();
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Close(_))) => {
                        self.ticket.answered();
                        return farewell(&mut socket).await;
                    }
                    Some(Ok(message)) => {
                        last_heard = Instant::now();
                        self.take(&message);
                    }
                    // The client is gone: it counts as one that has given up, unless all was said.
                    Some(Err(_)) | None => return,
                },
                Some((_, outgoing)) = next(&mut self.outgoing) => {
                    if self.send(&mut socket, outgoing).await.is_none() {
                        return;
                    }
                }
                () = sleep_until(last_heard + PATIENCE), if !self.closing => self.out_of_patience(),
            }
        }
    }

    fn take(&mut self, message: &Message) {
        if self.closing {
            return;
        }
        match message {
            // Empty audio ended a stream before there was a message for it.
            Message::Binary(audio) if audio.is_empty() => self.close_stream(),
            Message::Binary(audio) => self.hearing.audio(audio, &mut self.heard),
            Message::Text(text) => match Control::read(text) {
                Ok(Control::KeepAlive) => {}
                Ok(Control::Finalize) => self.hearing.finalize(&mut self.heard),
                Ok(Control::CloseStream) => self.close_stream(),
                Err(error) => self.say(self.fate.delay, Outgoing::Text(error.to_string())),
            },
            _ => {}
        }
        for heard in std::mem::take(&mut self.heard) {
            self.tell(&heard);
        }
    }

    fn close_stream(&mut self) {
        self.hearing.close(&mut self.heard);
        for heard in std::mem::take(&mut self.heard) {
            self.tell(&heard);
        }
        let created = Timestamp::now().to_string();
        let metadata = message::metadata(&self.request_id, &created, self.hearing.duration(), &self.model);
        self.say(Duration::ZERO, Outgoing::Text(metadata.to_string()));
        self.say(Duration::ZERO, Outgoing::Close(CloseCode::Normal, ""));
        self.closing = true;
    }

    fn out_of_patience(&mut self) {
        self.say(Duration::ZERO, Outgoing::Close(CloseCode::Error, NET_0001));
        self.closing = true;
    }

    fn tell(&mut self, heard: &Heard) {
        let text = message::heard(heard, &self.model, &self.request_id).to_string();
        let Heard::Result(transcript) = heard else {
            return self.say(self.fate.delay, Outgoing::Text(text));
        };
        if !transcript.is_final || transcript.words.is_empty() {
            return self.say(self.fate.delay, Outgoing::Text(text));
        }
        let fate = self.fate_of_utterance();
        let outgoing = match fate.fault {
            Some(Fault::Hang) => return self.fall_silent(),
            Some(Fault::Cut) => Outgoing::Cut,
            Some(Fault::Garbage) => Outgoing::Text(GARBAGE.into()),
            _ => Outgoing::Text(text),
        };
        self.say(fate.delay, outgoing);
    }

    fn fate_of_utterance(&mut self) -> Fate {
        self.utterances += 1;
        self.ticket.utterance();
        self.mocks.fate_of_part(&self.ticket, self.utterances, |fault| !fault.is_of_handshakes())
    }

    fn fall_silent(&mut self) {
        self.outgoing.clear();
        self.mute = true;
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
        match outgoing {
            Outgoing::Text(text) => socket.send(Message::text(text)).await.ok(),
            Outgoing::Cut => {
                self.ticket.answered();
                None
            }
            Outgoing::Close(code, reason) => {
                self.ticket.answered();
                socket.close(Some(CloseFrame { code, reason: reason.into() })).await.ok()?;
                farewell(socket).await;
                None
            }
        }
    }
}

/// Answers what is left of the closing handshake, until the client is gone.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    while let Some(Ok(_)) = socket.next().await {}
}

/// The first in the queue, at its time; never from an empty one.
async fn next(outgoing: &mut VecDeque<(Instant, Outgoing)>) -> Option<(Instant, Outgoing)> {
    match outgoing.front() {
        Some((due, _)) => sleep_until(*due).await,
        None => std::future::pending().await,
    }
    outgoing.pop_front()
}
