use crate::support::browser::Browser;
use crate::support::carrier::{Carrier, FromServer, media, start};
use crate::support::line::Line;
use crate::support::server::Setup;
use crate::support::voice;
use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use ringway_wire::opus::{Decoder, Encoder};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// 24 s of tone.
const LONG: &str = "[scripted]\nreply = \"This is a long answer, which goes on for a while, and has a second \
    sentence. Here it is, and it goes on as well, until somebody interrupts it, or until it has come to its end.\"";

#[tokio::test]
async fn a_browser_holds_a_conversation() {
    let server = Setup::bench().start();
    let (mut browser, _) = Browser::greeted(&server).await;
    for (turn, prompt) in [(1, "digits/day-1"), (2, "digits/7")] {
        let before = browser.loud;
        browser.say(prompt);
        let last = |event: &Value| event["type"] == "transcript" && event["final"] == true;
        let transcript = browser.event_where("the transcript", last).await;
        assert_eq!((&transcript["turn"], &transcript["text"]), (&json!(turn), &json!("hello there")));
        let latency = browser.event("latency").await;
        for part in ["answerMs", "endOfTurnMs", "sttMs", "llmMs", "ttsMs", "playoutMs"] {
            assert!(latency[part].is_u64(), "{latency}");
        }
        assert_eq!(browser.answered().await, "Hello, how can I help you?");
        assert!(browser.loud > before + 50, "the answer is heard: {} loud frames", browser.loud - before);
    }
    browser.tell(json!({"type": "stop"}));
    assert_eq!(browser.event("ended").await["reason"], "caller");
}

#[tokio::test]
async fn a_browser_speaks_and_hears_opus() {
    let server = Setup::bench().start();
    let mut line = Line::open(server.ws("/voice-ws")).await;
    line.send(Message::text(r#"{"type":"start","codec":"opus","sampleRate":48000}"#));
    let mut encoder = Encoder::new(SampleRate::HZ_48000, 5).unwrap();
    let encode = move |samples: &[i16]| {
        let mut packet = [0; 1_275];
        let len = encoder.encode(samples, &mut packet).unwrap();
        Message::binary(packet[..len].to_vec())
    };
    line.microphone(960, Box::new(encode));
    line.say(vec![0; 48_000 * 3]);
    line.say(voice::prompt("digits/day-1", SampleRate::HZ_48000));
    let mut decoder = Decoder::new(SampleRate::HZ_48000).unwrap();
    let (mut loud, mut understood) = (0, false);
    while !understood || loud < 50 {
        match line.next().await.expect("an answer") {
            Message::Binary(packet) => {
                let mut samples = [0; 960];
                decoder.decode(&packet, &mut samples).expect("a packet of 20 ms");
                loud += usize::from(understood && Dbfs::of_samples(&samples).is_loud());
            }
            Message::Text(text) => {
                let event: Value = serde_json::from_str(&text).unwrap();
                understood |= event["type"] == "transcript" && event["final"] == true;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_carrier_holds_a_conversation() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    for (turn, prompt) in [(1, "digits/day-1"), (2, "digits/7")] {
        carrier.say(prompt);
        let call = carrier.answered(&server).await;
        assert_eq!((&call["carrierCallId"], &call["turns"]), (&json!("CA1"), &json!(turn)));
    }
    carrier.tell(json!({"event": "stop", "streamSid": "MZ1"}));
    assert_eq!(carrier.line.closed().await, (1000, "caller".to_owned()));
}

#[tokio::test]
async fn a_browser_that_barges_in_is_told_to_clear_and_the_rest_is_not_heard() {
    let server = Setup::bench().with(LONG).start();
    let (mut browser, id) = Browser::call(&server).await;
    browser.microphone();
    let words = browser.event_where("a few words", |event| event["type"] == "bot").await;
    browser.say("digits/day-1");
    assert_eq!(browser.event("clear").await["turn"], words["turn"]);
    let cut = browser.answered().await;
    assert!(cut.starts_with("This is") && cut.len() < 100, "heard: {cut:?}");
    assert_eq!(browser.understood().await, "hello there");
    let (_, call) = server.get_json(&format!("/api/calls/{id}")).await;
    assert_eq!(call["transcript"][0]["text"], cut, "the record has what was heard");
}

#[tokio::test]
async fn a_carrier_is_told_to_clear_when_the_caller_barges_in() {
    let server = Setup::bench().with(LONG).start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    while carrier.loud < 25 {
        carrier.next().await.unwrap();
    }
    carrier.say("digits/day-1");
    while carrier.next().await.expect("a clear") != FromServer::Clear {}
    let cleared = carrier.loud;
    while carrier.loud == cleared {
        carrier.next().await.expect("an answer to what was said");
    }
}

#[tokio::test]
async fn an_interrupt_of_the_page_silences_the_bot() {
    let server = Setup::bench().with(LONG).start();
    let (mut browser, _) = Browser::call(&server).await;
    browser.microphone();
    browser.event_where("a few words", |event| event["type"] == "bot").await;
    browser.tell(json!({"type": "interrupt"}));
    browser.event("clear").await;
    assert!(browser.answered().await.len() < 100);
}

#[tokio::test]
async fn keys_are_an_answer() {
    let server = Setup::bench().start();
    let (mut browser, id) = Browser::greeted(&server).await;
    browser.tell(json!({"type": "dtmf", "digit": "1"}));
    browser.tell(json!({"type": "dtmf", "digit": "#"}));
    browser.answered().await;
    let (_, call) = server.get_json(&format!("/api/calls/{id}")).await;
    let said: Vec<_> = call["transcript"].as_array().unwrap().iter().map(|line| &line["who"]).collect();
    assert_eq!(said, ["bot", "caller", "bot"]);
}

#[tokio::test]
async fn a_carrier_whose_media_ceases_is_hung_up() {
    let server = Setup::bench().with("[turn]\nmedia_timeout = \"1s\"").start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.line.microphone_off();
    assert_eq!(carrier.line.closed().await, (1000, "no_media".to_owned()));
}

/// 500 ms of "Monday" at 16 kHz.
const HALF_A_WORD: usize = 8_000;

/// In the middle of a word the network goes away: what came until then is answered.
#[tokio::test]
async fn missing_audio_counts_as_silence() {
    let server = Setup::bench().start();
    let (mut browser, _) = Browser::greeted(&server).await;
    let mut word = voice::prompt("digits/day-1", SampleRate::HZ_16000);
    word.truncate(HALF_A_WORD);
    browser.line.say(word);
    browser.line.microphone_off();
    assert_eq!(browser.understood().await, "hello there");
}

/// The dialogues that come with it, by the scripted voice and recogniser.
const DIALOGUES: &str = "[llm]\nengines = [\"dialogue\"]\n[dialogue]\ndefault = \"booking\"";

#[tokio::test]
async fn a_carrier_chooses_its_dialogue_by_a_parameter() {
    let server = Setup::bench().with(DIALOGUES).start();
    let mut carrier = Carrier::open(&server).await;
    carrier.tell(start(json!({"dialogue": "echo"})));
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.say("digits/day-1");
    let call = carrier.answered(&server).await;
    let said: Vec<_> = call["transcript"].as_array().unwrap().iter().map(|line| &line["text"]).collect();
    assert!(said[2].as_str().unwrap().contains("hello there"), "an echo of what was said: {said:?}");
}

#[tokio::test]
async fn a_dialogue_that_is_not_there_is_refused_by_name() {
    let server = Setup::bench().with(DIALOGUES).start();
    let mut carrier = Carrier::open(&server).await;
    carrier.tell(start(json!({"dialogue": "no such dialogue"})));
    assert_eq!(carrier.line.closed().await, (1007, "bad_field".to_owned()));

    let mut browser = Browser::open(&server).await;
    let start = |dialogue: &str| json!({"type": "start", "codec": "pcm16", "sampleRate": 16000, "dialogue": dialogue});
    browser.tell(start("no such dialogue"));
    let error = browser.event("error").await;
    assert_eq!((&error["code"], &error["recoverable"]), (&json!("bad_field"), &json!(true)));
    assert!(error["message"].as_str().unwrap().contains("booking"), "it tells which there are: {error}");
    browser.tell(start("echo"));
    browser.event("started").await;
}

#[tokio::test]
async fn a_carriers_keys_are_an_answer() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    for digit in ["1", "#"] {
        carrier.tell(
            json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": digit}}),
        );
    }
    let call = carrier.answered(&server).await;
    assert_eq!(
        (&call["transcript"][1]["who"], &call["transcript"][1]["text"]),
        (&json!("caller"), &json!("1"))
    );
}

/// A media message may carry any length of audio: 7 ms, and a word in one piece.
#[tokio::test]
async fn a_carriers_payloads_are_cut_into_frames_whatever_their_length() {
    let server = Setup::bench().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.line.microphone_off();
    let mut word = voice::prompt("digits/day-1", SampleRate::HZ_8000);
    word.resize(8_000 * 3 / 2, 0);
    let (pieces, whole) = word.split_at(560);
    for piece in pieces.chunks(56) {
        carrier.tell(media(1, piece));
    }
    carrier.tell(media(2, whole));
    let call = carrier.answered(&server).await;
    assert_eq!(call["transcript"][1]["text"], "hello there", "{call}");
}

/// What a carrier that returns no marks has heard is not known: the record ends where its marks end.
#[tokio::test]
async fn what_a_carrier_has_heard_is_told_by_its_marks() {
    let server = Setup::bench().with(LONG).start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.marks_returned(1);
    while carrier.loud < 100 {
        carrier.next().await.unwrap();
    }
    carrier.say("digits/day-1");
    while carrier.next().await.expect("a clear") != FromServer::Clear {}
    carrier.marks_returned(usize::MAX);
    let call = carrier.answered(&server).await;
    let heard = call["transcript"][0]["text"].as_str().unwrap().len();
    // A mark every 500 ms, at 60 ms a letter: the second one was out when the caller spoke.
    assert!((8..=17).contains(&heard), "{heard}: {call}");
}
