//! A speech server of one's own.

use crate::socket::{Accepted, Sockets};
use crate::support::LONG;
use ringway_frame::{Format, Frame};
use ringway_stages::llm::Cue;
use ringway_stages::services::Endpoint;
use ringway_stages::services::speech_server::{Config, SpeechServer};
use ringway_stages::speech_to_speech::{
    Hearing, SpeechCall, SpeechError, SpeechEvent, SpeechSession, SpeechToSpeech, Wanted,
};
use std::future::poll_fn;
use std::time::Duration;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, ..Config::default() }
}

fn open(config: Config) -> Box<dyn SpeechSession> {
    let server = SpeechServer::new(config, None).unwrap();
    server.open(SpeechCall::of(Format::Mulaw8k)).unwrap()
}

fn said(id: u32) -> Wanted {
    Wanted::new(id, Cue::Said(String::new()))
}

async fn event(session: &mut dyn SpeechSession) -> Result<SpeechEvent, SpeechError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

async fn meanwhile<T>(session: &mut dyn SpeechSession, server: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = server => done,
        event = event(session) => panic!("{event:?} out of nothing"),
    }
}

async fn begun(config: Config, sockets: &Sockets) -> (Box<dyn SpeechSession>, Accepted) {
    let mut session = open(config);
    let server = meanwhile(&mut *session, sockets.accept()).await;
    (session, server)
}

/// A chunk of so many milliseconds at 24 kHz.
fn chunk(milliseconds: u32) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 24_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    (0..24 * milliseconds).for_each(|_| writer.write_sample(1_000_i16).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

fn frames(session: &mut dyn SpeechSession) -> usize {
    let mut frame = Frame::silence(Format::Mulaw8k);
    std::iter::from_fn(|| session.next_frame(&mut frame).then_some(())).count()
}

/// Part of what the caller says: by its being told it is seen that all before it has come.
async fn come(session: &mut dyn SpeechSession, server: &mut Accepted) {
    server.send(r#"{"type":"transcript","role":"user","text":"so","final":false}"#).await;
    assert!(matches!(event(session).await.unwrap(), SpeechEvent::Guess { .. }));
}

/// Frames of the running answer up to its end.
async fn to_the_end(session: &mut dyn SpeechSession, id: u32) -> usize {
    let mut count = 0;
    let end = poll_fn(|cx| {
        loop {
            let event = session.poll_event(cx);
            let taken = if event.is_pending() { frames(session) } else { 0 };
            count += taken;
            if taken == 0 {
                return event;
            }
        }
    });
    assert_eq!(end.await.unwrap(), SpeechEvent::Done { id, next: None });
    count
}

const HEARD: &str = r#"{"type":"transcript","role":"user","text":"hello"}"#;

#[tokio::test]
async fn a_turn_is_heard_answered_and_written_down() {
    let sockets = Sockets::start().await;
    let (mut session, mut server) = begun(config(sockets.endpoint("/talk")), &sockets).await;
    assert_eq!((server.path.as_str(), session.hearing()), ("/talk", Hearing::Everything));
    for _ in 0..10 {
        session.hear(&Frame::silence(Format::Mulaw8k)).unwrap();
    }
    let mut bytes = 0;
    while bytes < 5_000 {
        bytes += meanwhile(&mut *session, server.receive()).await.unwrap().unwrap_err().len();
    }
    session.commit(1).unwrap();
    session.answer(said(2)).unwrap();
    server.send(HEARD).await;
    let heard = SpeechEvent::Heard { turn: 1, text: "hello".into() };
    assert_eq!(event(&mut *session).await.unwrap(), heard);
    server.send(r#"{"type":"transcript","role":"assistant","text":"Hi."}"#).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Text { id: 2, text: "Hi. ".into() });
    server.send_audio(&chunk(200)).await;
    server.send_audio(&chunk(215)).await;
    server.send(r#"{"type":"audio_end"}"#).await;
    assert_eq!(to_the_end(&mut *session, 2).await, 21, "the last one is filled up");
}

#[tokio::test]
async fn a_turn_that_the_server_finds_over_first_is_over() {
    let sockets = Sockets::start().await;
    let (mut session, mut server) = begun(config(sockets.endpoint("")), &sockets).await;
    server.send(HEARD).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Started);
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Stopped);
    session.commit(5).unwrap();
    let heard = SpeechEvent::Heard { turn: 5, text: "hello".into() };
    assert_eq!(event(&mut *session).await.unwrap(), heard);
}

#[tokio::test]
async fn what_still_comes_of_an_answer_that_was_broken_off_is_not_heard() {
    let sockets = Sockets::start().await;
    let (mut session, mut server) = begun(config(sockets.endpoint("")), &sockets).await;
    session.commit(1).unwrap();
    session.answer(said(2)).unwrap();
    server.send_audio(&chunk(400)).await;
    come(&mut *session, &mut server).await;
    assert_eq!(frames(&mut *session), 19, "what is inside of the filter comes later");
    session.cancel(Duration::from_millis(100));
    server.send_audio(&chunk(400)).await;
    come(&mut *session, &mut server).await;
    session.commit(3).unwrap();
    session.answer(said(4)).unwrap();
    assert_eq!(frames(&mut *session), 0);
    server.send_audio(&chunk(100)).await;
    come(&mut *session, &mut server).await;
    assert!(frames(&mut *session) > 0);
}

#[tokio::test]
async fn an_answer_without_a_further_chunk_is_over_and_one_without_any_is_late() {
    let sockets = Sockets::start().await;
    let (mut session, mut server) = begun(config(sockets.endpoint("")), &sockets).await;
    session.commit(1).unwrap();
    session.answer(said(2)).unwrap();
    server.send_audio(&chunk(30)).await;
    come(&mut *session, &mut server).await;
    // From here on nothing but time passes.
    tokio::spawn(server.hear());
    tokio::time::pause();
    assert_eq!(to_the_end(&mut *session, 2).await, 2);
    tokio::time::resume();
    let (mut session, server) = begun(config(sockets.endpoint("")), &sockets).await;
    tokio::spawn(server.hear());
    session.answer(said(2)).unwrap();
    tokio::time::pause();
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "speech_server: nothing came within 600s before the answer");
}

#[tokio::test]
async fn what_the_server_cannot_be_asked_for_is_an_empty_answer() {
    let sockets = Sockets::start().await;
    let (mut session, _server) = begun(config(sockets.endpoint("")), &sockets).await;
    for cue in [Cue::Joined, Cue::Silent(1), Cue::Pressed("1".into())] {
        session.answer(Wanted { cue, ..said(9) }).unwrap();
        assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Done { id: 9, next: None });
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_left_to_others() {
    let sockets = Sockets::start().await;
    let (mut session, _server) = begun(config(sockets.endpoint("")), &sockets).await;
    for wanted in
        [Wanted { already: "Of".into(), ..said(2) }, Wanted { cue: Cue::Said("hello".into()), ..said(2) }]
    {
        let error = session.answer(wanted).unwrap_err().to_string();
        assert_eq!(error, "speech_server: it cannot go on with an answer that was cut off");
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    for (message, reason) in [
        (r#"{"type":"error","message":"no model"}"#, "failed inside its answer: no model"),
        ("oops", "malformed message: "),
    ] {
        let sockets = Sockets::start().await;
        let (mut session, mut server) = begun(config(sockets.endpoint("")), &sockets).await;
        server.send(message).await;
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("speech_server: {reason}")), "{error}");
    }
    let sockets = Sockets::start().await;
    let (mut session, mut server) = begun(config(sockets.endpoint("")), &sockets).await;
    server.send_audio(b"no WAV at all").await;
    assert!(event(&mut *session).await.unwrap_err().to_string().contains("malformed WAV audio"));
    let (mut session, server) = begun(config(sockets.endpoint("")), &sockets).await;
    server.close().await;
    assert!(event(&mut *session).await.unwrap_err().to_string().contains("time is up"));
}
