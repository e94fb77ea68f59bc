use super::client::{Reply, connect, post, request};
use super::{mocks, stat};
use crate::services::mocks::Mocks;
use crate::services::stats::Service;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn chat() -> Value {
    json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hello"}]})
}

async fn speak(mocks: &Arc<Mocks>) -> Reply {
    post(mocks, "/synthesize", &json!({"text": "Hello there."})).await
}

async fn say(mocks: &Arc<Mocks>) -> Reply {
    post(mocks, "/v1/chat/completions", &chat()).await
}

/// Services that always fail in this way.
fn failing(failure: &str) -> Arc<Mocks> {
    mocks(&format!("llm = {{ fail = ['100%:{failure}'] }}\ntts = {{ fail = ['100%:{failure}'] }}"))
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_closed_without_a_byte() {
    let mocks = failing("refuse");
    for reply in [say(&mocks).await, speak(&mocks).await] {
        assert_eq!((reply.status, reply.body.len()), (0, 0));
    }
    assert_eq!(stat(&mocks, "services.llm.failures.refuse").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_status_comes_at_the_time_of_the_answer_in_the_services_own_form() {
    let mocks = failing("503");
    let reply = say(&mocks).await;
    assert_eq!((reply.status, reply.began_and_ended_ms()), (503, (100, 100)));
    assert_eq!(reply.json()["error"]["type"], "server_error");
    assert!(reply.head.contains("retry-after: 1"));
    let reply = speak(&mocks).await;
    assert_eq!((reply.status, reply.text().starts_with("<!doctype html>")), (503, true));
    assert_eq!(stat(&mocks, "services.tts.failures.status").await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_begins_well_and_never_comes_to_its_end() {
    let mocks = failing("cut");
    let reply = say(&mocks).await;
    assert_eq!((reply.status, reply.whole), (200, false));
    let events = reply.events();
    assert_eq!(events.len(), 8, "half of role, fourteen tokens and the end");
    assert!(events.iter().all(|event| serde_json::from_str::<Value>(event).is_ok()));
    let reply = speak(&mocks).await;
    assert_eq!((reply.status, reply.whole), (200, false));
    assert!(reply.body.starts_with(b"RIFF"));
}

#[tokio::test(start_paused = true)]
async fn garbage_is_whole_and_means_nothing() {
    let mocks = failing("garbage");
    let reply = say(&mocks).await;
    assert_eq!((reply.status, reply.whole), (200, true));
    assert!(reply.head.contains("content-type: text/event-stream"));
    assert!(reply.events().iter().all(|event| serde_json::from_str::<Value>(event).is_err()));
    let reply = speak(&mocks).await;
    assert_eq!((reply.status, reply.whole, reply.body.starts_with(b"RIFF")), (200, true, false));
}

#[tokio::test(start_paused = true)]
async fn another_type_is_told_of_what_is_right_and_a_page_is_neither() {
    let mocks = failing("type");
    let (reply, speech) = (say(&mocks).await, speak(&mocks).await);
    assert!(reply.head.contains("content-type: text/html") && reply.events().last() == Some(&"[DONE]"));
    assert!(speech.head.contains("content-type: application/json") && speech.body.starts_with(b"RIFF"));
    let mocks = failing("page");
    for reply in [say(&mocks).await, speak(&mocks).await] {
        assert_eq!((reply.status, reply.whole), (200, true));
        assert!(
            reply.head.contains("content-type: text/html") && reply.text().starts_with("<!doctype html>")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_at_its_limit_of_time_or_bytes() {
    let limited = |limit: &str| mocks(&format!("{limit}\n[llm]\nfail = ['100%:limit']"));
    let reply = say(&limited("limit_ms = 150")).await;
    // The role and a token come after 100 ms, and another every 10.
    assert_eq!((reply.status, reply.whole, reply.events().len()), (200, false, 6));
    assert_eq!(say(&limited("limit_ms = 50")).await.status, 0);
    let reply = say(&limited("limit_bytes = 300")).await;
    assert_eq!((reply.whole, reply.body.len()), (false, 300));
    assert!(say(&limited("limit_ms = 10000")).await.whole);
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_is_right_and_ten_times_as_late() {
    let mocks = failing("slow");
    let reply = say(&mocks).await;
    assert_eq!(reply.began_and_ended_ms(), (1_000, 1_000 + 13 * 100));
    assert_eq!(reply.events().last(), Some(&"[DONE]"));
    assert_eq!(speak(&mocks).await.began_and_ended_ms(), (500, 500));
}

#[tokio::test(start_paused = true)]
async fn what_hangs_never_answers_and_is_over_when_the_client_goes() {
    let mocks = failing("hang");
    let mut connection = connect(&mocks);
    let body = chat().to_string();
    connection.write_all(&request("POST", "/v1/chat/completions", &[], body.as_bytes())).await.unwrap();
    let a_day = Duration::from_secs(86_400);
    let answer = tokio::time::timeout(a_day, connection.read(&mut [0; 64])).await;
    assert!(answer.is_err(), "{answer:?}");
    drop(connection);
    tokio::task::yield_now().await;
    assert_eq!(stat(&mocks, "services.llm.failures.hang").await, 1);
    assert_eq!(stat(&mocks, "services.llm.abandoned").await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_hears_out_counts_as_abandoned() {
    let mocks = mocks("");
    let mut connection = connect(&mocks);
    let body = chat().to_string();
    connection.write_all(&request("POST", "/v1/chat/completions", &[], body.as_bytes())).await.unwrap();
    assert!(connection.read(&mut [0; 64]).await.unwrap() > 0);
    drop(connection);
    // The next token finds nobody.
    tokio::time::advance(Duration::from_millis(50)).await;
    assert_eq!(stat(&mocks, "services.llm.answered").await, 0);
    assert_eq!(stat(&mocks, "services.llm.abandoned").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_failures_delays_and_ids() {
    let run = async |seed: u64| {
        let mocks = mocks(&format!(
            "seed = {seed}\n[llm]\ndelay_ms = 'lognormal(100,0.5)'\ntoken_ms = 'normal(10,3)'\n\
             fail = ['20%:500', '10%:cut', '10%:refuse']"
        ));
        let mut replies = Vec::new();
        for _ in 0..30 {
            let reply = say(&mocks).await;
            let id = reply.text().get(..50).map(str::to_owned);
            replies.push((reply.status, reply.whole, id, reply.reads.first().copied()));
        }
        replies
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    let count = |wanted| first.iter().filter(|(status, whole, ..)| (*status, *whole) == wanted).count();
    assert!(count((200, true)) > 10 && count((500, true)) > 0 && count((200, false)) > 0);
}

#[tokio::test(start_paused = true)]
async fn connections_are_kept_for_the_next_request() {
    let mocks = mocks("");
    let mut connection = connect(&mocks);
    for _ in 0..3 {
        connection
            .write_all(
                b"POST /synthesize HTTP/1.1\r\nhost: mock\r\ncontent-length: 12\r\n\r\n{\"text\":\"a\"}",
            )
            .await
            .unwrap();
        let mut answer = Vec::new();
        // 60 ms at 22,050 Hz behind the header of the file.
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") || answer.len() < 1_323 * 2 + 44 {
            assert!(connection.read_buf(&mut answer).await.unwrap() > 0);
        }
    }
    assert_eq!(mocks.stats.snapshot().connections, 1);
    assert_eq!(mocks.stats.snapshot().services[Service::Tts.name()].answered, 3);
}
