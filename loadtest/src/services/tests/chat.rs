use super::client::{Reply, ask, post};
use super::{mocks, stat};
use serde_json::{Value, json};

const PATH: &str = "/v1/chat/completions";

fn body(more: &Value) -> Value {
    let mut body = json!({
        "model": "gpt-x",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn chunks(reply: &Reply) -> Vec<Value> {
    let events = reply.events();
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(*done, "[DONE]");
    chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_a_role_then_tokens_then_a_reason_then_the_end() {
    let mocks = mocks("llm = { replies = ['Of course. I will.'] }");
    let reply = post(&mocks, PATH, &body(&json!({"stream": true}))).await;
    assert!(reply.head.contains("content-type: text/event-stream"));
    let chunks = chunks(&reply);
    let deltas: Vec<_> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
    assert_eq!(*deltas[0], json!({"role": "assistant", "content": "", "refusal": null}));
    let tokens: Vec<_> = deltas[1..5].iter().map(|delta| delta["content"].as_str().unwrap()).collect();
    assert_eq!(tokens, ["Of", " course.", " I", " will."]);
    assert_eq!((deltas[5], deltas.len()), (&json!({}), 6));
    for (n, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!((&chunk["id"], &chunk["model"]), (&chunks[0]["id"], &json!("gpt-x")));
        let reason = if n == 5 { json!("stop") } else { Value::Null };
        assert_eq!(chunk["choices"][0]["finish_reason"], reason);
        assert!(chunk.get("usage").is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn usage_comes_last_without_choices_where_it_is_asked_for() {
    let asked = json!({"stream": true, "stream_options": {"include_usage": true}});
    let reply = post(&mocks("llm = { replies = ['Yes.'] }"), PATH, &body(&asked)).await;
    let chunks = chunks(&reply);
    let (usage, others) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    let counts = ["prompt_tokens", "completion_tokens", "total_tokens"].map(|key| &usage["usage"][key]);
    assert_eq!(counts, [3, 1, 4]);
    assert!(others.iter().all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some()));
}

#[tokio::test(start_paused = true)]
async fn the_first_token_comes_after_the_delay_and_each_other_after_its_pace() {
    let mocks = mocks("llm = { delay_ms = 100, token_ms = 10 }");
    let reply = post(&mocks, PATH, &body(&json!({"stream": true}))).await;
    let times: Vec<_> = reply.reads.iter().map(|(at, _)| at.as_millis()).collect();
    let paces: Vec<_> = (0..14).map(|token| 100 + 10 * token).collect();
    let mut distinct = times;
    distinct.dedup();
    assert_eq!(distinct, paces, "fourteen tokens, the first with the role and the last with the end");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_streamed_comes_when_its_last_token_is_there() {
    let mocks = mocks("llm = { delay_ms = 100, token_ms = 10, replies = ['Of course. I will.'] }");
    let reply = post(&mocks, PATH, &body(&json!({}))).await;
    assert_eq!(reply.began_and_ended_ms(), (130, 130));
    let whole = reply.json();
    assert_eq!(whole["object"], "chat.completion");
    assert_eq!(whole["choices"][0]["message"]["content"], "Of course. I will.");
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert_eq!(whole["usage"]["completion_tokens"], 4);
}

#[tokio::test(start_paused = true)]
async fn more_tokens_than_are_wanted_are_left_out_and_the_reason_says_so() {
    for key in ["max_tokens", "max_completion_tokens"] {
        let whole = post(&mocks(""), PATH, &body(&json!({key: 2}))).await.json();
        assert_eq!(whole["choices"][0]["message"]["content"], "Of course.");
        assert_eq!(whole["choices"][0]["finish_reason"], "length");
    }
}

#[tokio::test(start_paused = true)]
async fn replies_go_round() {
    let mocks = mocks("llm = { replies = ['One.', 'Two.'] }");
    for wanted in ["One.", "Two.", "One."] {
        let whole = post(&mocks, PATH, &body(&json!({}))).await.json();
        assert_eq!(whole["choices"][0]["message"]["content"], wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_refused_with_the_error_object() {
    let mocks = mocks("");
    for (body, param, code) in [
        (
            json!({"messages": [{"role": "user", "content": "hi"}]}),
            json!("model"),
            json!("missing_required_parameter"),
        ),
        (json!({"model": "m"}), json!("messages"), json!("missing_required_parameter")),
        (json!({"model": "m", "messages": []}), json!("messages"), json!("empty_array")),
        (json!({"model": "m", "messages": [{"role": "bot"}]}), json!("messages"), json!("invalid_value")),
    ] {
        let reply = post(&mocks, PATH, &body).await;
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["type"]), (400, &json!("invalid_request_error")));
        assert_eq!((&error["param"], &error["code"]), (&param, &code), "{error}");
    }
    assert_eq!(ask(&mocks, "POST", PATH, &[], b"{").await.status, 400);
    assert_eq!(stat(&mocks, "services.llm.rejected").await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_checked_where_one_is_set() {
    let mocks = mocks("api_key = 'k'");
    let body = body(&json!({})).to_string();
    let status = async |key: &str| {
        let headers = [("authorization", key)];
        ask(&mocks, "POST", PATH, &headers, body.as_bytes()).await.status
    };
    assert_eq!((status("Bearer k").await, status("Bearer x").await, status("k").await), (200, 401, 401));
    assert_eq!(ask(&mocks, "GET", "/v1/models", &[], b"").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn models_are_listed() {
    let list = ask(&mocks(""), "GET", "/v1/models", &[], b"").await.json();
    assert_eq!(list["object"], "list");
    let name = list["data"][0]["id"].as_str().unwrap();
    let one = ask(&mocks(""), "GET", &format!("/v1/models/{name}"), &[], b"").await.json();
    assert_eq!(one, list["data"][0]);
    assert_eq!(ask(&mocks(""), "GET", "/v1/models/none", &[], b"").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn streams_differ_as_they_are_told_to() {
    let quirks = r#"["nulls", "parts", "thinks", "writes", "empty", "refuses", "plain", "unended"]"#;
    let mocks = mocks(&format!("[llm]\nreplies = ['Yes.']\nquirks = {quirks}"));
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(post(&mocks, PATH, &body(&json!({"stream": true}))).await);
    }
    let texts: Vec<&str> = streams.iter().map(|stream| stream.text()).collect();
    assert!(
        texts[0].contains("\"finish_reason\":\"\"") && texts[0].contains("\"delta\":null"),
        "{}",
        texts[0]
    );
    assert!(texts[1].contains("\"reference_ids\":[1]"), "{}", texts[1]);
    assert!(texts[2].contains("<th") && texts[2].contains("ink>"), "{}", texts[2]);
    assert!(texts[3].contains("<|im_"), "{}", texts[3]);
    assert!(!texts[4].contains("Yes") && texts[4].contains("\"length\""), "{}", texts[4]);
    assert!(texts[5].contains("\"refusal\":\"I cannot"), "{}", texts[5]);
    assert!(texts[6].starts_with("\u{feff}: ping\r\n\r\n"), "{}", texts[6]);
    assert!(!texts[7].contains("[DONE]") && !texts[7].contains("\"stop\""), "{}", texts[7]);
}

#[tokio::test(start_paused = true)]
async fn a_call_comes_as_it_is_told_to_and_its_signature_has_to_come_back() {
    let mocks = mocks("[llm]\nreplies = ['@add {\"a\": 1}']\nquirks = [\"repeats\", \"objects\", \"signs\"]");
    let ask = async |more: &Value| post(&mocks, PATH, &body(more)).await;
    let stream = json!({"stream": true});
    let repeats = ask(&stream).await;
    assert_eq!(repeats.text().matches("\"name\":\"add\"").count(), 3, "{}", repeats.text());
    let objects = ask(&stream).await;
    assert!(objects.text().contains("\"arguments\":{\"a\":1}"), "{}", objects.text());
    let signed = ask(&stream).await;
    assert!(signed.text().contains("\"thought_signature\""), "{}", signed.text());
    for _ in 0..2 {
        ask(&stream).await;
    }
    let call = json!({"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}});
    let messages = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "", "tool_calls": [call]}]);
    assert_eq!(ask(&json!({"stream": true, "messages": messages})).await.status, 400);
}
