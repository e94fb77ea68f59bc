//! The scripted engines under a clock that stands still until everybody waits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmEvent, LlmRequest, LlmSession, Next};
use ringway_stages::scripted::{Config, ScriptedLlm, ScriptedStt, ScriptedTts};
use ringway_stages::stt::{Segment, SegmentId, SpeechToText, SttCall, SttEvent, SttSession, Urgency};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::future::poll_fn;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Instant;

fn recogniser() -> Box<dyn SttSession> {
    ScriptedStt::new(&Config::default()).open(SttCall { format: Format::Mulaw8k }).unwrap()
}

fn segment(id: u32) -> Segment {
    Segment { id: SegmentId(id), urgency: Urgency::Turn, expectation: Expectation::anything() }
}

#[tokio::test(start_paused = true)]
async fn a_segment_is_understood_fifty_milliseconds_after_its_flush() {
    let mut session = recogniser();
    session.begin(segment(7)).unwrap();
    session.hear(&Frame::silence(Format::Mulaw8k)).unwrap();
    let flushed = Instant::now();
    session.flush().unwrap();
    let event = poll_fn(|cx| session.poll_event(cx)).await.unwrap();
    assert_eq!(flushed.elapsed(), Duration::from_millis(50));
    let text = "hello there".to_owned();
    assert_eq!(event, SttEvent::Final { segment: SegmentId(7), text, flushed: true });
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_segment_is_never_answered() {
    let mut session = recogniser();
    session.begin(segment(1)).unwrap();
    session.flush().unwrap();
    session.abandon();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(session.poll_event(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn request(id: u32, already: &str) -> LlmRequest {
    let cue = Cue::Said("hello there".into());
    LlmRequest { already: already.into(), ..LlmRequest::new(id, cue) }
}

async fn reply(session: &mut dyn LlmSession) -> (Vec<(String, u128)>, LlmEvent) {
    let start = Instant::now();
    let mut tokens = Vec::new();
    loop {
        match poll_fn(|cx| session.poll_event(cx)).await.unwrap() {
            LlmEvent::Text { text, .. } => tokens.push((text, start.elapsed().as_millis())),
            done => return (tokens, done),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_comes_word_by_word() {
    let config = Config { reply: "One two three.".into(), ..Config::default() };
    let mut session = ScriptedLlm::new(&config).open(LlmCall::default()).unwrap();
    session.reply(request(3, "")).unwrap();
    let (tokens, done) = reply(&mut *session).await;
    let expected = [("One ", 100), ("two ", 110), ("three.", 120)];
    assert_eq!(tokens, expected.map(|(text, at)| (text.to_owned(), at)));
    let next = Next::Listen(Expectation::anything());
    assert_eq!(done, LlmEvent::Done { id: 3, next, memo: String::new() });
}

#[tokio::test(start_paused = true)]
async fn a_reply_goes_on_behind_what_a_dead_engine_made() {
    let config = Config { reply: "One two three.".into(), ..Config::default() };
    let mut session = ScriptedLlm::new(&config).open(LlmCall::default()).unwrap();
    session.reply(request(3, "One two ")).unwrap();
    let (tokens, _) = reply(&mut *session).await;
    assert_eq!(tokens, [("three.".to_owned(), 100)]);
}

fn voice(format: Format) -> Box<dyn TtsSession> {
    ScriptedTts::new(&Config::default()).open(TtsCall { format }).unwrap()
}

fn clause(id: u32, text: &str) -> Clause {
    Clause { id, text: text.into() }
}

fn rms(frame: &Frame) -> f64 {
    let samples: Vec<f64> = (frame.payload().chunks_exact(2))
        .map(|bytes| f64::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32_768.0)
        .collect();
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
}

#[tokio::test(start_paused = true)]
async fn a_clause_is_sixty_milliseconds_a_character_and_loud_at_once() {
    let mut session = voice(Format::Pcm16k);
    let mut frame = Frame::silence(Format::Pcm16k);
    let start = Instant::now();
    session.speak(clause(1, "Né oui")).unwrap();
    let mut events = Vec::new();
    while !matches!(events.last(), Some(TtsEvent::Done { .. })) {
        let event = poll_fn(|cx| session.poll_next(cx, &mut frame)).await.unwrap();
        if event == TtsEvent::Audio {
            assert!(20.0 * rms(&frame).log10() > -20.0);
        }
        events.push(event);
    }
    assert_eq!(start.elapsed(), Duration::from_millis(50));
    let word = |upto| TtsEvent::Word { clause: 1, upto };
    let marks: Vec<_> = (events.iter().enumerate()).filter(|(_, event)| **event != TtsEvent::Audio).collect();
    assert_eq!(marks, [(6, &word(3)), (19, &word(7)), (20, &TtsEvent::Done { clause: 1 })]);
}

#[tokio::test(start_paused = true)]
async fn clauses_are_bounded_and_forgotten_on_cancel() {
    let mut session = voice(Format::Mulaw8k);
    for id in 0..64 {
        session.speak(clause(id, "hello")).unwrap();
    }
    assert!(matches!(session.speak(clause(64, "hello")), Err(TtsError::Overloaded { queued: 64 })));
    session.cancel();
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut frame = Frame::silence(Format::Mulaw8k);
    assert!(session.poll_next(&mut Context::from_waker(Waker::noop()), &mut frame).is_pending());
}
