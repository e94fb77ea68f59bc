use super::client::{Reply, ask};
use super::{mocks, stat};
use crate::services::mocks::Mocks;
use ringway_frame::SampleRate;
use ringway_wire::wav;
use serde_json::{Value, json};
use std::sync::Arc;

const PATH: &str = "/v1/audio/transcriptions";

/// A form with a recording of so many milliseconds, and these fields.
async fn transcribe(mocks: &Arc<Mocks>, milliseconds: usize, fields: &[(&str, &str)]) -> Reply {
    let recording = wav::write(&vec![1_000; milliseconds * 16], SampleRate::HZ_16000);
    form(mocks, &recording, fields).await
}

async fn form(mocks: &Arc<Mocks>, file: &[u8], fields: &[(&str, &str)]) -> Reply {
    let mut form = Vec::new();
    for (name, value) in fields {
        form.extend(
            format!("--xyz\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    form.extend(b"--xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n");
    form.extend(b"content-type: audio/wav\r\n\r\n");
    form.extend(file);
    form.extend(b"\r\n--xyz--\r\n");
    ask(mocks, "POST", PATH, &[("content-type", "multipart/form-data; boundary=xyz")], &form).await
}

#[tokio::test(start_paused = true)]
async fn transcripts_come_after_the_delay_one_text_after_the_other() {
    let mocks = mocks("stt = { delay_ms = 50, texts = ['yes', 'no'] }");
    for wanted in ["yes", "no", "yes"] {
        let reply = transcribe(&mocks, 500, &[("model", "whisper-1")]).await;
        assert_eq!(reply.json(), json!({"text": wanted, "usage": {"type": "duration", "seconds": 1.0}}));
        assert_eq!(reply.began_and_ended_ms(), (50, 50));
    }
}

#[tokio::test(start_paused = true)]
async fn text_is_text() {
    let reply = transcribe(&mocks(""), 500, &[("model", "m"), ("response_format", "text")]).await;
    assert!(reply.head.contains("content-type: text/plain"));
    assert_eq!(reply.text(), "hello there\n");
}

#[tokio::test(start_paused = true)]
async fn verbose_json_has_segments_and_words_as_they_are_asked_for() {
    let verbose = async |more: &[(&str, &str)]| -> Value {
        let fields = [&[("model", "m"), ("response_format", "verbose_json")], more].concat();
        transcribe(&mocks(""), 1_500, &fields).await.json()
    };
    let plain = verbose(&[]).await;
    assert_eq!((&plain["duration"], &plain["language"]), (&json!(1.5), &json!("english")));
    assert_eq!(plain["segments"][0]["text"], " hello there");
    assert_eq!(plain["segments"][0]["end"], 1.5);
    assert!(plain.get("words").is_none());
    let words = verbose(&[("timestamp_granularities[]", "word"), ("language", "de")]).await;
    assert_eq!(words["words"][1], json!({"word": "there", "start": 0.75, "end": 1.5}));
    assert_eq!(words["language"], "de");
    assert!(words.get("segments").is_none());
    let both =
        verbose(&[("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")]).await;
    assert!(both["words"].is_array() && both["segments"].is_array());
}

#[tokio::test(start_paused = true)]
async fn what_the_service_would_not_take_is_refused() {
    let mocks = mocks("");
    let model = ("model", "m");
    let code = |reply: &Reply| (reply.status, reply.json()["error"]["code"].clone());
    assert_eq!(code(&transcribe(&mocks, 99, &[model]).await), (400, json!("audio_too_short")));
    assert_eq!(code(&form(&mocks, b"OggS", &[model]).await), (400, json!("invalid_value")));
    let cut = &wav::write(&[0; 8_000], SampleRate::HZ_16000)[..9_000];
    assert_eq!(code(&form(&mocks, cut, &[model]).await), (400, json!("invalid_value")));
    assert_eq!(code(&transcribe(&mocks, 500, &[]).await), (400, json!("missing_required_parameter")));
    let format = transcribe(&mocks, 500, &[model, ("response_format", "vtt")]).await;
    assert_eq!(code(&format), (400, json!("invalid_value")));
    assert_eq!(ask(&mocks, "POST", PATH, &[], b"{}").await.status, 400);
    let large = vec![0; 25 * 1024 * 1024 + 1];
    assert_eq!(form(&mocks, &large, &[model]).await.status, 413);
    assert_eq!(stat(&mocks, "services.stt.rejected").await, 7);
}
