//! Recognition of whole utterances by Wyoming.

use crate::hearing::{Hearing, answer, begin, event, failure, guess, speak};
use crate::support::{LONG, nobody, settle};
use ringway_frame::Format;
use ringway_stages::services::Endpoint;
use ringway_stages::services::wyoming_stt::{Config, WyomingStt};
use ringway_stages::stt::{SpeechToText, SttCall};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const INFO: &str = r#"{"type":"info","data":{"asr":[{"name":"faster-whisper"}],"tts":[]}}"#;

fn transcript(text: &str) -> String {
    let data = serde_json::json!({"text": text}).to_string();
    format!("{{\"type\":\"transcript\",\"version\":\"1.10.2\",\"data_length\":{}}}\n{data}", data.len())
}

struct Server(TcpListener);

impl Server {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn config(&self) -> Config {
        let url = Endpoint::parse(&format!("tcp://{}", self.0.local_addr().unwrap())).unwrap();
        Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
    }

    async fn accept(&self) -> BufReader<TcpStream> {
        BufReader::new(self.0.accept().await.unwrap().0)
    }
}

/// A session with its first connection, which was made ahead.
async fn open(server: &Server, config: Config) -> (Hearing, BufReader<TcpStream>) {
    let session = WyomingStt::new(config).unwrap().open(SttCall { format: Format::Pcm16k }).unwrap();
    let tcp = server.accept().await;
    settle().await;
    (session, tcp)
}

/// The types of the events of an utterance, and the bytes of its audio; `None`: the client has gone.
async fn utterance(tcp: &mut BufReader<TcpStream>) -> Option<(Vec<String>, usize)> {
    let (mut kinds, mut bytes) = (Vec::new(), 0);
    while kinds.last().is_none_or(|kind| kind != "audio-stop") {
        let mut line = String::new();
        if tcp.read_line(&mut line).await.unwrap() == 0 {
            return None;
        }
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        let mut payload = vec![0; event["payload_length"].as_u64().unwrap_or(0) as usize];
        tcp.read_exact(&mut payload).await.unwrap();
        bytes += payload.len();
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    kinds.dedup();
    Some((kinds, bytes))
}

async fn say(tcp: &mut BufReader<TcpStream>, text: &str) {
    tcp.write_all(text.as_bytes()).await.unwrap();
    tcp.flush().await.unwrap();
}

fn ask(session: &mut Hearing, id: u32) {
    begin(session, id);
    speak(session, 10);
    session.flush().unwrap();
}

#[tokio::test]
async fn an_utterance_is_sent_whole_and_answered() {
    let server = Server::start().await;
    let (mut session, mut tcp) = open(&server, server.config()).await;
    ask(&mut session, 1);
    let serve = async {
        let heard = utterance(&mut tcp).await.unwrap();
        say(&mut tcp, &format!("{INFO}\n{}", transcript(" Hello there. "))).await;
        heard
    };
    let (event, (kinds, bytes)) = tokio::join!(event(&mut session), serve);
    assert_eq!(event.unwrap(), answer(1, "Hello there."));
    assert_eq!(kinds, ["describe", "transcribe", "audio-start", "audio-chunk", "audio-stop"]);
    assert_eq!(bytes, 10 * 640);
}

#[tokio::test]
async fn words_that_come_one_by_one_are_shown() {
    let server = Server::start().await;
    let (mut session, mut tcp) = open(&server, server.config()).await;
    ask(&mut session, 1);
    let chunk = |text: &str| format!("{{\"type\":\"transcript-chunk\",\"data\":{{\"text\":\"{text}\"}}}}\n");
    say(&mut tcp, &format!("{{\"type\":\"transcript-start\"}}\n{}", chunk("Hello"))).await;
    assert_eq!(event(&mut session).await.unwrap(), guess(1, "Hello"));
    say(&mut tcp, &format!("{}{{\"type\":\"transcript-stop\"}}\n", chunk(" there"))).await;
    assert_eq!(event(&mut session).await.unwrap(), answer(1, "Hello there"));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_made_again() {
    let server = Server::start().await;
    let (mut session, tcp) = open(&server, server.config()).await;
    drop(tcp);
    ask(&mut session, 1);
    let serve = async {
        let mut tcp = server.accept().await;
        utterance(&mut tcp).await.unwrap();
        say(&mut tcp, &transcript("yes")).await;
        tcp
    };
    let (event, _tcp) = tokio::join!(event(&mut session), serve);
    assert_eq!(event.unwrap(), answer(1, "yes"));
}

#[tokio::test]
async fn an_utterance_that_is_not_wanted_any_more_is_not_waited_for() {
    let server = Server::start().await;
    let (mut session, mut tcp) = open(&server, server.config()).await;
    ask(&mut session, 1);
    let asked = tokio::select! {
        asked = utterance(&mut tcp) => asked,
        _ = event(&mut session) => None,
    };
    assert!(asked.is_some());
    session.abandon();
    assert_eq!(utterance(&mut tcp).await, None);
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    for (said, expected) in [
        ("HTTP/1.1 400 Bad Request\r\n".to_owned(), "malformed event: expected value at line 1 column 1"),
        (
            r#"{"type":"error","data":{"text":"no model"}}"#.to_owned() + "\n",
            "failed inside its answer: no model",
        ),
        (
            r#"{"type":"info","data":{"asr":[],"tts":[{}]}}"#.to_owned() + "\n",
            "cannot be used: the server recognises no speech",
        ),
        (
            r#"{"type":"transcript","data_length":90}"#.to_owned() + "\n{",
            "the connection ended inside the answer: the service closed it",
        ),
    ] {
        let server = Server::start().await;
        let (mut session, mut tcp) = open(&server, server.config()).await;
        ask(&mut session, 1);
        let serve = async {
            utterance(&mut tcp).await.unwrap();
            say(&mut tcp, &said).await;
            drop(tcp);
        };
        let (error, ()) = tokio::join!(failure(&mut session), serve);
        assert_eq!(error, format!("wyoming_stt: {expected}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start().await;
    let first_byte = Duration::from_millis(1_800);
    let (mut session, _tcp) = open(&server, Config { first_byte, ..server.config() }).await;
    ask(&mut session, 1);
    assert_eq!(failure(&mut session).await, "wyoming_stt: nothing came within 1.8s before the answer");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_address() {
    let engine = WyomingStt::new(Config { url: nobody().await, ..Config::default() }).unwrap();
    let mut session = engine.open(SttCall { format: Format::Pcm16k }).unwrap();
    ask(&mut session, 1);
    let error = failure(&mut session).await;
    assert!(error.starts_with("wyoming_stt: cannot connect to 127.0.0.1:"), "{error}");
}
