//! Speech in `OpenAI`'s form.

use super::client::post;
use super::{mocks, stat};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn samples_are_as_long_as_the_text_is_spoken() {
    let mocks = mocks("[tts]\ncharacter_ms = 50\n");
    let ask = |more: serde_json::Value| {
        let mut body =
            json!({"model": "m", "voice": "alloy", "input": "Good day.", "response_format": "pcm"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (more, bytes) in [
        (json!({}), 9 * 50 * 24 * 2),
        (json!({"speed": 2.0}), 9 * 25 * 24 * 2),
        (json!({"response_format": "wav"}), 44 + 9 * 50 * 24 * 2),
    ] {
        let reply = post(&mocks, "/v1/audio/speech", &ask(more.clone())).await;
        assert_eq!((reply.status, reply.body.len(), reply.whole), (200, bytes, true), "{more}");
    }
    for wrong in [json!({"response_format": "mp3"}), json!({"input": ""}), json!({"speed": 5.0})] {
        assert_eq!(post(&mocks, "/v1/audio/speech", &ask(wrong)).await.status, 400);
    }
    assert_eq!(stat(&mocks, "services.speech.answered").await, 3);
    assert_eq!(stat(&mocks, "services.speech.rejected").await, 3);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_a_page_and_no_audio() {
    let mocks = mocks("[speech]\nfail = ['100%:garbage']\n");
    let body = json!({"model": "m", "voice": "alloy", "input": "Good day.", "response_format": "pcm"});
    let reply = post(&mocks, "/v1/audio/speech", &body).await;
    assert_eq!(reply.status, 200);
    assert!(reply.head.to_lowercase().contains("content-type: text/html"), "{}", reply.head);
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_one_of_its_type_without_a_sample() {
    let mocks = mocks("[speech]\nfail = ['100%:empty']\n");
    let body = json!({"model": "m", "voice": "alloy", "input": "Good day.", "response_format": "pcm"});
    let reply = post(&mocks, "/v1/audio/speech", &body).await;
    assert_eq!((reply.status, reply.body.len(), reply.whole), (200, 0, true));
    assert!(reply.head.to_lowercase().contains("content-type: audio/pcm"), "{}", reply.head);
}
