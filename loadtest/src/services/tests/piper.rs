use super::client::{Reply, ask, post};
use super::{mocks, stat};
use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use ringway_wire::wav;
use serde_json::json;

fn spoken_ms(reply: &Reply, rate_hz: u32) -> usize {
    assert_eq!(reply.status, 200, "{}", reply.head);
    let rate = SampleRate::new(rate_hz).unwrap();
    let samples = wav::read(&reply.body, rate).unwrap();
    assert!(Dbfs::of_samples(&samples[..rate.frame_samples()]).is_loud());
    samples.len() * 1_000 / rate_hz as usize
}

#[tokio::test(start_paused = true)]
async fn every_generation_speaks_in_its_own_way_and_in_no_other() {
    for (generation, synthesize, json_to_root, text_to_root, get, info) in [
        ("legacy", 404, 200, 200, 200, 404),
        ("1.4", 404, 200, 500, 405, 404),
        ("1.5", 200, 405, 405, 200, 200),
        ("any", 200, 200, 200, 200, 200),
    ] {
        let mocks = mocks(&format!("tts = {{ generation = '{generation}' }}"));
        let body = json!({"text": "Hello."});
        assert_eq!(post(&mocks, "/synthesize", &body).await.status, synthesize, "{generation}");
        assert_eq!(post(&mocks, "/", &body).await.status, json_to_root, "{generation}");
        assert_eq!(ask(&mocks, "POST", "/", &[], b"Hello.").await.status, text_to_root, "{generation}");
        assert_eq!(ask(&mocks, "GET", "/?text=Hello.", &[], b"").await.status, get, "{generation}");
        assert_eq!(ask(&mocks, "GET", "/info", &[], b"").await.status, info, "{generation}");
        let voices = if generation == "legacy" { 404 } else { 200 };
        assert_eq!(ask(&mocks, "GET", "/voices", &[], b"").await.status, voices, "{generation}");
    }
}

#[tokio::test(start_paused = true)]
async fn speech_is_as_long_as_its_text_in_the_rate_of_the_voice() {
    for rate in [16_000, 22_050] {
        let mocks = mocks(&format!("tts = {{ rate_hz = {rate} }}"));
        let long = post(&mocks, "/synthesize", &json!({"text": " Hello there. "})).await;
        assert_eq!(spoken_ms(&long, rate), 12 * 60);
        assert!(long.head.contains("content-type: text/html; charset=utf-8"));
        let slow = post(&mocks, "/synthesize", &json!({"text": "Hello there.", "length_scale": 2.0})).await;
        assert_eq!(spoken_ms(&slow, rate), 24 * 60);
        let asked = ask(&mocks, "GET", "/?text=Hello%20there.", &[], b"").await;
        assert_eq!(spoken_ms(&asked, rate), 12 * 60);
        assert_eq!(spoken_ms(&ask(&mocks, "POST", "/", &[], b"Hello there.").await, rate), 12 * 60);
    }
}

#[tokio::test(start_paused = true)]
async fn speech_comes_whole_after_the_delay() {
    let reply =
        post(&mocks("tts = { delay_ms = 50 }"), "/synthesize", &json!({"text": "Hello there."})).await;
    assert_eq!(reply.began_and_ended_ms(), (50, 50));
}

#[tokio::test(start_paused = true)]
async fn speech_comes_in_pieces_where_it_is_to_be_streamed() {
    let mocks = mocks("tts = { delay_ms = 50, speed = 10, character_ms = 100 }");
    let reply = post(&mocks, "/synthesize", &json!({"text": "abcdefghijklmnopqrst"})).await;
    assert_eq!(spoken_ms(&reply, 22_050), 2_000);
    // Twenty pieces of 100 ms, the first at once.
    assert_eq!(reply.began_and_ended_ms(), (50, 50 + 19 * 10));
}

#[tokio::test(start_paused = true)]
async fn what_piper_fails_over_fails() {
    let mocks = mocks("");
    for body in [json!({"text": " "}), json!({}), json!({"text": "a", "length_scale": "x"})] {
        let reply = post(&mocks, "/synthesize", &body).await;
        assert_eq!((reply.status, reply.text().starts_with("<!doctype html>")), (500, true), "{body}");
    }
    assert_eq!(stat(&mocks, "services.tts.rejected").await, 3);
}
