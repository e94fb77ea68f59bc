//! What a carrier asks over HTTP, and how it proves to be the carrier.

use crate::support::carrier::{Carrier, start};
use crate::support::server::{Server, Setup};
use hyper::{Method, Request, StatusCode};
use ringway_wire::twilio::signature::{Algorithm, sign, sign_with};
use serde_json::json;

const TOKEN: &str = "12345";
const VOICE: &str = "/media/twilio/voice";
const FORM: &str = "CallSid=CA1&From=%2B15550001&To=%2B15550002&Direction=inbound";
const FIELDS: [(&str, &str); 4] =
    [("CallSid", "CA1"), ("From", "+15550001"), ("To", "+15550002"), ("Direction", "inbound")];

fn signed(public_url: Option<&str>) -> Server {
    let changes = public_url.map(|url| format!("[server]\npublic_url = {url:?}")).unwrap_or_default();
    Setup::bench().with(&changes).env("TWILIO_AUTH_TOKEN", TOKEN).start()
}

async fn post(server: &Server, path: &str, form: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let request = Request::post(server.url(path)).header("content-type", "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    server.request(request, form).await
}

/// The status of a webhook that is signed for this address.
async fn signed_for(server: &Server, url: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let signature = sign(TOKEN, url, &FIELDS);
    let headers = [&[("x-twilio-signature", signature.as_str())], headers].concat();
    let (status, twiml) = post(server, VOICE, FORM, &headers).await;
    (status.as_u16(), twiml)
}

#[tokio::test]
async fn a_signature_is_taken_however_its_address_is_written_and_for_no_other() {
    let server = signed(Some("https://Voice.example:8443"));
    for (url, status) in [
        ("https://voice.example:8443/media/twilio/voice", 200),
        ("https://voice.example/media/twilio/voice", 200),
        ("https://voice.example:443/media/twilio/voice", 200),
        ("https://Voice.example:8443/media/twilio/voice", 200),
        ("https://other.example/media/twilio/voice", 403),
        ("https://voice.example/media/twilio/after", 403),
    ] {
        let (answer, twiml) = signed_for(&server, url, &[]).await;
        assert_eq!(answer, status, "{url}");
        assert_eq!(twiml.contains("wss://voice.example:8443/media/twilio"), status == 200, "{twiml}");
    }
    let socket = |url: &str| {
        let mut request = tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(
            server.ws("/media/twilio"),
        )
        .unwrap();
        request.headers_mut().insert("x-twilio-signature", sign(TOKEN, url, &[]).parse().unwrap());
        tokio_tungstenite::connect_async(request)
    };
    for url in [
        "wss://voice.example/media/twilio",
        "wss://voice.example:8443/media/twilio/",
        "https://voice.example/media/twilio",
    ] {
        assert!(socket(url).await.is_ok(), "{url}");
    }
    assert!(socket("wss://other.example/media/twilio").await.is_err());
}

#[tokio::test]
async fn an_address_may_have_a_path_or_no_tls() {
    for (public, signed_url, stream) in [
        (
            "https://h.example/ringway/",
            "https://h.example/ringway/media/twilio/voice",
            "wss://h.example/ringway/media/twilio",
        ),
        (
            "http://h.example:3000",
            "http://h.example:3000/media/twilio/voice",
            "ws://h.example:3000/media/twilio",
        ),
    ] {
        let server = signed(Some(public));
        let (status, twiml) = signed_for(&server, signed_url, &[]).await;
        assert_eq!(status, 200, "{public}");
        assert!(twiml.contains(&format!("<Stream url=\"{stream}\">")), "{twiml}");
    }
}

#[tokio::test]
async fn without_a_public_address_the_one_that_is_signed_is_named() {
    let server = signed(None);
    let url = "https://h.example/media/twilio/voice";
    for headers in [
        &[("host", "h.example")][..],
        &[("host", "H.example:443")],
        &[("host", "ringway:3000"), ("x-forwarded-host", "h.example"), ("x-forwarded-proto", "https")],
    ] {
        let (status, twiml) = signed_for(&server, url, headers).await;
        assert_eq!(status, 200, "{headers:?}");
        assert!(twiml.to_lowercase().contains("wss://h.example"), "{twiml}");
    }
    assert_eq!(signed_for(&server, url, &[("host", "ringway:3000")]).await.0, 403);
}

#[tokio::test]
async fn a_request_that_is_not_the_carriers_is_refused_logged_and_counted() {
    let mut server = signed(Some("https://h.example"));
    let url = "https://h.example/media/twilio/voice";
    let sha256 = sign_with(Algorithm::HmacSha256, TOKEN, url, &FIELDS);
    let settings = |algorithm: &str| format!("key=KY1,algorithm={algorithm}");
    let (known, unknown) = (settings("HMAC_SHA256"), settings("HMAC_MD5"));
    let name = "x-twilio-webhooks-signature-settings";
    for (headers, status, reason) in [
        (vec![("x-twilio-signature", sha256.as_str()), (name, &known)], 200, None),
        (vec![("x-twilio-signature", &sha256)], 403, Some("its signature does not fit")),
        (vec![("x-twilio-signature", &sha256), (name, &unknown)], 403, Some("it is signed by an algorithm")),
        (vec![("x-twilio-signature", "no base64!")], 403, Some("its signature is no base64")),
        (vec![], 403, Some("it has no X-Twilio-Signature")),
    ] {
        let (answer, _) = post(&server, VOICE, FORM, &headers).await;
        assert_eq!(answer, status, "{headers:?}");
        if let Some(reason) = reason {
            let line = server.log("a request is refused that is not signed by the carrier").await;
            assert_eq!(line["checked"], url);
            assert!(line["reason"].as_str().is_some_and(|told| told.starts_with(reason)), "{line}");
        }
    }
    assert_eq!(server.metric("ringway_refusals_total{reason=\"signature\"}").await, Some(4.0));
}

#[tokio::test]
async fn webhooks_take_get_and_a_slash_at_the_end() {
    let server = signed(Some("https://h.example"));
    let query = "/media/twilio/voice?dialogue=echo&CallSid=CA1&From=%2B15550001&To=%2B15550002";
    let ask = async |method: Method, path: &str, fields: &[(&str, &str)], form: &str| {
        let signature = sign(TOKEN, &format!("https://h.example{path}"), fields);
        let request = Request::builder().method(method).uri(server.url(path));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        server.request(request.header("x-twilio-signature", signature), form).await
    };
    let (status, twiml) = ask(Method::GET, query, &[], "").await;
    assert_eq!(status, 200);
    for parameter in ["name=\"caller\" value=\"+15550001\"", "name=\"dialogue\" value=\"echo\""] {
        assert!(twiml.contains(parameter), "{twiml}");
    }
    assert!(!twiml.contains("CallSid"), "{twiml}");
    assert_eq!(ask(Method::POST, "/media/twilio/voice/", &FIELDS, FORM).await.0, 200);
    for (method, path) in
        [(Method::GET, "/media/twilio/after?CallSid=CA9"), (Method::GET, "/media/twilio/after/?CallSid=CA9")]
    {
        let (status, twiml) = ask(method, path, &[], "").await;
        assert!(status == 200 && twiml.contains("<Hangup/>"), "{twiml}");
    }
    assert_eq!(ask(Method::POST, "/media/twilio/after/", &FIELDS, FORM).await.0, 200);
}

#[tokio::test]
async fn a_caller_who_cannot_be_taken_is_told_before_a_stream_is_promised() {
    let server = Setup::bench().with("[limits]\ncalls = 1\n[llm]\nengines = [\"dialogue\"]").start();
    let unknown = post(&server, "/media/twilio/voice?dialogue=nosuch", FORM, &[]).await.1;
    assert!(unknown.contains("<Reject reason=\"busy\"/>"), "{unknown}");
    let taken = post(&server, VOICE, FORM, &[]).await.1;
    assert!(taken.contains("<Stream"), "{taken}");
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    let full = post(&server, VOICE, FORM, &[]).await.1;
    assert!(full.contains("<Reject reason=\"busy\"/>") && !full.contains("<Stream"), "{full}");
    let ours = post(&server, VOICE, "CallSid=CA2&Direction=outbound-api", &[]).await.1;
    assert!(ours.contains("<Say language=\"en-US\">We cannot take your call right now."), "{ours}");
    // Its place was taken between the webhook and the socket.
    let late = post(&server, "/media/twilio/after", "CallSid=CA2", &[]).await.1;
    assert!(late.contains("<Say") && late.contains("<Hangup/>"), "{late}");
    assert_eq!(server.metric("ringway_refusals_total{reason=\"capacity\"}").await, Some(2.0));
    assert_eq!(server.metric("ringway_refusals_total{reason=\"unknown_dialogue\"}").await, Some(1.0));
    server.terminate();
    let draining = post(&server, VOICE, FORM, &[]).await.1;
    assert!(!draining.contains("<Stream"), "{draining}");
}

#[tokio::test]
async fn a_parameter_that_is_too_long_for_the_carrier_is_left_out_aloud() {
    let mut server = Setup::bench().start();
    let path = format!("/media/twilio/voice?name=Ada&note={}", "x".repeat(600));
    let twiml = post(&server, &path, FORM, &[]).await.1;
    assert!(twiml.contains("name=\"name\"") && !twiml.contains("name=\"note\""), "{twiml}");
    let line =
        server.log("a parameter is left out: its name and value are longer than the carrier takes").await;
    assert_eq!((&line["parameter"], &line["letters"]), (&json!("note"), &json!(604)));
}

#[tokio::test]
async fn an_outbound_call_tells_who_is_on_the_line_and_who_answered() {
    let server = Setup::bench().start();
    let form = "CallSid=CA1&From=%2B15550002&To=%2B15550001&Direction=outbound-api&AnsweredBy=machine_start";
    let twiml = post(&server, VOICE, form, &[]).await.1;
    let parameters = json!({
        "caller": "+15550001", "called": "+15550002", "direction": "outbound-api", "answered_by": "machine_start",
    });
    for (name, value) in parameters.as_object().unwrap() {
        assert!(twiml.contains(&format!("<Parameter name={:?} value={value}/>", name)), "{twiml}");
    }
    let mut carrier = Carrier::open(&server).await;
    carrier.tell(start(parameters));
    carrier.microphone();
    let call = carrier.answered(&server).await;
    let told = [&call["caller"], &call["called"], &call["direction"], &call["answeredBy"]];
    assert_eq!(told, ["+15550001", "+15550002", "outbound-api", "machine_start"]);
}
