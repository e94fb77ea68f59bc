//! The voice service of a telephone system.

use crate::support::{LONG, Server, Step, answer, chunk, chunked, nobody};
use crate::voices::{clause, spoken, wav};
use ringway_frame::Format;
use ringway_stages::services::phone_tts::{Config, PhoneTts};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsSession};
use std::path::PathBuf;
use std::time::Duration;

const JSON: &str = "application/json";

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config) -> Box<dyn TtsSession> {
    PhoneTts::new(config, Some(&ApiKey::new("abc"))).unwrap().open(TtsCall { format: Format::Pcm8k }).unwrap()
}

fn made(path: &str) -> Vec<Step> {
    let body = serde_json::json!({"success": true, "file_path": path, "cached": false, "duration": 0.1});
    answer("200 OK", JSON, body.to_string().as_bytes())
}

/// A file of this test's own, gone with it.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("ringway-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_file_that_can_be_read_here_is_read_here() {
    let file = File::new("here.wav", &wav(22_050, 100));
    let mut server = Server::start(vec![made(file.0.to_str().unwrap())]).await;
    let options = Config { voice: Some("amy".into()), speed: 1.5, ..config(server.endpoint("")) };
    let mut session = open(options);
    session.speak(clause(1, "Good day.")).unwrap();
    assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 5);
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /tts http/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains("authorization: bearer abc\r\n"), "{}", asked.head);
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    let expected = serde_json::json!({"text": "Good day.", "voice": "amy", "speed": 1.5, "cache": true});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn any_other_file_is_fetched_from_the_service() {
    for (files, address) in [(None, "get /nowhere/here/a.wav "), (Some("/audio/"), "get /audio/a.wav ")] {
        let mut server =
            Server::start(vec![made("/nowhere/here/a.wav"), answer("200 OK", "audio/wav", &wav(8_000, 60))])
                .await;
        let mut session = open(Config { files: files.map(str::to_owned), ..config(server.endpoint("")) });
        session.speak(clause(1, "Good day.")).unwrap();
        assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 3);
        server.asked().await;
        let asked = server.asked().await;
        assert!(asked.head.starts_with(address), "{}", asked.head);
    }
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let file = wav(8_000, 100);
    let not_audio = File::new("page.html", b"<html>not audio");
    let cases = [
        (vec![answer("500 No", "text/plain", b"broken")], "status 500: broken"),
        (vec![answer("200 OK", "text/html", b"<html>")], "malformed answer: expected value"),
        (
            vec![answer("200 OK", JSON, br#"{"success":false,"error":"no such voice"}"#)],
            "failed inside its answer: no such voice",
        ),
        (vec![answer("200 OK", JSON, br#"{"success":true}"#)], "malformed answer: it names no file"),
        (vec![made(not_audio.0.to_str().unwrap())], "malformed audio: it is HTML or XML"),
        (vec![made("/nowhere/a b.wav")], "malformed file_path: \"/nowhere/a b.wav\" is no path of a file"),
        (vec![made("/nowhere/a.wav"), answer("404 No", "text/plain", b"gone")], "status 404: gone"),
        (
            vec![made("/nowhere/a.wav"), vec![chunked("audio/wav"), chunk(&file[..100]), Step::Close]],
            "the connection ended inside the answer: ",
        ),
    ];
    for (answers, expected) in cases {
        let server = Server::start(answers).await;
        let mut session = open(config(server.endpoint("")));
        session.speak(clause(1, "One.")).unwrap();
        let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("phone_tts: {expected}")), "{error}");
    }
    let mut session = open(config(nobody().await));
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert!(error.starts_with("phone_tts: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up_and_one_that_is_cancelled_left() {
    let server = Server::start(vec![vec![Step::Hang]]).await;
    let first_byte = Duration::from_secs(2);
    let mut session = open(Config { first_byte, ..config(server.endpoint("")) });
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
    assert_eq!(error, "phone_tts: nothing came within 2s before the answer");
    server.gone().await;
}
