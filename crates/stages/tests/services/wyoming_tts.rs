//! A voice that speaks Wyoming.

use crate::support::{LONG, nobody, settle};
use crate::voices::{clause, next, spoken, wav};
use ringway_frame::{Format, Frame};
use ringway_stages::services::Endpoint;
use ringway_stages::services::wyoming_tts::{Config, WyomingTts};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsEvent, TtsSession};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

struct Voice(TcpListener);

struct Connection(BufReader<TcpStream>);

impl Voice {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("tcp://{}", self.0.local_addr().unwrap())).unwrap()
    }

    async fn accept(&self) -> Connection {
        Connection(BufReader::new(self.0.accept().await.unwrap().0))
    }
}

impl Connection {
    async fn asked(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    async fn start(&mut self, rate: u32) {
        let data = format!(r#"{{"rate": {rate}, "width": 2, "channels": 1}}"#);
        let line = format!("{{\"type\": \"audio-start\", \"data_length\": {}}}\n{data}", data.len());
        self.say(line.as_bytes()).await;
    }

    /// A loud tone.
    async fn audio(&mut self, rate: u32, millis: u32) {
        let samples = wav(rate, millis).split_off(44);
        let line = format!("{{\"type\": \"audio-chunk\", \"payload_length\": {}}}\n", samples.len());
        self.say(&[line.as_bytes(), &samples].concat()).await;
    }

    async fn stop(&mut self) {
        self.say(b"{\"type\": \"audio-stop\"}\n").await;
    }

    async fn is_gone(&mut self) -> bool {
        self.0.read_u8().await.is_err()
    }
}

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    WyomingTts::new(config).unwrap().open(TtsCall { format }).unwrap()
}

#[tokio::test]
async fn clauses_are_spoken_on_a_connection_that_was_set_up_ahead() {
    let voice = Voice::start().await;
    let options = Config { voice: Some("amy".into()), speaker: Some("2".into()), ..config(voice.endpoint()) };
    let mut session = open(options, Format::Mulaw8k);
    let mut connection = voice.accept().await;
    settle().await;
    for id in 1..=2 {
        session.speak(clause(id, "Good day.")).unwrap();
        let serve = async {
            let asked = connection.asked().await;
            assert_eq!(asked["type"], "synthesize");
            let data = serde_json::json!({"text": "Good day.", "voice": {"name": "amy", "speaker": "2"}});
            assert_eq!(asked["data"], data);
            connection.start(22_050).await;
            connection.audio(22_050, 200).await;
            connection.audio(22_050, 200).await;
            connection.stop().await;
        };
        let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Mulaw8k), serve);
        let (frames, words) = spoken.unwrap();
        assert_eq!((frames.len(), words.last()), (20, Some(&9)), "clause {id}");
    }
}

#[tokio::test]
async fn audio_sounds_as_it_is_made_and_a_cancelled_clause_closes_its_connection() {
    let voice = Voice::start().await;
    let mut session = open(config(voice.endpoint()), Format::Pcm16k);
    let mut connection = voice.accept().await;
    settle().await;
    session.speak(clause(1, "Good day.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm16k);
    let serve = async {
        connection.asked().await;
        connection.start(16_000).await;
        connection.audio(16_000, 100).await;
    };
    let (event, ()) = tokio::join!(next(&mut *session, &mut frame), serve);
    assert_eq!(event.unwrap(), TtsEvent::Audio);
    session.cancel();
    assert!(connection.is_gone().await);
    let mut connection = voice.accept().await;
    settle().await;
    session.speak(clause(2, "Again.")).unwrap();
    let serve = async {
        assert_eq!(connection.asked().await["data"]["text"], "Again.");
        connection.start(16_000).await;
        connection.audio(16_000, 40).await;
        connection.stop().await;
    };
    let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Pcm16k), serve);
    assert_eq!(spoken.unwrap().0.len(), 2);
}

#[tokio::test]
async fn a_connection_that_the_service_closed_meanwhile_is_set_up_again() {
    let voice = Voice::start().await;
    let mut session = open(config(voice.endpoint()), Format::Pcm8k);
    drop(voice.accept().await);
    settle().await;
    session.speak(clause(1, "Good day.")).unwrap();
    let serve = async {
        let mut connection = voice.accept().await;
        connection.asked().await;
        connection.start(8_000).await;
        connection.audio(8_000, 60).await;
        connection.stop().await;
        connection
    };
    let (spoken, _connection) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
    assert_eq!(spoken.unwrap().0.len(), 3);
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let start = b"{\"type\":\"audio-start\",\"data\":{\"rate\":8000,\"width\":2,\"channels\":1}}\n";
    let cases: [(&[u8], &str); 7] = [
        (b"HTTP/1.1 400 Bad Request\r\n", "malformed event: expected value at line 1 column 1"),
        (
            b"{\"type\":\"error\",\"data\":{\"text\":\"no such voice\"}}\n",
            "failed inside its answer: no such voice",
        ),
        (b"{\"type\":\"audio-stop\"}\n", "malformed event: audio-stop before audio-start"),
        (
            b"{\"type\":\"audio-chunk\",\"payload_length\":2}\nab",
            "malformed event: audio-chunk before audio-start",
        ),
        (
            b"{\"type\":\"audio-start\",\"data\":{\"rate\":8000,\"width\":5,\"channels\":1}}\n",
            "malformed audio-start: 8000 Hz, 5 bytes, 1 channels",
        ),
        (start, "the connection ended inside the answer: the service closed it"),
        (b"", "the connection ended before the answer: the service closed it"),
    ];
    for (bytes, expected) in cases {
        let voice = Voice::start().await;
        let mut session = open(config(voice.endpoint()), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            // The first one may be that set up ahead; whichever is asked is answered.
            loop {
                let mut connection = voice.accept().await;
                let answer = async move {
                    connection.asked().await;
                    connection.say(bytes).await;
                };
                tokio::task::spawn_local(answer);
            }
        };
        let local = tokio::task::LocalSet::new();
        let told = local.run_until(async {
            tokio::select! {
                told = spoken(&mut *session, Format::Mulaw8k) => told,
                () = serve => unreachable!("it serves for ever"),
            }
        });
        let error = told.await.unwrap_err().to_string();
        assert_eq!(error, format!("wyoming_tts: {expected}"));
    }
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
    assert!(error.starts_with("wyoming_tts: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up() {
    for (begins, expected) in [
        (false, "nothing came within 2s before the answer"),
        (true, "nothing came within 1s inside the answer"),
    ] {
        let voice = Voice::start().await;
        let limits = Config {
            first_byte: Duration::from_secs(2),
            idle: Duration::from_secs(1),
            ..config(voice.endpoint())
        };
        let mut session = open(limits, Format::Pcm8k);
        let mut connection = voice.accept().await;
        settle().await;
        session.speak(clause(1, "One.")).unwrap();
        let serve = async {
            connection.asked().await;
            if begins {
                connection.start(8_000).await;
                connection.audio(8_000, 60).await;
            }
        };
        let (spoken, ()) = tokio::join!(spoken(&mut *session, Format::Pcm8k), serve);
        assert_eq!(spoken.unwrap_err().to_string(), format!("wyoming_tts: {expected}"));
    }
}
