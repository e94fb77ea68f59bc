use super::client::{ask, post};
use super::{mocks, stat};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_text_is_a_file_that_can_be_fetched() {
    let mocks = mocks("tts = { rate_hz = 16000 }");
    let made = post(&mocks, "/tts", &json!({"text": "Good day.", "speed": 2.0, "cache": true})).await;
    assert_eq!((made.status, made.began_and_ended_ms()), (200, (50, 50)));
    let made = made.json();
    assert_eq!((&made["success"], &made["duration"]), (&true.into(), &0.27.into()));
    let path = format!("/{}", made["file_path"].as_str().unwrap());
    let file = ask(&mocks, "GET", &path, &[], b"").await.body;
    assert_eq!(hound::WavReader::new(&file[..]).unwrap().duration(), 270 * 16);
    assert_eq!(stat(&mocks, "services.phone_tts.answered").await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_spoken_is_refused_and_what_was_not_made_is_not_there() {
    let mocks = mocks("");
    for wish in [json!({}), json!({"text": " "}), json!({"text": "yes", "speed": 0})] {
        let refused = post(&mocks, "/tts", &wish).await;
        assert_eq!((refused.status, &refused.json()["success"]), (400, &false.into()), "{wish}");
    }
    assert_eq!(stat(&mocks, "services.phone_tts.rejected").await, 3);
    for path in ["/tts_cache/mock.wav", "/tts_cache/0-99999999999.wav"] {
        assert_eq!(ask(&mocks, "GET", path, &[], b"").await.status, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn it_fails_as_it_is_told() {
    let fail = async |failure: &str| {
        let mocks = mocks(&format!("phone_tts = {{ fail = ['100%:{failure}'] }}"));
        post(&mocks, "/tts", &json!({"text": "Good day."})).await
    };
    assert_eq!(fail("refuse").await.status, 0);
    assert_eq!(fail("500").await.status, 500);
    assert!(!fail("cut").await.whole);
    assert_eq!(fail("slow").await.began_and_ended_ms().0, 500);
    assert!(serde_json::from_slice::<serde_json::Value>(&fail("garbage").await.body).is_err());
    assert!(fail("type").await.head.contains("content-type: text/html"));
}
