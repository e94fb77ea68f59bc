//! The model that hears and speaks.

mod functions;

use crate::socket::{Accepted, Sockets};
use crate::support::{LONG, nobody};
use ringway_frame::{Format, Frame};
use ringway_stages::llm::{Cue, Role, Said};
use ringway_stages::services::openai_realtime::{Config, OpenAiRealtime, TurnDetection};
use ringway_stages::services::{ApiKey, Endpoint};
use ringway_stages::speech_to_speech::{
    Hearing, SpeechCall, SpeechError, SpeechEvent, SpeechSession, SpeechToSpeech, Wanted,
};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::time::Duration;

fn config(url: Endpoint) -> Config {
    Config { url, connect: LONG, first_byte: LONG, idle: LONG, renew_after: LONG, ..Config::default() }
}

fn open(config: Config, format: Format) -> Box<dyn SpeechSession> {
    let key = ApiKey::new("sk-test");
    let service = OpenAiRealtime::new(config, Some(&key)).unwrap();
    service.open(SpeechCall::of(format)).unwrap()
}

fn hear(session: &mut dyn SpeechSession, frames: usize) {
    for _ in 0..frames {
        session.hear(&Frame::silence(Format::Mulaw8k)).unwrap();
    }
}

fn wanted(id: u32, cue: Cue) -> Wanted {
    Wanted::new(id, cue)
}

async fn event(session: &mut dyn SpeechSession) -> Result<SpeechEvent, SpeechError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// Does what the service's side needs while the session is polled, which has nothing to say meanwhile.
async fn meanwhile<T>(session: &mut dyn SpeechSession, service: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = service => done,
        event = event(session) => panic!("{event:?} out of nothing"),
    }
}

/// The next message of the client.
async fn told(session: &mut dyn SpeechSession, service: &mut Accepted) -> Value {
    let text = meanwhile(session, service.receive()).await.expect("a message").expect("of text");
    serde_json::from_str(&text).unwrap()
}

/// The next messages of the client up to one of this kind: their kinds, and that one.
async fn until(session: &mut dyn SpeechSession, service: &mut Accepted, kind: &str) -> (Vec<String>, Value) {
    let mut kinds = Vec::new();
    loop {
        let message = told(session, service).await;
        kinds.push(message["type"].as_str().unwrap().to_owned());
        if message["type"] == kind {
            return (kinds, message);
        }
    }
}

async fn say(service: &mut Accepted, message: Value) {
    service.send(&message.to_string()).await;
}

/// Answers the next handshake so.
async fn refuse(sockets: &Sockets, status: &str, body: &str) -> tokio::net::TcpStream {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut tcp = sockets.tcp().await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
    tcp.write_all(answer.as_bytes()).await.unwrap();
    tcp
}

/// A part of the answer `response`.
fn audio(response: &str, item: &str, milliseconds: usize) -> Value {
    use base64::Engine as _;
    let sound = base64::engine::general_purpose::STANDARD.encode(vec![0x55; 8 * milliseconds]);
    json!({"type": "response.output_audio.delta", "response_id": response, "item_id": item, "delta": sound})
}

fn created(response: &str) -> Value {
    json!({"type": "response.created", "response": {"id": response, "status": "in_progress"}})
}

fn done(response: &str, status: &str) -> Value {
    json!({"type": "response.done", "response": {"id": response, "status": status}})
}

fn frames(session: &mut dyn SpeechSession) -> usize {
    let mut frame = Frame::silence(Format::Mulaw8k);
    std::iter::from_fn(|| session.next_frame(&mut frame).then_some(())).count()
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

/// Text of the answer `response`, by which it is seen that all before it has come.
fn text(response: &str, delta: &str) -> Value {
    json!({"type": "response.output_audio_transcript.delta", "response_id": response, "delta": delta})
}

/// A session of a telephone call that has said what it wants.
async fn begun(sockets: &Sockets, config: Config) -> (Box<dyn SpeechSession>, Accepted) {
    let mut session = open(config, Format::Mulaw8k);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    assert_eq!(told(&mut *session, &mut service).await["type"], "session.update");
    (session, service)
}

/// One that speaks: 400 ms of the answer 7 have come.
async fn speaking(sockets: &Sockets, config: Config) -> (Box<dyn SpeechSession>, Accepted) {
    let (mut session, mut service) = begun(sockets, config).await;
    session.answer(wanted(7, Cue::Said(String::new()))).unwrap();
    assert_eq!(told(&mut *session, &mut service).await["type"], "response.create");
    say(&mut service, created("r1")).await;
    say(&mut service, audio("r1", "i1", 400)).await;
    say(&mut service, text("r1", "Hi")).await;
    let text = SpeechEvent::Text { id: 7, text: "Hi".into() };
    assert_eq!(event(&mut *session).await.unwrap(), text);
    (session, service)
}

#[tokio::test]
async fn a_telephone_call_is_heard_answered_and_written_down() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("/v1/realtime")), Format::Mulaw8k);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    assert_eq!(service.path, "/v1/realtime?model=gpt-realtime");
    assert_eq!(service.authorization.as_deref(), Some("Bearer sk-test"));
    let update = told(&mut *session, &mut service).await;
    assert_eq!(update["session"]["type"], "realtime");
    assert_eq!(update["session"]["audio"]["output"]["format"]["type"], "audio/pcmu");
    hear(&mut *session, 10);
    session.commit(3).unwrap();
    session.answer(wanted(4, Cue::Said(String::new()))).unwrap();
    let (kinds, answer) = until(&mut *session, &mut service, "response.create").await;
    let append = "input_audio_buffer.append";
    assert_eq!(kinds[..4], [append; 4], "three frames each, and the rest");
    assert_eq!(kinds[4..], ["input_audio_buffer.commit", "response.create"]);
    assert!(answer["response"]["instructions"].is_null());
    say(&mut service, json!({"type": "input_audio_buffer.committed", "item_id": "u1"})).await;
    say(&mut service, created("r1")).await;
    say(&mut service, audio("r1", "i1", 50)).await;
    let words = json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": "u1", "transcript": " Hello. "});
    say(&mut service, words).await;
    let heard = SpeechEvent::Heard { turn: 3, text: "Hello.".into() };
    assert_eq!(event(&mut *session).await.unwrap(), heard);
    assert_eq!(frames(&mut *session), 2, "10 ms are no frame yet");
    say(&mut service, done("r1", "completed")).await;
    assert_eq!(to_the_end(&mut *session, 4).await, 1);
    drop(session);
    assert_eq!(service.receive().await, None);
}

#[tokio::test]
async fn an_answer_that_is_broken_off_is_truncated_to_what_was_heard() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = speaking(&sockets, config(sockets.endpoint(""))).await;
    session.cancel(Duration::from_millis(260));
    let cancel = told(&mut *session, &mut service).await;
    assert_eq!((&cancel["type"], &cancel["response_id"]), (&json!("response.cancel"), &json!("r1")));
    let truncate = told(&mut *session, &mut service).await;
    assert_eq!(
        (&truncate["type"], &truncate["item_id"], &truncate["audio_end_ms"]),
        (&json!("conversation.item.truncate"), &json!("i1"), &json!(260))
    );
    // What was on its way is not heard, and a new answer waits for the end of the old one.
    say(&mut service, audio("r1", "i1", 400)).await;
    session.answer(wanted(8, Cue::Said(String::new()))).unwrap();
    say(&mut service, done("r1", "cancelled")).await;
    assert_eq!(told(&mut *session, &mut service).await["type"], "response.create");
    assert_eq!(frames(&mut *session), 0);
    say(&mut service, created("r2")).await;
    say(&mut service, audio("r2", "i2", 40)).await;
    say(&mut service, text("r2", "So")).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Text { id: 8, text: "So".into() });
    assert_eq!(frames(&mut *session), 2);
}

#[tokio::test]
async fn an_answer_that_was_made_whole_is_truncated_as_well_and_one_that_was_heard_out_is_not() {
    for (heard, truncated) in [(100, true), (400, false)] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = speaking(&sockets, config(sockets.endpoint(""))).await;
        say(&mut service, done("r1", "completed")).await;
        assert_eq!(to_the_end(&mut *session, 7).await, 20);
        session.cancel(Duration::from_millis(heard));
        session.answer(wanted(8, Cue::Joined)).unwrap();
        let (kinds, answer) = until(&mut *session, &mut service, "response.create").await;
        assert_eq!(kinds.contains(&"conversation.item.truncate".to_owned()), truncated, "{heard} ms");
        assert!(!kinds.contains(&"response.cancel".to_owned()), "nothing is left to be cancelled");
        let instructions = answer["response"]["instructions"].as_str().unwrap();
        assert!(instructions.contains("Hello, how can I help you?"), "{instructions}");
    }
}

#[tokio::test]
async fn a_session_that_begins_anew_is_told_what_was_said() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    let said = |role, text: &str| Said { role, text: text.into() };
    let history = vec![said(Role::Assistant, "Hi."), said(Role::User, "A table.")];
    let cue = Cue::Said("For two.".into());
    session.answer(Wanted { history, already: "You".into(), ..wanted(1, cue) }).unwrap();
    let mut items = Vec::new();
    let answer = loop {
        let message = told(&mut *session, &mut service).await;
        if message["type"] == "response.create" {
            break message;
        }
        let content = &message["item"]["content"][0];
        items.push(format!("{} {} {}", message["previous_item_id"], content["type"], content["text"]));
    };
    let expected = [
        r#""root" "input_text" "A table.""#,
        r#""root" "output_text" "Hi.""#,
        r#"null "input_text" "For two.""#,
        r#"null "output_text" "You""#,
    ];
    assert_eq!(items, expected);
    assert!(answer["response"]["instructions"].as_str().unwrap().contains("cut off"));
    // It is told once.
    say(&mut service, created("r1")).await;
    say(&mut service, done("r1", "completed")).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Done { id: 1, next: None });
    session
        .answer(Wanted { history: vec![said(Role::User, "x")], ..wanted(2, Cue::Said(String::new())) })
        .unwrap();
    assert_eq!(told(&mut *session, &mut service).await["type"], "response.create");
}

#[tokio::test]
async fn what_was_no_turn_is_cleared() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.forget();
    hear(&mut *session, 3);
    session.forget();
    let (kinds, _) = until(&mut *session, &mut service, "input_audio_buffer.clear").await;
    assert_eq!(kinds.len(), 2, "nothing is cleared when nothing was sent: {kinds:?}");
}

#[tokio::test]
async fn a_turn_too_short_for_the_service_is_one_without_words() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    session.commit(1).unwrap();
    until(&mut *session, &mut service, "input_audio_buffer.commit").await;
    let error = json!({"type": "error", "error": {"code": "input_audio_buffer_commit_empty", "message": "too small"}});
    say(&mut service, error).await;
    let heard = SpeechEvent::Heard { turn: 1, text: String::new() };
    assert_eq!(event(&mut *session).await.unwrap(), heard);
}

#[tokio::test]
async fn the_services_own_detection_ends_turns_when_it_is_asked_to() {
    let sockets = Sockets::start().await;
    let config = Config { turn_detection: TurnDetection::Server, ..config(sockets.endpoint("")) };
    let mut session = open(config, Format::Mulaw8k);
    assert_eq!(session.hearing(), Hearing::Everything);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    let update = told(&mut *session, &mut service).await;
    let detection = &update["session"]["audio"]["input"]["turn_detection"];
    assert_eq!(
        *detection,
        json!({"type": "server_vad", "create_response": false, "interrupt_response": false})
    );
    say(
        &mut service,
        json!({"type": "input_audio_buffer.speech_started", "audio_start_ms": 1, "item_id": "u1"}),
    )
    .await;
    say(
        &mut service,
        json!({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 9, "item_id": "u1"}),
    )
    .await;
    say(&mut service, json!({"type": "input_audio_buffer.committed", "item_id": "u1"})).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Started);
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Stopped);
    say(&mut service, json!({"type": "input_audio_buffer.speech_started"})).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Started, "all before it has come");
    session.commit(1).unwrap();
    session.answer(wanted(1, Cue::Said(String::new()))).unwrap();
    let (kinds, _) = until(&mut *session, &mut service, "response.create").await;
    assert_eq!(kinds, ["response.create"], "the service has committed it by itself");
}

#[tokio::test]
async fn a_session_at_its_time_limit_is_renewed_when_nobody_speaks_and_told_when_somebody_does() {
    let expired = json!({"type": "error", "error": {"code": "session_expired", "message": "60 minutes"}});
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    say(&mut service, expired.clone()).await;
    let (mut session, mut service) = {
        let again = meanwhile(&mut *session, sockets.accept()).await;
        (session, again)
    };
    until(&mut *session, &mut service, "session.update").await;
    let history = vec![Said { role: Role::User, text: "before".into() }];
    session.answer(Wanted { history, ..wanted(1, Cue::Said(String::new())) }).unwrap();
    assert_eq!(told(&mut *session, &mut service).await["type"], "conversation.item.create");
    say(&mut service, expired).await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "openai_realtime: failed inside its answer: 60 minutes");
}

#[tokio::test]
async fn a_session_gives_way_to_a_new_one_before_its_time_limit() {
    let sockets = Sockets::start().await;
    let renew_after = Duration::from_secs(55 * 60);
    let config = Config { renew_after, ..config(sockets.endpoint("")) };
    let (mut session, _old) = begun(&sockets, config).await;
    tokio::time::pause();
    tokio::time::advance(renew_after).await;
    tokio::time::resume();
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    assert_eq!(told(&mut *session, &mut service).await["type"], "session.update");
}

#[tokio::test]
async fn a_socket_that_is_lost_while_nobody_speaks_is_set_up_again_but_not_for_ever() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    for _ in 0..3 {
        service.close().await;
        service = meanwhile(&mut *session, sockets.accept()).await;
    }
    service.close().await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.contains("the service closed it: 1011 time is up"), "{error}");
}

#[tokio::test]
async fn a_loss_while_the_caller_or_the_answer_speaks_is_told() {
    let sockets = Sockets::start().await;
    let (mut session, service) = speaking(&sockets, config(sockets.endpoint(""))).await;
    service.close().await;
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("openai_realtime: the connection ended inside the answer"), "{error}");
    let (mut session, service) = begun(&sockets, config(sockets.endpoint(""))).await;
    hear(&mut *session, 3);
    drop(service);
    assert!(event(&mut *session).await.is_err());
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_the_services_words() {
    let failed = json!({"type": "response.done", "response": {"id": "r1", "status": "failed",
        "status_details": {"error": {"code": "rate_limit_exceeded", "message": "Slow down."}}}});
    let refused = json!({"type": "error", "error": {"code": "invalid_value", "message": "No such voice."}});
    for (message, reason) in [
        (failed.to_string(), "failed inside its answer: Slow down."),
        (refused.to_string(), "failed inside its answer: No such voice."),
        ("{".to_owned(), "malformed message: "),
        (audio("r1", "i1", 0).to_string().replace(r#""delta":"""#, r#""delta":"?""#), "malformed audio: "),
    ] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = speaking(&sockets, config(sockets.endpoint(""))).await;
        service.send(&message).await;
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("openai_realtime: {reason}")), "{error}");
    }
}

#[tokio::test]
async fn what_stops_something_that_was_over_may_fail() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = speaking(&sockets, config(sockets.endpoint(""))).await;
    session.cancel(Duration::ZERO);
    let cancel = told(&mut *session, &mut service).await;
    let error =
        json!({"code": "response_cancel_not_active", "message": "none", "event_id": cancel["event_id"]});
    say(&mut service, json!({"type": "error", "error": error})).await;
    say(&mut service, json!({"type": "input_audio_buffer.speech_started"})).await;
    assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Started, "it goes on");
}

#[tokio::test]
async fn a_service_that_refuses_is_told_with_its_status() {
    let mut session = open(config(nobody().await), Format::Mulaw8k);
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert!(error.starts_with("openai_realtime: cannot connect to "), "{error}");
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-test"}}"#;
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")), Format::Mulaw8k);
    let refused = refuse(&sockets, "401 Unauthorized", body);
    let (error, _tcp) = tokio::join!(event(&mut *session), refused);
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "openai_realtime: status 401: the key is missing or was refused");
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_stops_coming_is_late() {
    let sockets = Sockets::start().await;
    let (mut session, service) = begun(&sockets, config(sockets.endpoint(""))).await;
    tokio::spawn(service.hear());
    session.answer(wanted(1, Cue::Joined)).unwrap();
    // From here on nothing but time passes.
    tokio::time::pause();
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "openai_realtime: nothing came within 600s before the answer");
    tokio::time::resume();
    let idle = Duration::from_secs(100);
    let (mut session, service) = speaking(&sockets, Config { idle, ..config(sockets.endpoint("")) }).await;
    tokio::spawn(service.hear());
    assert_eq!(frames(&mut *session), 20);
    tokio::time::pause();
    let error = event(&mut *session).await.unwrap_err().to_string();
    assert_eq!(error, "openai_realtime: nothing came within 100s inside the answer");
}

#[tokio::test]
async fn a_wideband_call_is_carried_at_24_khz() {
    let sockets = Sockets::start().await;
    let mut session = open(config(sockets.endpoint("")), Format::Pcm16k);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    let update = told(&mut *session, &mut service).await;
    assert_eq!(update["session"]["audio"]["input"]["format"], json!({"type": "audio/pcm", "rate": 24_000}));
    for _ in 0..50 {
        session.hear(&Frame::silence(Format::Pcm16k)).unwrap();
    }
    session.commit(1).unwrap();
    let mut bytes = 0;
    loop {
        use base64::Engine as _;
        let message = told(&mut *session, &mut service).await;
        match message["audio"].as_str() {
            Some(audio) => bytes += base64::engine::general_purpose::STANDARD.decode(audio).unwrap().len(),
            None => break,
        }
    }
    assert_eq!(bytes, 48_000, "a second");
}

#[tokio::test]
async fn a_refused_message_is_no_end_while_no_answer_is_waited_for() {
    for id in [json!({}), json!({"event_id": null}), json!({"event_id": "whose"})] {
        let sockets = Sockets::start().await;
        let (mut session, mut service) = speaking(&sockets, config(sockets.endpoint(""))).await;
        session.cancel(Duration::ZERO);
        let mut error =
            json!({"type": "invalid_request_error", "code": "invalid_value", "message": "too short"});
        error.as_object_mut().unwrap().extend(id.as_object().unwrap().clone());
        let refused = json!({"type": "error", "error": error});
        say(&mut service, refused.clone()).await;
        say(&mut service, json!({"type": "input_audio_buffer.speech_started"})).await;
        assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Started, "it goes on");
        say(&mut service, json!({"type": "response.done", "response": {"id": "r1", "status": "cancelled"}}))
            .await;
        session.answer(wanted(2, Cue::Said(String::new()))).unwrap();
        until(&mut *session, &mut service, "response.create").await;
        say(&mut service, refused).await;
        let error = event(&mut *session).await.unwrap_err().to_string();
        assert_eq!(error, "openai_realtime: failed inside its answer: too short", "an answer is waited for");
    }
}
