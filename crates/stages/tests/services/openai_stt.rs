//! Transcription of whole utterances.

use crate::support::{LONG, Server, Step, answer, chunk, chunked, nobody};
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::services::Endpoint;
use ringway_stages::services::openai_stt::{Config, OpenAiStt};
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttSession, Urgency,
};
use std::future::poll_fn;
use std::time::Duration;

const JSON: &str = "application/json";

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn SttSession> {
    OpenAiStt::new(config, None).unwrap().open(SttCall { format }).unwrap()
}

fn segment(id: u32, urgency: Urgency) -> Segment {
    Segment { id: SegmentId(id), urgency, expectation: Expectation::anything() }
}

/// Asks for the words of so many frames.
fn ask(session: &mut dyn SttSession, id: u32, frame: &Frame, frames: usize) {
    session.begin(segment(id, Urgency::Turn)).unwrap();
    for _ in 0..frames {
        session.hear(frame).unwrap();
    }
    session.flush().unwrap();
}

async fn event(session: &mut dyn SttSession) -> Result<SttEvent, SttError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

fn text(id: u32, text: &str) -> SttEvent {
    SttEvent::Final { segment: SegmentId(id), text: text.into(), flushed: true }
}

/// A frame of a sample that every format can hold.
fn loud(format: Format) -> Frame {
    let payload = match format {
        Format::Mulaw8k => vec![0x80; 160],
        Format::Pcm8k | Format::Pcm16k => 32_124_i16.to_le_bytes().repeat(format.rate().frame_samples()),
    };
    Frame::new(format, &payload).unwrap()
}

/// The parts of a form: the value of each name.
fn form(head: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (_, boundary) = head.split_once("content-type: multipart/form-data; boundary=").unwrap();
    let boundary = format!("--{}", boundary.lines().next().unwrap());
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(boundary.len()).position(|window| window == boundary.as_bytes()) {
        parts.push(&rest[..at]);
        rest = &rest[at + boundary.len()..];
    }
    assert_eq!(rest, b"--\r\n");
    let named = |part: &[u8]| {
        let end = part.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(part[..end].to_vec()).unwrap();
        let name = head.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (name, part[end + 4..part.len() - 2].to_vec())
    };
    parts[1..].iter().map(|part| named(part)).collect()
}

#[tokio::test]
async fn an_utterance_is_sent_as_a_wav_file_of_the_calls_rate() {
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let mut server = Server::start(vec![answer("200 OK", JSON, b"{\"text\":\" Hello There. \"}")]).await;
        let mut session = open(config(server.endpoint("/v1")), format);
        ask(&mut *session, 3, &loud(format), 10);
        assert_eq!(event(&mut *session).await.unwrap(), text(3, "Hello There."));
        let asked = server.asked().await;
        assert!(asked.head.starts_with("post /v1/audio/transcriptions "), "{}", asked.head);
        let parts = form(&asked.head, &asked.body);
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["model", "response_format", "language", "file"]);
        assert_eq!(parts[2].1, b"en");
        let mut wav = hound::WavReader::new(&parts[3].1[..]).unwrap();
        assert_eq!(wav.spec().sample_rate, format.rate().hz());
        let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
        assert_eq!(samples, vec![32_124; 10 * format.rate().frame_samples()], "{format}");
    }
}

#[tokio::test]
async fn guesses_are_asked_for_only_when_they_are_wanted() {
    let mut session = open(config(nobody().await), Format::Pcm8k);
    let refused = session.begin(segment(1, Urgency::Partial));
    assert!(matches!(refused, Err(SttError::Overloaded { .. })));
    let wanted = Config { partials: true, ..config(nobody().await) };
    assert!(open(wanted, Format::Pcm8k).begin(segment(1, Urgency::Partial)).is_ok());
}

#[tokio::test]
async fn nothing_said_is_nothing_asked() {
    let mut session = open(config(nobody().await), Format::Pcm8k);
    ask(&mut *session, 1, &loud(Format::Pcm8k), 0);
    assert_eq!(event(&mut *session).await.unwrap(), text(1, ""));
}

#[tokio::test]
async fn an_abandoned_question_closes_its_connection() {
    let mut server =
        Server::start(vec![vec![Step::Hang], answer("200 OK", JSON, b"{\"text\":\"yes\"}")]).await;
    let mut session = open(config(server.endpoint("")), Format::Mulaw8k);
    ask(&mut *session, 1, &loud(Format::Mulaw8k), 5);
    tokio::select! {
        _ = event(&mut *session) => panic!("an answer out of nothing"),
        _ = server.asked() => {}
    }
    session.abandon();
    server.gone().await;
    ask(&mut *session, 2, &loud(Format::Mulaw8k), 5);
    assert_eq!(event(&mut *session).await.unwrap(), text(2, "yes"));
}

#[tokio::test]
async fn every_failure_is_told_with_its_place() {
    let cases = [
        (answer("503 No", "text/plain", b"queue is full"), "status 503: queue is full"),
        (
            answer("200 OK", "text/html", b"<html>"),
            "malformed answer: text/html, where application/json was asked for",
        ),
        (
            answer("200 OK", JSON, b"{\"txt\":1}"),
            "malformed transcription: missing field `text` at line 1 column 9",
        ),
        (answer("200 OK", JSON, b"\0\0"), "malformed transcription: expected value at line 1 column 1"),
        (answer("200 OK", JSON, &vec![b' '; 1_100_000]), "answer of more than 1048576 bytes"),
        (vec![chunked(JSON), chunk(b"{\"te"), Step::Close], "the connection ended inside the answer: "),
        (vec![Step::Close], "the connection ended before the answer: "),
    ];
    for (steps, expected) in cases {
        // One that is closed is met once more, with a connection that has carried nothing yet.
        let server = Server::start(vec![steps.clone(), steps]).await;
        let mut session = open(config(server.endpoint("")), Format::Pcm8k);
        ask(&mut *session, 1, &loud(Format::Pcm8k), 5);
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("openai_stt: {expected}")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_given_up() {
    let server = Server::start(vec![vec![Step::Hang]]).await;
    let limit = Duration::from_millis(1_800);
    let mut session = open(Config { first_byte: limit, ..config(server.endpoint("")) }, Format::Pcm8k);
    ask(&mut *session, 1, &loud(Format::Pcm8k), 5);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "openai_stt: nothing came within 1.8s before the answer");
    server.gone().await;
}
