//! One call: the conversation on a socket, in real time.

use super::codec::{BadAudio, Coder};
use super::connection;
use super::connection::Socket;
use super::conversation::{Conversation, Note};
use super::journal::{Entry, Journal};
use super::speech::RATE;
use super::time_line::TimeLine;
use futures_util::{SinkExt, StreamExt};
use ringway_frame::{FRAME, MediaTime};
use ringway_wire::level::Dbfs;
use ringway_wire::opus::OpusError;
use ringway_wire::voice_ws::{AudioFormat, Codec, Down, Start, Up};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A call that is on.
pub struct Session {
    /// None while the connection is broken.
    socket: Option<Socket>,
    codec: Codec,
    coder: Coder,
    conversation: Conversation,
    journal: Journal,
    bot: TimeLine,
    began: Instant,
    /// The connection is to be broken once.
    break_off: Option<BreakOff>,
    /// With which the session is resumed.
    token: Option<String>,
}

/// When a connection is broken, and how the session is resumed.
#[derive(Clone, Debug)]
pub struct BreakOff {
    /// From the beginning of the call.
    pub at: Duration,
    /// Until it is resumed.
    pub away: Duration,
    /// The address of the server, or of its browser socket.
    pub address: String,
    /// Any certificate will do.
    pub insecure: bool,
}

/// What a call left.
#[derive(Debug)]
pub struct Spoken {
    /// All that the bot said.
    pub bot: TimeLine,
    /// Every file was answered.
    pub answered: bool,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server has no place, or does not serve this.
    #[error("refused: {0}")]
    Refused(String),
    /// The call went wrong.
    #[error("the server says {0}")]
    Told(String),
    /// The server closed the socket in the middle of the call.
    #[error("the call is cut off: {0}")]
    Closed(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] Box<Error>),
    /// The session could not be resumed.
    #[error("the session is not resumed: {0}")]
    NotResumed(String),
    /// What came is no audio.
    #[error(transparent)]
    Audio(#[from] BadAudio),
    /// libopus refuses.
    #[error(transparent)]
    Opus(#[from] OpusError),
    /// No `started`, or no `ended`, came in time.
    #[error("the server does not say {0}")]
    Late(&'static str),
}

/// How the call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    On,
    Ended,
}

/// How long the server may take to begin and to end the call.
const PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// On an open socket.
    ///
    /// # Errors
    /// libopus refuses.
    pub fn new(
        socket: Socket,
        codec: Codec,
        conversation: Conversation,
        (journal, break_off): (Journal, Option<BreakOff>),
    ) -> Result<Self, SessionError> {
        let coder = Coder::new(codec)?;
        let (bot, began) = (TimeLine::default(), Instant::now());
        let token = None;
        Ok(Self { socket: Some(socket), codec, coder, conversation, journal, bot, began, break_off, token })
    }

    /// Holds the conversation to its end.
    ///
    /// # Errors
    /// The server refuses the call, or it breaks.
    pub async fn run(mut self, dialogue: Option<String>) -> Result<Spoken, SessionError> {
        self.journal.begin();
        self.start(dialogue).await?;
        let progress = self.talk().await?;
        let length = self.now();
        if progress == Progress::On {
            self.stop().await?;
        }
        self.bot.end(length);
        Ok(Spoken { bot: self.bot, answered: self.conversation.is_answered() })
    }

    /// Asks for a call and waits for it: its time line begins now.
    async fn start(&mut self, dialogue: Option<String>) -> Result<(), SessionError> {
        let resume = self.break_off.is_some();
        self.ask(Start { dialogue, resume, ..Start::of(self.format()) }).await;
        let started = timeout(PATIENCE, self.await_started()).await;
        let started = started.unwrap_or(Err(SessionError::Late("started")));
        self.began = Instant::now();
        match started {
            Ok(call_id) => {
                self.journal.tell(Entry::new(MediaTime::ZERO, "started").text(&call_id));
                Ok(())
            }
            Err(error) => {
                self.journal.tell(Entry::new(MediaTime::ZERO, "error").text(&error.to_string()));
                Err(error)
            }
        }
    }

    fn format(&self) -> AudioFormat {
        AudioFormat::new(self.codec, RATE).expect("the browser socket speaks 16 kHz")
    }

    /// A server that is full closes right behind the upgrade: what it says is read with its answer.
    async fn ask(&mut self, start: Start) {
        let _ = self.send(Message::text(Up::Start(start).to_text())).await;
    }

    /// Breaks the connection when that is due, and resumes the session over another one.
    async fn break_off(&mut self) -> Result<(), SessionError> {
        let now = self.now();
        let Some(BreakOff { away, address, insecure, .. }) =
            self.break_off.take_if(|break_off| now.since_start() >= break_off.at)
        else {
            return Ok(());
        };
        self.journal.tell(Entry::new(now, "dropped"));
        let separator = if address.contains('?') { '&' } else { '?' };
        let again = format!("{}{separator}resume", connection::socket_of(&address));
        self.socket = None;
        tokio::time::sleep(away).await;
        let socket = connection::open(&again, insecure).await;
        self.socket = Some(socket.map_err(|error| SessionError::NotResumed(error.to_string()))?);
        self.ask(Start { token: self.token.clone(), ..Start::of(self.format()) }).await;
        let started = timeout(PATIENCE, self.await_started()).await;
        started.unwrap_or(Err(SessionError::Late("started"))).map_err(not_resumed)?;
        self.coder = Coder::new(self.codec)?;
        self.journal.tell(Entry::new(self.now(), "resumed"));
        Ok(())
    }

    /// The call's id; an error before it is a refusal.
    async fn await_started(&mut self) -> Result<String, SessionError> {
        loop {
            match self.receive().await? {
                Message::Text(text) => match Down::parse(&text) {
                    Ok(Down::Started { call_id, token, .. }) => {
                        self.token = token.or(self.token.take());
                        return Ok(call_id);
                    }
                    Ok(Down::Error(error)) => return Err(SessionError::Refused(error.to_string())),
                    _ => {}
                },
                Message::Close(frame) => return Err(SessionError::Refused(closed(frame))),
                _ => {}
            }
        }
    }

    /// Speaks and listens until all is said, or the bot hangs up.
    async fn talk(&mut self) -> Result<Progress, SessionError> {
        let mut due = MediaTime::ZERO + FRAME;
        while !self.conversation.is_over() {
            let tick = sleep_until(self.began + due.since_start());
            let message = tokio::select! {
                biased;
                () = tick => None,
                message = socket(&mut self.socket).next() => Some(taken(message)?),
            };
            match message {
                None => {
                    self.tick(due).await?;
                    due += FRAME;
                    self.break_off().await?;
                    // What was not said while it was away is not said at once behind it.
                    due = due.max(self.now());
                }
                Some(message) => {
                    if self.take(message)? == Progress::Ended {
                        return Ok(Progress::Ended);
                    }
                }
            }
        }
        Ok(Progress::On)
    }

    /// Says goodbye and waits for the server's own.
    async fn stop(&mut self) -> Result<(), SessionError> {
        self.send(Message::text(Up::Stop.to_text())).await?;
        timeout(PATIENCE, self.await_ended()).await.unwrap_or(Err(SessionError::Late("ended")))
    }

    async fn await_ended(&mut self) -> Result<(), SessionError> {
        loop {
            let message = self.receive().await?;
            if self.take(message)? == Progress::Ended {
                return Ok(());
            }
        }
    }

    async fn tick(&mut self, due: MediaTime) -> Result<(), SessionError> {
        let samples = self.conversation.tick(due, self.bot.until());
        self.tell_notes(due);
        let message = self.coder.encode(&samples)?;
        self.send(message).await
    }

    fn take(&mut self, message: Message) -> Result<Progress, SessionError> {
        let now = self.now();
        match message {
            Message::Binary(bytes) => self.hear(now, &bytes)?,
            Message::Text(text) => {
                // Clients ignore what they do not know.
                if let Ok(down) = Down::parse(&text) {
                    return self.told(now, down);
                }
            }
            Message::Close(frame) => return Err(SessionError::Closed(closed(frame))),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(Progress::On)
    }

    fn hear(&mut self, now: MediaTime, bytes: &[u8]) -> Result<(), SessionError> {
        let samples = self.coder.decode(bytes)?;
        self.bot.play(now, &samples);
        if Dbfs::of_samples(&samples).is_loud() {
            self.conversation.hear_loud(now);
            self.tell_notes(now);
        }
        Ok(())
    }

    fn told(&mut self, now: MediaTime, down: Down) -> Result<Progress, SessionError> {
        match down {
            Down::State { state } => self.conversation.state(state),
            Down::Transcript { turn, text, is_final: true } => {
                self.journal.tell(Entry::new(now, "transcript").turn(turn).text(&text));
            }
            Down::Bot { turn, text, is_final: true } => {
                self.journal.tell(Entry::new(now, "bot").turn(turn).text(&text));
            }
            Down::Clear { turn } => {
                self.bot.clear(now);
                self.journal.tell(Entry::new(now, "clear").turn(turn));
            }
            Down::Error(error) => {
                let text = error.to_string();
                self.journal.tell(Entry::new(now, "error").text(&text));
                if !error.recoverable {
                    return Err(SessionError::Told(text));
                }
            }
            Down::Ended { reason } => {
                self.journal.tell(Entry::new(now, "ended").text(&reason));
                return Ok(Progress::Ended);
            }
            Down::Started { .. }
            | Down::Transcript { .. }
            | Down::Bot { .. }
            | Down::Stage { .. }
            | Down::Service { .. }
            | Down::Language { .. }
            | Down::Late { .. }
            | Down::Tool { .. }
            | Down::Latency(_) => {}
        }
        Ok(Progress::On)
    }

    fn tell_notes(&mut self, now: MediaTime) {
        for note in self.conversation.notes() {
            let entry = match &note {
                Note::Says(name) => Entry::new(now, "said").text(name),
                Note::Answer(after) => Entry::new(now, "answer").answered_after(*after),
                Note::NoAnswer => Entry::new(now, "error").text("no answer came"),
            };
            self.journal.tell(entry);
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), SessionError> {
        Ok(socket(&mut self.socket).send(message).await.map_err(Box::new)?)
    }

    async fn receive(&mut self) -> Result<Message, SessionError> {
        taken(socket(&mut self.socket).next().await)
    }

    fn now(&self) -> MediaTime {
        self.began.elapsed().into()
    }
}

/// A server that has no such call any more refuses none.
fn not_resumed(error: SessionError) -> SessionError {
    match error {
        SessionError::Refused(why) => SessionError::NotResumed(why),
        error => error,
    }
}

fn socket(present: &mut Option<Socket>) -> &mut Socket {
    present.as_mut().expect("whoever breaks the connection makes another")
}

fn taken(message: Option<Result<Message, Error>>) -> Result<Message, SessionError> {
    let message = message.ok_or_else(|| SessionError::Closed("closed without a word".to_owned()))?;
    Ok(message.map_err(Box::new)?)
}

fn closed(frame: Option<CloseFrame>) -> String {
    frame.map_or_else(
        || "closed without a reason".to_owned(),
        |CloseFrame { code, reason }| format!("closed with {code} {reason}").trim_end().to_owned(),
    )
}
