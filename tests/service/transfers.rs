//! A caller is handed to a person: the carrier asks where to when its media socket has closed.

use crate::support::carrier::{Carrier, start};
use crate::support::server::{Server, Setup};
use hyper::StatusCode;
use serde_json::json;

const BOOKING: &str = "[llm]\nengines = [\"dialogue\"]\n[dialogue]\ndefault = \"booking\"";

async fn after(server: &Server, form: &str) -> (StatusCode, String) {
    let request = hyper::Request::post(server.url("/media/twilio/after"));
    server.request(request.header("content-type", "application/x-www-form-urlencoded"), form).await
}

#[tokio::test]
async fn a_carrier_dials_whom_the_dialogue_transfers_to() {
    let server = Setup::bench().with(BOOKING).start();
    let (status, twiml) = server.request(hyper::Request::post(server.url("/media/twilio/voice")), "").await;
    assert_eq!(status, 200);
    assert!(twiml.contains(&format!("action=\"https://{}/media/twilio/after\"", server.address)), "{twiml}");

    let mut carrier = Carrier::open(&server).await;
    carrier.tell(start(json!({})));
    carrier.microphone();
    carrier.answered(&server).await;
    carrier
        .tell(json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "0"}}));
    assert_eq!(carrier.line.closed().await, (1000, "transferred".to_owned()));

    let (status, twiml) = after(&server, "CallSid=CA1&CallStatus=in-progress").await;
    assert_eq!(status, 200);
    assert!(twiml.contains("<Dial><Number>+15550100</Number></Dial>"), "{twiml}");
}

#[tokio::test]
async fn a_drain_waits_until_the_carrier_has_asked_whom_to_dial() {
    let server = Setup::bench().with(BOOKING).start();
    let mut carrier = Carrier::open(&server).await;
    carrier.tell(start(json!({})));
    carrier.microphone();
    carrier.answered(&server).await;
    server.terminate();
    carrier
        .tell(json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "0"}}));
    assert_eq!(carrier.line.closed().await, (1000, "transferred".to_owned()));
    let (status, twiml) = after(&server, "CallSid=CA1&CallStatus=in-progress").await;
    assert!(status == 200 && twiml.contains("<Dial>"), "{twiml}");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn any_other_call_is_over_with_its_socket() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.tell(json!({"event": "stop", "streamSid": "MZ1"}));
    carrier.line.closed().await;
    for form in ["CallSid=CA1", "CallSid=CA2"] {
        let (status, twiml) = after(&server, form).await;
        assert!(status == 200 && twiml.contains("<Hangup/>"), "{form}: {twiml}");
    }
    assert_eq!(after(&server, "CallStatus=completed").await.0, 400);
}

#[tokio::test]
async fn a_stranger_does_not_learn_whom_calls_are_transferred_to() {
    let server = Setup::bench().env("TWILIO_AUTH_TOKEN", "12345").start();
    assert_eq!(after(&server, "CallSid=CA1").await.0, 403);
}
