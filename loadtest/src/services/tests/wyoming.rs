use super::{mocks, stat};
use crate::services::mocks::Mocks;
use crate::services::wyoming;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

/// More than any answer of the tests: nobody waits for a reader.
const PIPE: usize = 4 << 20;

fn connect(mocks: &Arc<Mocks>) -> DuplexStream {
    let (client, server) = tokio::io::duplex(PIPE);
    tokio::spawn(wyoming::serve(server, mocks.clone()));
    client
}

/// What came until the server ended, or said the last of it, and when.
#[derive(Debug, Default)]
struct Heard {
    /// Types and, where they have one, the text of events; what is no event is told as such.
    events: Vec<String>,
    samples: usize,
    ended: bool,
    after: Duration,
}

/// Sends `request` on a connection of its own, and reads up to the event `last`.
async fn ask(mocks: &Arc<Mocks>, request: &str, last: &str) -> Heard {
    let mut connection = connect(mocks);
    connection.write_all(request.as_bytes()).await.unwrap();
    read(&mut connection, last).await
}

async fn read(connection: &mut DuplexStream, last: &str) -> Heard {
    let (began, mut heard, mut waiting) = (Instant::now(), Heard::default(), bytes::BytesMut::new());
    while heard.events.last().is_none_or(|event| event != last) {
        match wyoming::Event::take(&mut waiting) {
            Ok(Some(event)) => heard.take(&event),
            Ok(None) if connection.read_buf(&mut waiting).await.unwrap_or(0) == 0 => {
                heard.ended = true;
                break;
            }
            Ok(None) => {}
            Err(_) => {
                heard.events.push("nonsense".into());
                waiting.clear();
            }
        }
    }
    heard.after = began.elapsed();
    heard
}

impl Heard {
    fn take(&mut self, event: &wyoming::Event) {
        self.samples += event.payload.len() / 2;
        let mut told = event.kind.clone();
        let text = event.text("text");
        if !text.is_empty() {
            write!(told, " {text}").unwrap();
        }
        if self.events.last() != Some(&told) {
            self.events.push(told);
        }
    }
}

fn event(kind: &str, text: &str) -> String {
    format!("{}\n", serde_json::json!({"type": kind, "data": {"text": text}}))
}

/// An utterance, as clients say it.
const UTTERANCE: &str = "{\"type\":\"transcribe\",\"data\":{\"language\":\"en\"}}\n{\"type\":\"audio-start\"}\n\
    {\"type\":\"audio-chunk\",\"payload_length\":4}\nabcd{\"type\":\"audio-stop\"}\n";

#[tokio::test(start_paused = true)]
async fn an_utterance_is_written_down_and_the_connection_closed() {
    let mocks = mocks("stt = { texts = ['Yes.', 'No.'] }");
    for text in ["Yes.", "No."] {
        let heard = ask(&mocks, UTTERANCE, "").await;
        assert_eq!(heard.events, [format!("transcript {text}")]);
        assert_eq!((heard.ended, heard.after.as_millis()), (true, 50));
    }
    let silence = ask(&mocks, "{\"type\":\"audio-start\"}\n{\"type\":\"audio-stop\"}\n", "").await;
    assert_eq!(silence.events, ["transcript"]);
    assert_eq!(stat(&mocks, "services.wyoming_stt.answered").await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_text_is_spoken_on_a_connection_that_stays() {
    let mocks = mocks("tts = { rate_hz = 16000 }");
    let mut connection = connect(&mocks);
    for _ in 0..2 {
        connection.write_all(event("synthesize", "Good day.").as_bytes()).await.unwrap();
        let heard = read(&mut connection, "audio-stop").await;
        assert_eq!(heard.events, ["audio-start", "audio-chunk", "audio-stop"]);
        assert_eq!((heard.samples, heard.after.as_millis()), (9 * 60 * 16, 50));
    }
    connection.write_all(b"{\"type\":\"describe\"}\n").await.unwrap();
    assert_eq!(read(&mut connection, "info").await.events, ["info"]);
    assert_eq!(stat(&mocks, "services.wyoming_tts.answered").await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_comes_in_pieces_is_spoken_by_the_sentence() {
    let mocks = mocks("tts = { rate_hz = 16000 }");
    let mut connection = connect(&mocks);
    let say = |text: &str| event("synthesize-chunk", text);
    let pieces =
        [event("synthesize-start", ""), say("Good d"), say("ay. How"), event("synthesize", "all of it")];
    connection.write_all(pieces.concat().as_bytes()).await.unwrap();
    let first = read(&mut connection, "audio-stop").await;
    assert_eq!(first.samples, 9 * 60 * 16);
    connection.write_all([say(" are you?"), event("synthesize-stop", "")].concat().as_bytes()).await.unwrap();
    let rest = read(&mut connection, "synthesize-stopped").await;
    assert_eq!(rest.events, ["audio-start", "audio-chunk", "audio-stop", "synthesize-stopped"]);
    assert_eq!(rest.samples, 12 * 60 * 16);
    assert_eq!(stat(&mocks, "services.wyoming_tts.requests").await, 1);
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_nearest() {
    let fail = |failure: &str| {
        mocks(&format!(
            "wyoming_stt = {{ fail = ['100%:{failure}'] }}\nwyoming_tts = {{ fail = ['100%:{failure}'] }}"
        ))
    };
    let speech = event("synthesize", "Good day.");
    for (failure, words, audio) in [
        ("refuse", vec![], vec![]),
        (
            "500",
            vec!["error The mock was told to fail with 500."],
            vec!["error The mock was told to fail with 500."],
        ),
        ("cut", vec![], vec!["audio-start", "audio-chunk"]),
        ("garbage", vec!["nonsense"], vec!["nonsense"]),
        ("page", vec!["nonsense"], vec!["nonsense"]),
        ("type", vec!["intent hello there"], vec!["audio-start", "audio-chunk", "audio-stop"]),
    ] {
        let mocks = fail(failure);
        let (understood, spoken) =
            (ask(&mocks, UTTERANCE, "").await, ask(&mocks, &speech, "audio-stop").await);
        assert_eq!(
            (understood.events, understood.ended),
            (words.into_iter().map(str::to_owned).collect(), true),
            "{failure}"
        );
        assert_eq!(spoken.events, audio, "{failure}");
        assert_eq!(spoken.ended, failure != "type", "{failure}");
        assert_eq!(stat(&mocks, "services.wyoming_stt.answered").await, 1, "{failure}");
        assert_eq!(stat(&mocks, "services.wyoming_tts.answered").await, 1, "{failure}");
    }
    assert_eq!(ask(&fail("slow"), UTTERANCE, "").await.after.as_millis(), 500);
    let limited = ask(&fail("limit"), &speech, "never").await;
    assert_eq!((limited.ended, limited.after.as_millis()), (true, 5_000));
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_over_when_the_client_goes() {
    let mocks = mocks("wyoming_stt = { fail = ['100%:hang'] }");
    let mut connection = connect(&mocks);
    connection.write_all(UTTERANCE.as_bytes()).await.unwrap();
    let a_day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(a_day, connection.read_u8()).await.is_err());
    drop(connection);
    tokio::task::yield_now().await;
    assert_eq!(stat(&mocks, "services.wyoming_stt.abandoned").await, 1);
}
