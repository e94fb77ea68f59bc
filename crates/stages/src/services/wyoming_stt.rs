//! A recogniser of whole utterances that speaks [Wyoming](https://github.com/OHF-Voice/wyoming), such as
//! `wyoming-faster-whisper`.

use super::connector::Connector;
use super::error::own_words;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::stream::Stream;
use super::task::Task;
use super::wyoming::{self, Event, Events};
use super::{ApiKey, Endpoint, Phase, ServiceError, SetupError};
use crate::humane;
use crate::pcm;
use crate::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession, Urgency,
};
use ringway_frame::{Format, Frame};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;

/// Its name in configuration.
pub const NAME: &str = "wyoming_stt";

/// Which model listens, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens, `tcp://host:port`. Default port 10300 of this machine.
    pub url: Endpoint,
    /// The model; the server's own default when absent.
    pub model: Option<String>,
    /// The language spoken, as ISO 639-1 has it; empty: the server's own default. Default `en`.
    pub language: String,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From an utterance to its first words. Default 1.8 s: below what counts as a stalled recogniser.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of its words. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("tcp://127.0.0.1:10300").expect("an address"),
            model: None,
            language: "en".into(),
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry { model: self.model.as_deref(), ..Entry::new(Stage::SpeechToText, &self.url) }
    }

    fn build(&self, _: &dyn Sections, _: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(WyomingStt::new(self.clone())?)))
    }
}

/// A recogniser behind TCP.
#[derive(Clone, Debug)]
pub struct WyomingStt {
    connector: Connector,
    config: Arc<Config>,
    /// The server has told that it recognises speech.
    described: Arc<AtomicBool>,
}

impl WyomingStt {
    /// A client of the server; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        let connector = Connector::direct(&config.url, config.connect)?;
        Ok(Self { connector, config: Arc::new(config), described: Arc::default() })
    }
}

impl SpeechToText for WyomingStt {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        let mut session = Session {
            service: self.clone(),
            format: call.format,
            hearing: None,
            asked: None,
            spare: Spare::default(),
            warming: None,
        };
        session.warm();
        Ok(Box::new(session))
    }
}

/// A connection that waits for the next utterance: servers close it behind each answer.
#[derive(Clone, Debug, Default)]
struct Spare(Arc<Mutex<Option<Stream>>>);

impl Spare {
    fn take(&self) -> Option<Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, stream: Stream) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }

    fn is_there(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

struct Session {
    service: WyomingStt,
    format: Format,
    /// The segment that is heard, as events.
    hearing: Option<(SegmentId, Vec<u8>)>,
    asked: Option<Asked>,
    spare: Spare,
    warming: Option<Task>,
}

struct Asked {
    segment: SegmentId,
    answer: Pin<Box<dyn Future<Output = Result<String, ServiceError>>>>,
    /// The words so far, of a server that tells them one by one.
    pieces: watch::Receiver<String>,
}

#[derive(Serialize)]
struct Transcribe<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'c str>,
}

/// How the samples of an event are coded.
#[derive(Serialize)]
struct Audio {
    rate: u32,
    width: u32,
    channels: u32,
}

impl Session {
    fn head(&self) -> Vec<u8> {
        let Config { model, language, .. } = &*self.service.config;
        let mut events = Vec::new();
        if !self.service.described.load(Ordering::Relaxed) {
            wyoming::write_bare("describe", &mut events);
        }
        let language = (!language.is_empty()).then_some(language.as_str());
        wyoming::write("transcribe", &Transcribe { name: model.as_deref(), language }, &[], &mut events);
        wyoming::write("audio-start", &self.audio(), &[], &mut events);
        events
    }

    fn audio(&self) -> Audio {
        Audio { rate: self.format.rate().hz(), width: 2, channels: 1 }
    }

    /// Sets up a connection ahead of time.
    fn warm(&mut self) {
        if self.spare.is_there() {
            return;
        }
        let (connector, spare) = (self.service.connector.clone(), self.spare.clone());
        let warming = tokio::spawn(async move {
            match connector.connect().await {
                Ok(stream) => spare.put(stream),
                // Whoever needs a connection will be told.
                Err(error) => tracing::debug!(%error, "no connection ahead of time"),
            }
        });
        self.warming = Some(Task(warming.abort_handle()));
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Segments
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        if segment.urgency == Urgency::Partial {
            // To the stage that is a recogniser with better things to do.
            return Err(SttError::Overloaded { queued: 0 });
        }
        self.abandon();
        self.hearing = Some((segment.id, self.head()));
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        let audio = self.audio();
        let Some((_, events)) = &mut self.hearing else { return Ok(()) };
        if events.len() >= LONGEST_AUDIO {
            return Err(failure(ServiceError::TooLarge { place: "utterance", limit: LONGEST_AUDIO }));
        }
        let mut samples = [0; pcm::MAX_SAMPLES];
        let count = pcm::decode(frame, &mut samples);
        let mut bytes = [0; 2 * pcm::MAX_SAMPLES];
        for (bytes, sample) in bytes.chunks_exact_mut(2).zip(&samples[..count]) {
            bytes.copy_from_slice(&sample.to_le_bytes());
        }
        wyoming::write("audio-chunk", &audio, &bytes[..2 * count], events);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        if let Some((segment, mut events)) = self.hearing.take() {
            wyoming::write_bare("audio-stop", &mut events);
            let (sender, pieces) = watch::channel(String::new());
            let answer = Box::pin(ask(self.service.clone(), self.spare.take(), events, sender));
            self.asked = Some(Asked { segment, answer, pieces });
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.hearing = None;
        if self.asked.take().is_some() {
            self.warm();
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        let Some(Asked { segment, answer, pieces }) = &mut self.asked else { return Poll::Pending };
        let segment = *segment;
        match answer.as_mut().poll(cx) {
            Poll::Ready(answered) => self.answer(segment, answered),
            Poll::Pending if pieces.has_changed().unwrap_or(false) => {
                let text = pieces.borrow_and_update().clone();
                Poll::Ready(Ok(SttEvent::Partial { segment, text }))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Session {
    fn answer(
        &mut self,
        segment: SegmentId,
        answered: Result<String, ServiceError>,
    ) -> Poll<Result<SttEvent, SttError>> {
        self.asked = None;
        self.warm();
        let done = |text: String| SttEvent::Final { segment, text: text.trim().to_owned(), flushed: true };
        Poll::Ready(answered.map(done).map_err(failure))
    }
}

/// Sends an utterance and waits for its words; a connection that has waited may have been closed meanwhile.
async fn ask(
    service: WyomingStt,
    spare: Option<Stream>,
    events: Vec<u8>,
    pieces: watch::Sender<String>,
) -> Result<String, ServiceError> {
    if let Some(stream) = spare {
        match exchange(&service, stream, &events, &pieces).await {
            Err(ServiceError::Cut { phase: Phase::FirstByte, .. }) => {}
            answered => return answered,
        }
    }
    exchange(&service, service.connector.connect().await?, &events, &pieces).await
}

async fn exchange(
    service: &WyomingStt,
    mut stream: Stream,
    events: &[u8],
    pieces: &watch::Sender<String>,
) -> Result<String, ServiceError> {
    let limit = service.config.first_byte;
    let sent = timeout(limit, async {
        stream.write_all(events).await?;
        stream.flush().await
    });
    let late = |_| ServiceError::Late { phase: Phase::FirstByte, limit };
    sent.await.map_err(late)?.map_err(|error| ServiceError::cut(Phase::FirstByte, error))?;
    let mut answer =
        Answer { stream, events: Events::default(), phase: Phase::FirstByte, text: String::new() };
    loop {
        let event = answer.next(&service.config).await?;
        if let Some(text) = answer.read(&event, service, pieces)? {
            return Ok(text);
        }
    }
}

/// What has come of an answer.
struct Answer {
    stream: Stream,
    events: Events,
    phase: Phase,
    /// Words that came one by one.
    text: String,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    asr: Vec<serde::de::IgnoredAny>,
}

impl Answer {
    async fn next(&mut self, config: &Config) -> Result<Event, ServiceError> {
        let mut buffer = [0; READ];
        loop {
            if let Some(event) = self.events.next()? {
                return Ok(event);
            }
            let phase = self.phase;
            let limit = if phase == Phase::FirstByte { config.first_byte } else { config.idle };
            let read = timeout(limit, self.stream.read(&mut buffer)).await;
            let read = read.map_err(|_| ServiceError::Late { phase, limit })?;
            match read.map_err(|error| ServiceError::cut(phase, error))? {
                0 if self.events.is_between() => {
                    return Err(ServiceError::cut(phase, "the service closed it"));
                }
                0 => return Err(ServiceError::cut(Phase::Answer, "the service closed it")),
                count => self.events.push(&buffer[..count]),
            }
        }
    }

    /// The whole text, if this was the last event of it.
    fn read(
        &mut self,
        event: &Event,
        service: &WyomingStt,
        pieces: &watch::Sender<String>,
    ) -> Result<Option<String>, ServiceError> {
        match event.kind.as_str() {
            "transcript" => return event.data::<Said>().map(|said| Some(said.text)),
            "transcript-start" => self.phase = Phase::Answer,
            "transcript-chunk" => {
                self.text.push_str(&event.data::<Said>()?.text);
                pieces.send_replace(self.text.trim().to_owned());
            }
            "transcript-stop" => return Ok(Some(std::mem::take(&mut self.text))),
            "info" if event.data::<Info>()?.asr.is_empty() => {
                return Err(ServiceError::Unfit { reason: "the server recognises no speech" });
            }
            "info" => service.described.store(true, Ordering::Relaxed),
            "error" => {
                let said: Said = event.data()?;
                return Err(ServiceError::Failed { message: own_words(said.text.as_bytes()) });
            }
            _ => {}
        }
        Ok(None)
    }
}

fn failure(source: ServiceError) -> SttError {
    SttError::Service { engine: NAME, source }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Bytes of one utterance: four minutes at 16 kHz, more than any ring holds.
const LONGEST_AUDIO: usize = 8 * 1_024 * 1_024;

/// Bytes of an answer that are read at once.
const READ: usize = 2 * 1_024;
