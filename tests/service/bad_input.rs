//! What peers get wrong, and that nobody else notices.

use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, media, start};
use crate::support::server::{Server, Setup};
use crate::support::within;
use ringway_wire::MAX_MESSAGE;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, client_async};

/// The next error that the page is told.
async fn error(browser: &mut Browser, code: &str) -> Value {
    let error = browser.event("error").await;
    assert_eq!(error["code"], code, "{error}");
    for field in ["message", "sessionId", "recoverable"] {
        assert!(error.get(field).is_some(), "{error}");
    }
    error
}

/// A call that was there before, and still is.
async fn bystander(server: &Server) -> Browser {
    let (browser, _) = Browser::greeted(server).await;
    browser
}

async fn undisturbed(mut bystander: Browser) {
    bystander.say("digits/7");
    assert_eq!(bystander.understood().await, "hello there");
}

#[tokio::test]
async fn a_page_that_errs_is_told_and_its_call_goes_on() {
    let server = Setup::bench().start();
    let (mut browser, _) = Browser::call(&server).await;
    let start_again = json!({"type": "start", "codec": "pcm16", "sampleRate": 16000});
    let mistakes = [
        (Message::binary(vec![0; 608]), "bad_frame_size"),
        (Message::binary(Vec::new()), "bad_frame_size"),
        (Message::text(start_again.to_string()), "start_twice"),
        (Message::text(r#"{"type":"mute","muted":"yes"}"#), "bad_field"),
        (Message::text(r#"{"type":"dtmf","digit":"x"}"#), "bad_field"),
    ];
    for (message, code) in mistakes {
        browser.line.send(message);
        assert_eq!(error(&mut browser, code).await["recoverable"], true);
    }
    browser.microphone();
    browser.say("digits/day-1");
    assert_eq!(browser.understood().await, "hello there");
}

#[tokio::test]
async fn a_page_that_breaks_the_protocol_is_told_and_closed() {
    let server = Setup::bench().start();
    let bystander = bystander(&server).await;
    let unknown = json!({"type": "start", "codec": "mp3", "sampleRate": 16000});
    let mistakes = [
        (Message::binary(vec![0; 640]), "media_before_start", 1008),
        (Message::text("not JSON"), "bad_json", 1007),
        (Message::text(unknown.to_string()), "unknown_codec", 1003),
    ];
    for (message, code, close) in mistakes {
        let mut browser = Browser::open(&server).await;
        browser.line.send(message);
        assert_eq!(error(&mut browser, code).await["recoverable"], false);
        assert_eq!(browser.line.closed().await, (close, code.to_owned()));
    }
    undisturbed(bystander).await;
}

#[tokio::test]
async fn a_start_with_a_bad_field_can_be_said_again() {
    let server = Setup::bench().start();
    let mut browser = Browser::open(&server).await;
    for (rate, code) in [(json!(44_100), "bad_field"), (json!("16000"), "bad_field")] {
        browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": rate}));
        assert_eq!(error(&mut browser, code).await["recoverable"], true);
    }
    browser.tell(json!({"type": "start", "codec": "pcm16", "sampleRate": 16000}));
    browser.event("started").await;
}

#[tokio::test]
async fn text_where_audio_is_due_ends_the_call() {
    let server = Setup::bench().start();
    let (mut browser, id) = Browser::call(&server).await;
    browser.line.send(Message::text("AAAAAAAAAAAAAAAA"));
    let told = browser.event("error").await;
    assert_eq!(told["sessionId"], json!(id), "{told}");
    assert_eq!(browser.line.closed().await, (1003, "binary_expected".to_owned()));
}

#[tokio::test]
async fn a_message_of_a_mebibyte_and_a_byte_is_refused() {
    let server = Setup::bench().start();
    let bystander = bystander(&server).await;
    let (mut browser, _) = Browser::call(&server).await;
    browser.line.send(Message::binary(vec![0; MAX_MESSAGE + 1]));
    error(&mut browser, "message_too_large").await;
    assert_eq!(browser.line.closed().await, (1009, "message_too_large".to_owned()));
    let mut carrier = Carrier::call(&server).await;
    carrier.line.send(Message::text("x".repeat(MAX_MESSAGE + 1)));
    assert_eq!(carrier.line.closed().await, (1009, "message_too_large".to_owned()));
    undisturbed(bystander).await;
}

#[tokio::test]
async fn a_carrier_that_breaks_the_protocol_before_its_call_is_closed_with_the_reason() {
    let server = Setup::bench().start();
    let bystander = bystander(&server).await;
    let mut codec = start(json!({}));
    codec["start"]["mediaFormat"]["encoding"] = json!("audio/l16");
    let mut bad = media(1, &[0; 160]);
    bad["media"]["payload"] = json!("not base64!");
    let mistakes = [
        (Message::text(media(1, &[0; 160]).to_string()), 1008, "media_before_start"),
        (Message::text(bad.to_string()), 1007, "bad_base64"),
        (Message::text(codec.to_string()), 1003, "unknown_codec"),
        (Message::binary(vec![0; 160]), 1003, "text_expected"),
        (Message::text("{"), 1007, "bad_json"),
    ];
    for (message, close, reason) in mistakes {
        let carrier = Carrier::open(&server).await;
        carrier.tell(json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}));
        carrier.line.send(message);
        let mut line = carrier.line;
        assert_eq!(line.closed().await, (close, reason.to_owned()));
    }
    undisturbed(bystander).await;
}

#[tokio::test]
async fn odd_messages_of_a_carrier_end_no_call() {
    let mut server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    let odd = [
        (r#"{"event":"media","media":{"payload":"%%%"}}"#, "bad_base64"),
        (r#"{"event":"media","sequenceNumber":1.5,"media":{"payload":"/////w=="}}"#, "bad_field"),
        (r#"{"event":"dtmf","dtmf":{"digit":"w"}}"#, "bad_field"),
        (r#"{"event":"mark","mark":{}}"#, "bad_field"),
        (r#"{"foo":1}"#, "bad_field"),
        ("hello", "bad_json"),
        ("", "bad_json"),
    ];
    for (message, _) in odd {
        carrier.line.send(Message::text(message));
    }
    carrier.tell(start(json!({})));
    carrier.line.send(Message::binary(vec![0; 160]));
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.say("digits/day-1");
    carrier.answered(&server).await;
    for (code, times) in
        [("bad_base64", 1), ("bad_field", 4), ("bad_json", 2), ("start_twice", 1), ("text_expected", 1)]
    {
        let series = format!("ringway_protocol_errors_total{{edge=\"twilio\",code=\"{code}\"}}");
        assert_eq!(server.metric(&series).await, Some(f64::from(times)), "{code}");
    }
    let line = server.log_with(REFUSED, &[("code", "bad_field")]).await;
    assert_eq!(line["error"], "sequenceNumber: is no whole number", "the first of its kind, with its field");
}

const REFUSED: &str = "a carrier's message is refused, and the call goes on";

#[tokio::test]
async fn carrier_audio_of_any_length_is_reframed() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    let mut chunk = 0;
    let encode = move |samples: &[i16]| {
        chunk += 1;
        Message::text(media(chunk, samples).to_string())
    };
    carrier.line.microphone(161, Box::new(encode));
    carrier.answered(&server).await;
    carrier.say("digits/day-1");
    carrier.answered(&server).await;
}

/// The reply lasts long enough to fill the buffers of a peer that does not read.
#[tokio::test]
async fn a_caller_that_never_reads_is_dropped_with_a_reason() {
    let reply = "word ".repeat(400);
    let mut server = Setup::bench().with(&format!("[scripted]\nreply = {reply:?}\ntoken_ms = 0")).start();
    let bystander = bystander_of_a_long_talk(&server).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let stream: TcpStream = socket.connect(server.address).await.unwrap();
    let request = server.ws("/voice-ws").into_client_request().unwrap();
    let (mut deaf, _) = client_async(request, MaybeTlsStream::Plain(stream)).await.unwrap();
    let start = Message::text(r#"{"type":"start","codec":"pcm16","sampleRate":16000}"#);
    within("the start", futures_util::SinkExt::send(&mut deaf, start)).await.unwrap();
    let ended = server.log("call.ended").await;
    assert_eq!(ended["reason"], "slow_consumer");
    let mut bystander = bystander;
    let before = bystander.loud;
    bystander.event("bot").await;
    assert!(bystander.loud > before);
}

async fn bystander_of_a_long_talk(server: &Server) -> Browser {
    let (mut browser, _) = Browser::call(server).await;
    browser.microphone();
    browser.event("bot").await;
    browser
}

#[tokio::test]
async fn a_page_of_another_site_may_not_connect() {
    let server = Setup::bench().start();
    for (origin, permitted) in [("https://evil.example", false), (&*server.url(""), true)] {
        let mut request = server.ws("/voice-ws").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let connected = tokio_tungstenite::connect_async(request).await;
        match connected {
            Ok(_) => assert!(permitted, "{origin}"),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                assert!(!permitted, "{origin}");
                assert_eq!(response.status(), 403);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_caller_that_stops_sending_without_closing_is_asked_and_hung_up() {
    let server = Setup::bench().with("[turn]\nsilence_prompt_after = \"1s\"\nsilence_prompts = 1").start();
    let (mut browser, _) = Browser::greeted(&server).await;
    browser.line.microphone_off();
    assert_eq!(browser.event("ended").await["reason"], "silence");
}

#[tokio::test]
async fn who_hangs_up_behind_a_flood_of_messages_is_heard() {
    let server = Setup::bench().start();
    let (mut browser, _) = Browser::call(&server).await;
    for _ in 0..200 {
        browser.tell(json!({"type": "mute", "muted": false}));
    }
    browser.tell(json!({"type": "stop"}));
    assert_eq!(browser.event("ended").await["reason"], "caller");
}
