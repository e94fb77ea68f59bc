//! A voice that speaks [Wyoming](https://github.com/OHF-Voice/wyoming), such as `wyoming-piper`: a clause is an event, its
//! audio comes as it is made.

use super::connector::Connector;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stream::Stream;
use super::voice::{Coding, Later, Pieces, Requested, Session};
use super::wav::header_of;
use super::wyoming::{self, Event, Events};
use super::{ApiKey, Endpoint, Phase, ServiceError, SetupError};
use crate::alarm::Alarm;
use crate::humane;
use crate::tts::{TextToSpeech, TtsCall, TtsError, TtsSession};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

/// Its name in configuration.
pub const NAME: &str = "wyoming_tts";

/// Which voice speaks, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens, `tcp://host:port`. Default port 10200 of this machine.
    pub url: Endpoint,
    /// The voice; the service's own default when absent.
    pub voice: Option<String>,
    /// The language, for a service that chooses the voice by it.
    pub language: Option<String>,
    /// The speaker, for a voice that has several.
    pub speaker: Option<String>,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a clause to the head of its audio. Default 1.8 s: below what counts as a stalled voice.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of audio. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("tcp://127.0.0.1:10200").expect("an address"),
            voice: None,
            language: None,
            speaker: None,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { voice: self.voice.as_deref(), ..Entry::new(Stage::TextToSpeech, &self.url) }
    }

    fn build(&self, _: &dyn Sections, _: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::TextToSpeech(Arc::new(WyomingTts::new(self.clone())?)))
    }
}

/// A voice behind TCP.
#[derive(Clone, Debug)]
pub struct WyomingTts {
    connector: Connector,
    config: Arc<Config>,
}

impl WyomingTts {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        let connector = Connector::direct(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config) })
    }
}

impl TextToSpeech for WyomingTts {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        let voice = Voice { service: self.clone(), shelf: Shelf::default() };
        Ok(Box::new(Session::new(voice, call.format)))
    }
}

/// Connections of a call that wait for their next clause; those that were used and those that never were.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<Vec<(Stream, Use)>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It was just set up for this clause.
    New,
    /// It has waited, so that the service may have closed it.
    Kept,
}

impl Shelf {
    fn take(&self) -> Option<(Stream, Use)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, stream: Stream) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() < MOST_WAITING {
            shelf.push((stream, Use::Kept));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// One call's.
#[derive(Debug)]
struct Voice {
    service: WyomingTts,
    shelf: Shelf,
}

#[derive(Serialize)]
struct Synthesize<'c> {
    text: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<Chosen<'c>>,
}

#[derive(Serialize)]
struct Chosen<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<&'c str>,
}

impl Requested for Voice {
    const NAME: &'static str = NAME;

    fn ask(&self, text: &str) -> Box<dyn Pieces> {
        let Config { voice, language, speaker, .. } = &*self.service.config;
        let chosen =
            Chosen { name: voice.as_deref(), language: language.as_deref(), speaker: speaker.as_deref() };
        let is_chosen = voice.is_some() || language.is_some() || speaker.is_some();
        let mut request = Vec::new();
        wyoming::write(
            "synthesize",
            &Synthesize { text, voice: is_chosen.then_some(chosen) },
            &[],
            &mut request,
        );
        Box::new(Later::new(ask(self.service.clone(), self.shelf.clone(), request)))
    }

    fn coding(&self) -> Coding {
        Coding::Wav
    }

    fn warm(&self) {
        if !self.shelf.is_empty() {
            return;
        }
        let (connector, shelf) = (self.service.connector.clone(), self.shelf.clone());
        tokio::spawn(async move {
            match connector.connect().await {
                Ok(stream) => shelf.put(stream),
                // Whoever needs a connection will be told.
                Err(error) => tracing::debug!(%error, "no connection ahead of time"),
            }
        });
    }
}

/// Sends a request and waits for the head of its audio; a connection that was kept may have been closed meanwhile.
async fn ask(service: WyomingTts, shelf: Shelf, request: Vec<u8>) -> Result<Box<dyn Pieces>, ServiceError> {
    let mut kept = shelf.take();
    loop {
        let (stream, used) = match kept.take() {
            Some(kept) => kept,
            None => (service.connector.connect().await?, Use::New),
        };
        match begin(&service, &shelf, stream, &request).await {
            Err(ServiceError::Cut { .. }) if used == Use::Kept => {}
            Err(error) => return Err(error),
            Ok(audio) => return Ok(Box::new(audio)),
        }
    }
}

async fn begin(
    service: &WyomingTts,
    shelf: &Shelf,
    mut stream: Stream,
    request: &[u8],
) -> Result<Audio, ServiceError> {
    let cut = |error| ServiceError::cut(Phase::FirstByte, error);
    stream.write_all(request).await.map_err(cut)?;
    stream.flush().await.map_err(cut)?;
    let mut audio = Audio {
        stream: Some(stream),
        shelf: shelf.clone(),
        events: Events::default(),
        buffer: vec![0; READ].into_boxed_slice(),
        phase: Phase::FirstByte,
        head: None,
        limits: (service.config.first_byte, service.config.idle),
        waiting: None,
        alarm: Alarm::default(),
    };
    audio.head = match std::future::poll_fn(|cx| audio.poll_event_bytes(cx)).await {
        Some(head) => Some(head?),
        None => return Err(ServiceError::malformed("event", "audio-stop before audio-start")),
    };
    Ok(audio)
}

/// The audio of a clause, in the shape of a WAV file whose length nobody knows.
struct Audio {
    /// `None` when all audio has come.
    stream: Option<Stream>,
    shelf: Shelf,
    events: Events,
    buffer: Box<[u8]>,
    phase: Phase,
    /// The file's header, not given yet.
    head: Option<Bytes>,
    /// To the first audio, and between two pieces.
    limits: (Duration, Duration),
    /// Since when nothing has come, while somebody waits.
    waiting: Option<Instant>,
    alarm: Alarm,
}

#[derive(Deserialize)]
struct Start {
    rate: u32,
    width: u32,
    channels: u32,
}

impl Audio {
    /// The bytes of the next event that has some; `None` is the end.
    fn poll_event_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        loop {
            while let Some(event) = self.events.next()? {
                match self.read(event)? {
                    Heard::Bytes(bytes) => return Poll::Ready(Some(Ok(bytes))),
                    Heard::Nothing => {}
                    Heard::End => {
                        if let Some(stream) = self.stream.take() {
                            self.shelf.put(stream);
                        }
                        return Poll::Ready(None);
                    }
                }
            }
            ready!(self.poll_read(cx))?;
        }
    }

    fn read(&mut self, event: Event) -> Result<Heard, ServiceError> {
        match event.kind.as_str() {
            "audio-start" if self.phase == Phase::FirstByte => {
                self.phase = Phase::Answer;
                wav_header(&event.data()?).map(Heard::Bytes)
            }
            "audio-chunk" if self.phase == Phase::Answer => Ok(Heard::Bytes(event.payload)),
            "audio-chunk" => Err(ServiceError::malformed("event", "audio-chunk before audio-start")),
            "audio-stop" => Ok(Heard::End),
            "error" => {
                let Said { text } = event.data()?;
                Err(ServiceError::Failed { message: super::error::own_words(text.as_bytes()) })
            }
            _ => Ok(Heard::Nothing),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ServiceError>> {
        let Some(stream) = &mut self.stream else { return Poll::Pending };
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let cut = |reason: &str| ServiceError::cut(self.phase, reason);
        match Pin::new(stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Poll::Ready(Err(cut("the service closed it")))
            }
            Poll::Ready(Ok(())) => {
                self.waiting = None;
                self.events.push(buffer.filled());
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(cut(&error.to_string()))),
            Poll::Pending => self.poll_late(cx).map(Err),
        }
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<ServiceError> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let (first, idle) = self.limits;
        let limit = if self.phase == Phase::FirstByte { first } else { idle };
        self.alarm.poll(since + limit, cx).map(|()| ServiceError::Late { phase: self.phase, limit })
    }
}

enum Heard {
    Bytes(Bytes),
    Nothing,
    End,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    text: String,
}

fn wav_header(start: &Start) -> Result<Bytes, ServiceError> {
    let Start { rate, width, channels } = *start;
    if !(1..=4).contains(&width) || !(1..=2).contains(&channels) {
        let found = format_args!("{rate} Hz, {width} bytes, {channels} channels");
        return Err(ServiceError::malformed("audio-start", found));
    }
    Ok(Bytes::copy_from_slice(&header_of(rate, (channels as u16, width as u16), u32::MAX)))
}

impl Pieces for Audio {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ServiceError>>> {
        match self.head.take() {
            Some(head) => Poll::Ready(Some(Ok(head))),
            None if self.stream.is_none() => Poll::Ready(None),
            None => self.poll_event_bytes(cx),
        }
    }
}

/// Connections of a call that are kept at most.
const MOST_WAITING: usize = 2;

/// Bytes that are read at a time.
const READ: usize = 16 * 1_024;
