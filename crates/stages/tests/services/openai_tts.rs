//! Speech in OpenAI's form.

use crate::support::{LONG, Server, Step, answer, chunk, chunked, nobody, once};
use crate::voices::{clause, next, spoken, wav};
use ringway_frame::{Format, Frame};
use ringway_stages::services::openai_tts::{Audio, Config, OpenAiTts};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::tts::{TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::time::Duration;

const PCM: &str = "audio/pcm";

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn TtsSession> {
    let key = ApiKey::new("sk-abc");
    OpenAiTts::new(config, Some(&key)).unwrap().open(TtsCall { format }).unwrap()
}

/// A loud tone without a header.
fn pcm(millis: u32) -> Vec<u8> {
    wav(24_000, millis).split_off(44)
}

#[tokio::test]
async fn a_clause_is_asked_for_with_all_that_was_chosen() {
    let mut server = Server::start(vec![answer("200 OK", PCM, &pcm(400))]).await;
    let options = Config {
        voice: "nova".into(),
        instructions: "Calmly.".into(),
        speed: Some(1.25),
        ..config(server.endpoint("/v1"))
    };
    let mut session = open(options, Format::Mulaw8k);
    session.speak(clause(1, "Good day to you.")).unwrap();
    let (frames, words) = spoken(&mut *session, Format::Mulaw8k).await.unwrap();
    assert_eq!((frames.len(), words.last()), (20, Some(&16)));
    let silent = Frame::silence(Format::Mulaw8k);
    assert!(frames.iter().all(|frame| frame.payload() != silent.payload()));
    let asked = server.asked().await;
    assert!(asked.head.starts_with("post /v1/audio/speech http/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains("authorization: bearer sk-abc\r\n"), "{}", asked.head);
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    let expected = serde_json::json!({
        "model": "gpt-4o-mini-tts", "input": "Good day to you.", "voice": "nova", "response_format": "pcm",
        "instructions": "Calmly.", "speed": 1.25,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn audio_sounds_as_it_is_made() {
    let audio = pcm(400);
    let (front, back) = audio.split_at(960 * 5 + 1);
    let steps = vec![chunked(PCM), chunk(front), Step::Wait, chunk(back), chunk(b"")];
    let server = Server::start(vec![steps]).await;
    let mut session = open(config(server.endpoint("")), Format::Pcm16k);
    session.speak(clause(1, "Good day.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm16k);
    for _ in 0..3 {
        assert_eq!(next(&mut *session, &mut frame).await.unwrap(), TtsEvent::Audio);
    }
    // What is left is within the filters, or has not come.
    let mut early = 3;
    while once(|cx| session.poll_next(cx, &mut frame)).await.is_some() {
        early += 1;
    }
    assert!(early < 6, "{early} frames of five");
    server.go_on();
    assert_eq!(spoken(&mut *session, Format::Pcm16k).await.unwrap().0.len(), 20 - early);
}

#[tokio::test]
async fn a_wav_file_is_understood_whether_or_not_it_was_asked_for() {
    for audio in [Audio::Pcm, Audio::Wav] {
        let server = Server::start(vec![answer("200 OK", "audio/wav", &wav(44_100, 200))]).await;
        let mut session = open(Config { audio, ..config(server.endpoint("")) }, Format::Pcm8k);
        session.speak(clause(1, "Good day.")).unwrap();
        assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 10, "{audio:?}");
    }
}

#[tokio::test]
async fn a_cancelled_voice_closes_its_connection_and_speaks_again() {
    let stuck = vec![chunked(PCM), chunk(&pcm(100)), Step::Hang];
    let server = Server::start(vec![stuck, answer("200 OK", PCM, &pcm(40))]).await;
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
    let refusal = br#"{"error":{"message":"no such voice","type":"invalid_request_error"}}"#;
    let cases = [
        (answer("400 Bad", "application/json", refusal), "status 400: no such voice"),
        (answer("401 No", "text/plain", b"sk-abc"), "status 401: the key is missing or was refused"),
        (answer("500 No", "text/plain", b"broken"), "status 500: broken"),
        (
            answer("200 OK", "text/html; charset=utf-8", b"<html>"),
            "malformed content type: text/html; audio was expected",
        ),
        (answer("200 OK", "audio/mpeg", b"ID3"), "malformed content type: audio/mpeg; audio was expected"),
        (vec![chunked(PCM), chunk(&pcm(100)), Step::Close], "the connection ended inside the answer: "),
        (vec![Step::Send(b"garbage\r\n\r\n".to_vec())], "malformed head of the answer: "),
    ];
    for (steps, expected) in cases {
        let server = Server::start(vec![steps]).await;
        let mut session = open(config(server.endpoint("")), Format::Mulaw8k);
        session.speak(clause(1, "One.")).unwrap();
        let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("openai_tts: {expected}")), "{error}");
    }
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    session.speak(clause(1, "One.")).unwrap();
    let error = spoken(&mut *session, Format::Mulaw8k).await.unwrap_err().to_string();
    assert!(error.starts_with("openai_tts: cannot connect to 127.0.0.1:"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_says_nothing_is_given_up() {
    for (steps, expected) in [
        (vec![Step::Hang], "nothing came within 2s before the answer"),
        (vec![chunked(PCM), chunk(&pcm(60)), Step::Hang], "nothing came within 1s inside the answer"),
    ] {
        let server = Server::start(vec![steps]).await;
        let limits = Config {
            first_byte: Duration::from_secs(2),
            idle: Duration::from_secs(1),
            ..config(server.endpoint(""))
        };
        let mut session = open(limits, Format::Pcm8k);
        session.speak(clause(1, "One.")).unwrap();
        let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
        assert_eq!(error, format!("openai_tts: {expected}"));
        server.gone().await;
    }
}

#[tokio::test]
async fn a_voice_that_answers_without_a_sample_has_failed() {
    let header = wav(24_000, 0);
    for body in [&b""[..], &header, &[0]] {
        let server = Server::start(vec![answer("200 OK", PCM, body), answer("200 OK", PCM, &pcm(40))]).await;
        let mut session = open(config(server.endpoint("")), Format::Pcm8k);
        session.speak(clause(7, "Good day.")).unwrap();
        let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err();
        assert_eq!(error.to_string(), "openai_tts: gave no audio");
        assert!(matches!(error, TtsError::Refused { clause: 7, lasting: false, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_clause_that_is_refused_for_good_is_not_the_end_of_the_session() {
    let refusal = br#"{"error":{"message":"no phoneme comes out"}}"#;
    let answers = vec![answer("400 Bad", "application/json", refusal), answer("200 OK", PCM, &pcm(40))];
    let server = Server::start(answers).await;
    let mut session = open(config(server.endpoint("")), Format::Pcm8k);
    session.speak(clause(1, "See § 4.")).unwrap();
    let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err();
    assert!(matches!(error, TtsError::Refused { clause: 1, lasting: true, .. }), "{error:?}");
    session.speak(clause(2, "Goodbye.")).unwrap();
    assert_eq!(spoken(&mut *session, Format::Pcm8k).await.unwrap().0.len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_the_service_is_not_held_against_a_clause() {
    for status in ["401 No", "403 No", "404 No", "429 Later", "503 Later"] {
        let server = Server::start(vec![answer(status, "text/plain", b"no")]).await;
        let mut session = open(config(server.endpoint("")), Format::Pcm8k);
        session.speak(clause(1, "One.")).unwrap();
        let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err();
        assert!(matches!(error, TtsError::Service { .. }), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn compressed_audio_and_pages_are_refused_by_name_whatever_they_are_said_to_be() {
    for (body, kind) in [
        (&b"ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], "MP3"),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0", "Ogg"),
        (b"{\"detail\":\"no such voice\"}", "JSON"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
    ] {
        for cut in [1, 7, 11, body.len()] {
            let steps = vec![chunked(PCM), chunk(&body[..cut]), chunk(&body[cut..]), chunk(b"")];
            let steps = if cut == body.len() { answer("200 OK", "audio/wav", body) } else { steps };
            let server = Server::start(vec![steps]).await;
            let mut session = open(config(server.endpoint("")), Format::Pcm8k);
            session.speak(clause(1, "One.")).unwrap();
            let error = spoken(&mut *session, Format::Pcm8k).await.unwrap_err().to_string();
            assert!(error.starts_with(&format!("openai_tts: malformed audio: it is {kind}")), "{error}");
        }
    }
}
