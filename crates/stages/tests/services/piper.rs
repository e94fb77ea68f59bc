//! Piper over HTTP.

use crate::support::{LONG, Server, Step, answer, chunk, chunked, nobody, once, settle};
use crate::voices::{clause, next, spoken, wav};
use ringway_frame::{Format, Frame, SampleRate};
use ringway_stages::services::Endpoint;
use ringway_stages::services::piper::{Config, Generation, Piper};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsEvent, TtsSession};
use std::time::Duration;

/// As Flask says of everything.
const HTML: &str = "text/html; charset=utf-8";

fn config(url: Endpoint) -> Config {
    let generation = Generation::Json;
    Config { url, generation, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    Piper::new(config).unwrap().open(TtsCall { format }).unwrap()
}

#[tokio::test]
async fn a_clause_is_spoken_in_the_calls_format_whatever_the_voices_rate() {
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        for rate in [8_000, 16_000, 22_050, 44_100] {
            let server = Server::start(vec![answer("200 OK", HTML, &wav(rate, 400))]).await;
            let mut session = open(config(server.endpoint("/synthesize")), format);
            session.speak(clause(1, "Good day to you.")).unwrap();
            let (frames, words) = spoken(&mut *session, format).await.unwrap();
            assert_eq!(frames.len(), 20, "{format} of {rate} Hz");
            assert_eq!(words, [4, 8, 11, 16]);
            let silent = Frame::silence(format);
            assert!(frames.iter().all(|frame| frame.payload() != silent.payload()), "{format} of {rate} Hz");
        }
    }
}

#[tokio::test]
async fn the_voice_gets_the_text_and_its_options() {
    let mut server = Server::start(vec![answer("200 OK", HTML, &wav(16_000, 100))]).await;
    let options =
        Config { voice: Some("en_US-amy".into()), length_scale: Some(0.5), ..config(server.endpoint("/")) };
    let mut session = open(options, Format::Pcm16k);
    session.speak(clause(1, " One moment. ")).unwrap();
    spoken(&mut *session, Format::Pcm16k).await.unwrap();
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /synthesize http/1.1\r\n"), "{}", asked.head);
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body, serde_json::json!({"text": "One moment.", "voice": "en_US-amy", "length_scale": 0.5}));
}

#[tokio::test]
async fn audio_sounds_before_all_of_it_has_come() {
    let file = wav(16_000, 400);
    let (front, back) = file.split_at(44 + 3 * 640);
    let steps = vec![chunked(HTML), chunk(front), Step::Wait, chunk(back), chunk(b"")];
    let server = Server::start(vec![steps]).await;
    let mut session = open(config(server.endpoint("")), Format::Pcm16k);
    session.speak(clause(1, "Good day.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm16k);
    for _ in 0..3 {
        assert_eq!(next(&mut *session, &mut frame).await.unwrap(), TtsEvent::Audio);
    }
    assert_eq!(once(|cx| session.poll_next(cx, &mut frame)).await.map(Result::unwrap), None);
    server.go_on();
    assert_eq!(spoken(&mut *session, Format::Pcm16k).await.unwrap().0.len(), 17);
}

#[tokio::test]
async fn the_next_clause_is_asked_for_while_one_sounds() {
    let good = answer("200 OK", HTML, &wav(8_000, 60));
    let first = vec![chunked(HTML), chunk(&wav(8_000, 60)), Step::Wait, chunk(b"")];
    let mut server = Server::start(vec![first, good.clone(), good]).await;
    let mut session = open(config(server.endpoint("")), Format::Pcm8k);
    for (id, text) in ["One.", "Two.", "Three."].into_iter().enumerate() {
        session.speak(clause(id as u32, text)).unwrap();
    }
    let mut frame = Frame::silence(Format::Pcm8k);
    assert_eq!(next(&mut *session, &mut frame).await.unwrap(), TtsEvent::Audio);
    let mut texts = Vec::new();
    for _ in 0..2 {
        tokio::select! {
            () = async { while next(&mut *session, &mut frame).await.unwrap() == TtsEvent::Audio {} } => panic!("the first clause is not over"),
            asked = server.asked() => texts.push(String::from_utf8(asked.body).unwrap()),
        }
    }
    assert_eq!(texts, [r#"{"text":"One."}"#, r#"{"text":"Two."}"#]);
    server.go_on();
    for frames in [0..=3, 3..=3, 3..=3] {
        let (spoken, _) = spoken(&mut *session, Format::Pcm8k).await.unwrap();
        assert!(frames.contains(&spoken.len()), "{}", spoken.len());
    }
}

#[tokio::test]
async fn a_text_without_a_sound_is_not_sent() {
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    session.speak(clause(1, " ... ")).unwrap();
    let (frames, words) = spoken(&mut *session, Format::Mulaw8k).await.unwrap();
    assert_eq!((frames.len(), words), (0, vec![5]));
}

#[tokio::test]
async fn a_cancelled_voice_closes_its_connection_and_speaks_again() {
    let stuck = vec![chunked(HTML), chunk(&wav(8_000, 60)), Step::Hang];
    let server = Server::start(vec![stuck, answer("200 OK", HTML, &wav(8_000, 40))]).await;
    let mut session = open(config(server.endpoint("")), Format::Pcm8k);
    session.speak(clause(1, "One.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm8k);
    assert_eq!(next(&mut *session, &mut frame).await.unwrap(), TtsEvent::Audio);
    session.cancel();
    server.gone().await;
    session.speak(clause(2, "Two.")).unwrap();
    assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 2);
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let file = wav(SampleRate::HZ_16000.hz(), 400);
    let half = &file[..file.len() / 2];
    let cases = [
        (
            answer("500 No", HTML, b"<h1>Internal Server Error</h1>"),
            "status 500: <h1>Internal Server Error</h1>",
        ),
        (
            answer("200 OK", "audio/wav", b"<html>not audio"),
            "malformed audio: it is HTML or XML, where WAV or bare samples are due",
        ),
        (
            answer("200 OK", HTML, half),
            "malformed WAV audio: it ends 6422 bytes before the end of its samples",
        ),
        (answer("200 OK", HTML, b""), "malformed WAV audio: it ends before its samples"),
        (vec![chunked(HTML), chunk(half), Step::Close], "the connection ended inside the answer: "),
    ];
    for (steps, expected) in cases {
        let server = Server::start(vec![steps]).await;
        let mut session = open(config(server.endpoint("")), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("piper: {expected}")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_stops_in_the_middle_is_given_up() {
    let stuck = vec![chunked(HTML), chunk(&wav(8_000, 60)), Step::Hang];
    let server = Server::start(vec![stuck]).await;
    let idle = Duration::from_secs(1);
    let mut session = open(Config { idle, ..config(server.endpoint("")) }, Format::Pcm8k);
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert_eq!(error, "piper: nothing came within 1s inside the answer");
    server.gone().await;
}

const INFO: &[u8] =
    br#"{"last":null,"voice":{"language":"en-us","name":"en_US-stub-medium","num_speakers":1}}"#;
const VOICES: &[u8] = br#"{"en_US-stub-medium":{"audio":{"quality":"medium","sample_rate":22050}}}"#;
const PAGE: &[u8] = b"<!doctype html>\n<title>404 Not Found</title>";

fn auto(url: Endpoint) -> Config {
    Config { generation: Generation::Auto, ..config(url) }
}

fn good() -> Vec<Step> {
    answer("200 OK", HTML, &wav(8_000, 60))
}

/// Path and body of the next request.
async fn asked(server: &mut Server) -> (String, String) {
    let asked = server.asked().await;
    let path = asked.head.split(" http/1.1").next().unwrap().to_owned();
    (path, String::from_utf8(asked.body).unwrap())
}

/// What is asked until a clause is spoken, of servers with these answers to what they are.
async fn found(mut answers: Vec<Vec<Step>>, path: &str) -> Vec<(String, String)> {
    let requests = answers.len() + 2;
    answers.extend([good(), good()]);
    let mut server = Server::start(answers).await;
    let piper = Piper::new(auto(server.endpoint(path))).unwrap();
    let mut session = piper.open(TtsCall { format: Format::Pcm8k }).unwrap();
    // The session finds out ahead of its first clause.
    let mut all = Vec::new();
    for _ in 2..requests {
        all.push(asked(&mut server).await);
    }
    settle().await;
    for id in 0..2 {
        session.speak(clause(id, "One.")).unwrap();
        assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 3);
        all.push(asked(&mut server).await);
    }
    all
}

#[tokio::test]
async fn every_generation_is_found_out_once_whatever_path_the_address_has() {
    let (json, text) = (r#"{"text":"One."}"#, "One.");
    for path in ["", "/", "/synthesize"] {
        let newest = found(vec![answer("200 OK", JSON, INFO)], path).await;
        assert_eq!(
            newest,
            pairs(&[("get /info", ""), ("post /synthesize", json), ("post /synthesize", json)])
        );
        let missing = answer("404 NOT FOUND", HTML, PAGE);
        let older = found(vec![missing.clone(), answer("200 OK", JSON, VOICES)], path).await;
        assert_eq!(
            older,
            pairs(&[("get /info", ""), ("get /voices", ""), ("post /", json), ("post /", json)])
        );
        let first = found(vec![missing.clone(), missing], path).await;
        assert_eq!(
            first,
            pairs(&[("get /info", ""), ("get /voices", ""), ("post /", text), ("post /", text)])
        );
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect()
}

const JSON: &str = "application/json";

#[tokio::test]
async fn a_server_that_became_another_one_is_found_out_again() {
    let mut server = Server::start(vec![
        answer("404 NOT FOUND", HTML, PAGE),
        answer("200 OK", JSON, VOICES),
        good(),
        // Updated: what was right is refused.
        answer("405 METHOD NOT ALLOWED", HTML, PAGE),
        answer("200 OK", JSON, INFO),
        good(),
        good(),
    ])
    .await;
    let mut session = open(auto(server.endpoint("")), Format::Pcm8k);
    let mut paths = Vec::new();
    for _ in 0..2 {
        paths.push(asked(&mut server).await.0);
    }
    settle().await;
    for id in 0..3 {
        session.speak(clause(id, "One.")).unwrap();
        assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 3);
    }
    for _ in 0..5 {
        paths.push(asked(&mut server).await.0);
    }
    let expected =
        ["get /info", "get /voices", "post /", "post /", "get /info", "post /synthesize", "post /synthesize"];
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn a_server_that_fails_while_it_is_asked_what_it_is_is_told() {
    let broken = answer("500 NO", HTML, b"broken");
    let server = Server::start(vec![broken.clone(), broken.clone(), broken]).await;
    let mut session = open(auto(server.endpoint("")), Format::Pcm8k);
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert_eq!(error, "piper: status 500: broken");
}
