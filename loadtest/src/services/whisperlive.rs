//! WhisperLive's socket, as the server of version 0.10 speaks it: options up, then audio; down the last segments over and
//! over, of which the one at the end may still change, and never a word about the end of a turn.

use super::deepgram::options::Encoding;
use super::hearing::Hearing;
use super::mocks::Mocks;
use super::socket::{Listener, Opening, Say};
use super::stats::Service;
use super::upgrade::Handshake;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use ringway_frame::SampleRate;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Answers the handshake; the socket lives on in a task.
pub async fn listen(State(mocks): State<Arc<Mocks>>, mut request: Request<Body>) -> Response<Body> {
    let opening = Opening::new(&mocks, Service::WhisperLive);
    if !is_authorized(&mocks, &request) {
        return opening.reject((StatusCode::UNAUTHORIZED, "Unauthorized\n").into_response());
    }
    match Handshake::read(&mut request) {
        Ok(handshake) => {
            let session = Session::new(&mocks);
            opening.accept(handshake, session, IntoResponse::into_response).await
        }
        Err(reason) => opening.reject((StatusCode::BAD_REQUEST, reason).into_response()),
    }
}

fn is_authorized(mocks: &Mocks, request: &Request<Body>) -> bool {
    let Some(wanted) = &mocks.config.api_key else { return true };
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default();
    let mut given = form_urlencoded::parse(query.as_bytes());
    header.is_some_and(|header| header.strip_prefix("Bearer ") == Some(wanted))
        || given.any(|(key, value)| key == "token" && value == **wanted)
}

/// What a client says first.
#[derive(Debug, Deserialize)]
struct Options {
    uid: Value,
    /// The server looks for these and fails without them.
    #[serde(rename = "task")]
    _task: Value,
    #[serde(rename = "model")]
    _model: Value,
    language: Option<String>,
    #[serde(default = "last_segments")]
    send_last_n_segments: usize,
    #[serde(default = "same_output")]
    same_output_threshold: u32,
    #[serde(default)]
    audio_format: Samples,
}

const fn last_segments() -> usize {
    10
}

const fn same_output() -> u32 {
    10
}

/// How samples are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Samples {
    #[default]
    Float32,
    Int16,
    Uint8,
}

/// One of the places for clients.
#[derive(Debug)]
struct Place(Arc<AtomicU32>);

impl Place {
    /// Takes one, if one is free.
    fn take(places: &Arc<AtomicU32>, most: Option<u32>) -> Option<Self> {
        let most = most.unwrap_or(u32::MAX);
        let taken = places
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |taken| (taken < most).then_some(taken + 1));
        taken.is_ok().then(|| Self(places.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One client's audio.
#[derive(Debug)]
struct Session {
    hearing: Hearing,
    places: Arc<AtomicU32>,
    most_clients: Option<u32>,
    longest: Option<Duration>,
    client: Option<Client>,
}

/// A client that has said what it wants and is served.
#[derive(Debug)]
struct Client {
    options: Options,
    _place: Place,
    /// Segments that stand.
    stand: Vec<Segment>,
    /// Words of an utterance that is over, and how often they were told.
    guess: Option<(Segment, u32)>,
    /// Up to where the audio was looked at for good.
    done: Duration,
    looked: Duration,
    told_language: bool,
}

#[derive(Clone, Debug)]
struct Segment {
    start: Duration,
    end: Duration,
    text: String,
}

/// The silence that ends a segment of the model.
const SILENCE: Duration = Duration::from_millis(300);

/// How often audio is looked at.
const CADENCE: Duration = Duration::from_millis(100);

/// Less is not looked at.
const LEAST: Duration = Duration::from_secs(1);

impl Session {
    fn new(mocks: &Mocks) -> Self {
        let texts = mocks.config.socket_texts(Service::WhisperLive);
        let limits = &mocks.config.whisperlive;
        Self {
            hearing: Hearing::new(Encoding::Linear16, SampleRate::HZ_16000, texts),
            places: mocks.listened_to.clone(),
            most_clients: limits.most_clients,
            longest: limits.longest_ms.map(Duration::from_millis),
            client: None,
        }
    }

    fn begin(&mut self, message: &Message, say: &mut Vec<Say>) {
        let text = message.to_text().unwrap_or_default();
        let Ok(options) = serde_json::from_str::<Options>(text) else {
            return say.push(Say::Close(CloseCode::Normal, ""));
        };
        let uid = &options.uid;
        let Some(place) = Place::take(&self.places, self.most_clients) else {
            let minutes = self.longest.unwrap_or(USUAL_LONGEST).as_secs_f64() / 60.0;
            say.push(Say::Now(json!({"uid": uid, "status": "WAIT", "message": minutes}).to_string()));
            return say.push(Say::Close(CloseCode::Normal, ""));
        };
        let ready = json!({"uid": uid, "message": "SERVER_READY", "backend": "faster_whisper"});
        say.push(Say::Now(ready.to_string()));
        self.client = Some(Client {
            told_language: options.language.is_some(),
            options,
            _place: place,
            stand: Vec::new(),
            guess: None,
            done: Duration::ZERO,
            looked: Duration::ZERO,
        });
    }

    fn hear(&mut self, audio: &[u8], say: &mut Vec<Say>) {
        let Some(client) = &mut self.client else { return };
        let samples = client.options.audio_format.to_s16(audio);
        for step in samples.chunks(STEP) {
            self.hearing.hear(step);
            if self.hearing.now.saturating_sub(client.looked) >= CADENCE {
                client.looked = self.hearing.now;
                client.look(&mut self.hearing, say);
            }
        }
    }
}

impl Client {
    /// Looks for words in what is not done with.
    fn look(&mut self, hearing: &mut Hearing, say: &mut Vec<Say>) {
        let now = hearing.now;
        if hearing.speech.as_ref().is_some_and(|speech| speech.silence(now) >= SILENCE)
            && let Some(speech) = hearing.end()
        {
            let text: String = speech.words().iter().flat_map(|word| [" ", word.as_str()]).collect();
            self.stand_by();
            self.guess = Some((Segment { start: speech.began, end: speech.loud_until, text }, 0));
        }
        if now.saturating_sub(self.done) < LEAST {
            return;
        }
        match (&hearing.speech, &self.guess) {
            (Some(speech), _) => {
                let text: String = speech.said(now).iter().flat_map(|word| [" ", word.as_str()]).collect();
                let (start, end) = (speech.began, now);
                // What was said before is over when somebody speaks again.
                self.stand_by();
                if !text.is_empty() {
                    self.tell_language(say);
                    say.push(Say::Text(self.told(Some(&Segment { start, end, text }))));
                }
            }
            (None, Some(_)) => self.repeat(say),
            (None, None) => self.done = now,
        }
    }

    /// The words of an utterance stand when they were told often enough.
    fn repeat(&mut self, say: &mut Vec<Say>) {
        self.tell_language(say);
        let Some((segment, times)) = &mut self.guess else { return };
        *times += 1;
        let (segment, times) = (segment.clone(), *times);
        if times == 1 {
            return say.push(Say::Words(self.told(Some(&segment))));
        }
        if times <= self.options.same_output_threshold + 1 {
            return say.push(Say::Text(self.told(Some(&segment))));
        }
        self.stand_by();
        say.push(Say::Text(self.told(None)));
    }

    fn stand_by(&mut self) {
        let Some((segment, _)) = self.guess.take() else { return };
        self.done = segment.end;
        // The server forgets what says the same as the segment before.
        if self.stand.last().is_none_or(|last| !last.text.eq_ignore_ascii_case(&segment.text)) {
            self.stand.push(segment);
        }
    }

    fn tell_language(&mut self, say: &mut Vec<Say>) {
        if !std::mem::replace(&mut self.told_language, true) {
            let told = json!({"uid": self.options.uid, "language": "en", "language_prob": 0.98});
            say.push(Say::Text(told.to_string()));
        }
    }

    /// The last segments, and the one that may still change.
    fn told(&self, guess: Option<&Segment>) -> String {
        let first = self.stand.len().saturating_sub(self.options.send_last_n_segments);
        let segments = self.stand[first..].iter().map(|segment| segment.told(true));
        let segments: Vec<Value> = segments.chain(guess.map(|segment| segment.told(false))).collect();
        json!({"uid": self.options.uid, "segments": segments}).to_string()
    }
}

impl Segment {
    fn told(&self, completed: bool) -> Value {
        let seconds = |time: Duration| format!("{:.3}", time.as_secs_f64());
        json!({"start": seconds(self.start), "end": seconds(self.end), "text": self.text, "completed": completed})
    }
}

impl Samples {
    /// As s16le.
    fn to_s16(self, audio: &[u8]) -> Vec<u8> {
        match self {
            Self::Int16 => audio.to_vec(),
            Self::Uint8 => {
                audio.iter().flat_map(|byte| (i16::from(byte ^ 0x80) << 8).to_le_bytes()).collect()
            }
            Self::Float32 => audio.chunks_exact(4).flat_map(|bytes| s16(bytes).to_le_bytes()).collect(),
        }
    }
}

fn s16(bytes: &[u8]) -> i16 {
    let sample = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    (sample * 32_768.0) as i16
}

impl Listener for Session {
    const GARBAGE: &'static str = "{\"uid\": \"mock\", \"segments\": [{\"start\":";
    const LIMIT_CODE: CloseCode = CloseCode::Normal;

    fn take(&mut self, message: &Message, say: &mut Vec<Say>) {
        match message {
            Message::Text(_) | Message::Binary(_) if self.client.is_none() => self.begin(message, say),
            Message::Binary(audio) if audio == END_OF_AUDIO => say.push(Say::Close(CloseCode::Normal, "")),
            Message::Binary(audio) => self.hear(audio, say),
            _ => {}
        }
    }

    fn longest(&self) -> Option<Duration> {
        self.longest
    }

    fn expire(&mut self) -> Option<String> {
        let client = self.client.as_ref()?;
        Some(json!({"uid": client.options.uid, "message": "DISCONNECT"}).to_string())
    }
}

/// Behind it the server closes, whatever is still to be said.
const END_OF_AUDIO: &[u8] = b"END_OF_AUDIO";

/// Bytes of audio that are heard between two looks at most: 20 ms.
const STEP: usize = 640;

/// The server's own default.
const USUAL_LONGEST: Duration = Duration::from_secs(300);
