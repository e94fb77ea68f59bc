//! What the language models' connectors make of streams as gateways write them: each is asked through its engine.

use crate::support::{LONG, Server, Step, answer, chunk, chunked};
use ringway_stages::llm::{
    Called, Cue, Emptiness, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Round,
    ToolCall, ToolSpec,
};
use ringway_stages::services::Endpoint;
use ringway_stages::services::anthropic::{self, Anthropic};
use ringway_stages::services::ollama::{self, Ollama};
use ringway_stages::services::openai_llm::{self, OpenAiLlm};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::time::Duration;

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    OpenAi,
    Ollama,
    Anthropic,
}

pub(crate) const FORMS: [Form; 3] = [Form::OpenAi, Form::Ollama, Form::Anthropic];

impl Form {
    pub(crate) fn open(self, server: &Server) -> Box<dyn LlmSession> {
        self.open_at(server.endpoint(""), LONG, LONG)
    }

    pub(crate) fn open_at(self, url: Endpoint, first_byte: Duration, idle: Duration) -> Box<dyn LlmSession> {
        let parameters = json!({"type": "object"});
        let tool = ToolSpec { name: "find_order".into(), description: "Finds it.".into(), parameters };
        let call = LlmCall { tools: [tool].into(), ..LlmCall::default() };
        let connect = LONG;
        let opened = match self {
            Self::OpenAi => {
                let config = openai_llm::Config { url, connect, first_byte, idle, ..Default::default() };
                OpenAiLlm::new(config, None).unwrap().open(call)
            }
            Self::Ollama => {
                let warm_up = false;
                let config = ollama::Config { url, warm_up, connect, first_byte, idle, ..Default::default() };
                Ollama::new(config, None).unwrap().open(call)
            }
            Self::Anthropic => {
                let config = anthropic::Config { url, connect, first_byte, idle, ..Default::default() };
                Anthropic::new(config, None).unwrap().open(call)
            }
        };
        opened.unwrap()
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Ollama => "application/x-ndjson",
            Self::OpenAi | Self::Anthropic => "text/event-stream",
        }
    }

    pub(crate) fn record(self, value: &Value) -> Vec<u8> {
        match self {
            Self::Ollama => format!("{value}\n").into(),
            Self::OpenAi | Self::Anthropic => format!("data: {value}\n\n").into(),
        }
    }

    pub(crate) fn words(self, text: &str) -> Value {
        match self {
            Self::OpenAi => {
                json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
            }
            Self::Ollama => json!({"message": {"role": "assistant", "content": text}, "done": false}),
            Self::Anthropic => {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
            }
        }
    }

    /// The word for the end, without what may follow it.
    pub(crate) fn stop(self, word: &str) -> Value {
        match self {
            Self::OpenAi => json!({"choices": [{"index": 0, "delta": {}, "finish_reason": word}]}),
            Self::Ollama => json!({"message": {"content": ""}, "done": false, "done_reason": word}),
            Self::Anthropic => json!({"type": "message_delta", "delta": {"stop_reason": word}}),
        }
    }

    /// A stream of these records and whatever follows it.
    pub(crate) fn stream(self, records: &[Value], rest: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let bytes: Vec<u8> = records.iter().flat_map(|record| self.record(record)).collect();
        [chunked(self.content_type()), chunk(&bytes)].into_iter().chain(rest).collect()
    }
}

pub(crate) async fn event(session: &mut dyn LlmSession) -> Result<LlmEvent, LlmError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

/// What a reply comes to: its words, and its calls.
pub(crate) async fn answered(session: &mut dyn LlmSession) -> Result<(String, Vec<ToolCall>), LlmError> {
    let (mut words, mut calls) = (String::new(), Vec::new());
    loop {
        match event(session).await? {
            LlmEvent::Text { text, .. } => words += &text,
            LlmEvent::Call { call, .. } => calls.push(call),
            LlmEvent::Slots { .. } | LlmEvent::Usage { .. } => {}
            LlmEvent::Done { .. } => return Ok((words, calls)),
            other @ LlmEvent::Tool { .. } => panic!("{other:?}"),
        }
    }
}

async fn reply(form: Form, steps: Vec<Step>) -> Result<(String, Vec<ToolCall>), LlmError> {
    reply_to(form, steps, LlmRequest::new(1, Cue::Said("hi".into()))).await
}

async fn reply_to(
    form: Form,
    steps: Vec<Step>,
    request: LlmRequest,
) -> Result<(String, Vec<ToolCall>), LlmError> {
    let server = Server::start(vec![steps]).await;
    let mut session = form.open(&server);
    session.reply(request).unwrap();
    answered(&mut *session).await
}

async fn words(form: Form, steps: Vec<Step>) -> String {
    reply(form, steps).await.unwrap_or_else(|error| panic!("{form:?}: {error}")).0
}

#[tokio::test(start_paused = true)]
async fn a_model_that_has_stopped_is_not_waited_for_whatever_becomes_of_its_stream() {
    for form in FORMS {
        let records = [form.words("It is "), form.words("Monday."), form.stop("stop")];
        let pings = (0..20).map(|_| chunk(b"\n"));
        for rest in
            [vec![Step::Hang], vec![Step::Close], vec![chunk(b"")], vec![chunk(b"{\"garbage"), Step::Hang]]
        {
            assert_eq!(words(form, form.stream(&records, rest)).await, "It is Monday.", "{form:?}");
        }
        let open = pings.chain([Step::Hang]).collect::<Vec<_>>();
        let begun = tokio::time::Instant::now();
        assert_eq!(words(form, form.stream(&records, open)).await, "It is Monday.", "{form:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{form:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_word_that_stands_for_nothing_is_no_end_so_that_a_cut_is_noticed() {
    for form in FORMS {
        for nothing in ["", "null"] {
            let records = [form.words("Our shop is "), form.stop(nothing), form.words("open")];
            let error = reply(form, form.stream(&records, [Step::Close])).await.unwrap_err().to_string();
            assert!(error.contains("the connection ended inside the answer"), "{form:?}: {error}");
            let records =
                [form.words("Our shop "), form.stop(nothing), form.words("is open."), form.stop("stop")];
            assert_eq!(words(form, form.stream(&records, [chunk(b"")])).await, "Our shop is open.");
        }
    }
}

#[tokio::test]
async fn a_body_that_http_calls_whole_is_a_whole_reply_and_one_that_just_ends_is_not() {
    for form in FORMS {
        let records = [form.words("It is "), form.words("Monday.")];
        assert_eq!(words(form, form.stream(&records, [chunk(b"")])).await, "It is Monday.", "{form:?}");
        let body: Vec<u8> = records.iter().flat_map(|record| form.record(record)).collect();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n", form.content_type());
        let unframed = vec![Step::Send([head.as_bytes(), &body].concat()), Step::Close];
        let error = reply(form, unframed).await.unwrap_err().to_string();
        assert!(error.contains("the reply has no end"), "{form:?}: {error}");
    }
}

#[tokio::test]
async fn answers_are_read_under_any_name_and_in_either_form() {
    for form in FORMS {
        let records = [form.words("It is "), form.words("Monday."), form.stop("stop")];
        let events: Vec<u8> = records
            .iter()
            .flat_map(|record| format!(": ping\r\ndata:{record}\r\n\r\n").into_bytes())
            .collect();
        let lines: Vec<u8> = records.iter().flat_map(|record| format!("{record}\n").into_bytes()).collect();
        for body in [events, lines] {
            for name in ["Text/Event-Stream; Charset=UTF-8", "application/json", "text/plain", "", "x/y"] {
                let body = [b"\xef\xbb\xbf".as_slice(), &body].concat();
                assert_eq!(
                    words(form, answer("200 OK", name, &body)).await,
                    "It is Monday.",
                    "{form:?} {name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_answer_without_words_or_calls_is_a_failure_with_its_reason() {
    let thought = |form| match form {
        Form::OpenAi => json!({"choices": [{"delta": {"reasoning_content": "hm"}}]}),
        Form::Ollama => json!({"message": {"content": "", "thinking": "hm"}}),
        Form::Anthropic => {
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}})
        }
    };
    for form in FORMS {
        for (records, reason) in [
            (vec![form.words(""), form.stop("length")], Emptiness::Length),
            (vec![form.words("<think>hm"), form.stop("max_tokens")], Emptiness::Length),
            (vec![form.stop("content_filter")], Emptiness::ContentFilter),
            (vec![form.stop("refusal")], Emptiness::Refusal),
            (vec![form.words(" \n"), form.words("\n"), form.stop("stop")], Emptiness::Blank),
            (vec![form.words("🙂"), form.stop("stop")], Emptiness::Blank),
            (vec![form.words("..."), form.stop("something_new")], Emptiness::Blank),
            (vec![thought(form), form.stop("stop")], Emptiness::Thoughts),
            (vec![form.words("<think>hm</think>"), form.stop("stop")], Emptiness::Thoughts),
            (vec![form.words(r#"{"name":"fly","arguments":{}}"#), form.stop("stop")], Emptiness::ToolCall),
        ] {
            let error = reply(form, form.stream(&records, [chunk(b"")])).await.unwrap_err();
            let LlmError::Empty { reason: found, .. } = error else { panic!("{form:?}: {error}") };
            assert_eq!(found, reason, "{form:?}: {records:?}");
        }
    }
    let refused = [
        json!({"choices": [{"delta": {"refusal": "I cannot help with that."}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ];
    let error = reply(Form::OpenAi, Form::OpenAi.stream(&refused, [chunk(b"")])).await.unwrap_err();
    assert!(matches!(error, LlmError::Empty { reason: Emptiness::Refusal, .. }), "{error}");
    let done = answer("200 OK", "text/event-stream", b"data: [DONE]\n\n");
    let error = reply(Form::OpenAi, done).await.unwrap_err().to_string();
    assert_eq!(error, "openai_llm: an answer without words or calls: blank");
}

#[tokio::test]
async fn a_reply_that_was_begun_elsewhere_may_have_nothing_to_add() {
    for form in FORMS {
        let request =
            LlmRequest { already: "It is Monday.".into(), ..LlmRequest::new(1, Cue::Said("hi".into())) };
        let steps = form.stream(&[form.stop("stop")], [chunk(b"")]);
        assert_eq!(reply_to(form, steps, request).await.unwrap().0, "", "{form:?}");
    }
}

#[tokio::test]
async fn an_end_by_an_error_is_a_failure() {
    for form in FORMS {
        let records = [form.words("It is"), form.stop("error")];
        let error = reply(form, form.stream(&records, [chunk(b"")])).await.unwrap_err().to_string();
        assert!(error.ends_with("failed inside its answer: it stopped by \"error\""), "{form:?}: {error}");
    }
}

#[tokio::test]
async fn thoughts_and_tokens_are_not_said_and_calls_in_writing_are_made_in_every_form() {
    let pieces =
        ["<th", "ink>\nThe user wants", " a date.</think>", "\nLet me see.", "<tool_", "call>{\"name\":"];
    let pieces =
        pieces.into_iter().chain(["\"find_order\",\"arguments\":{\"id\"", ":12}}</tool_call><|im_", "end|>"]);
    for form in FORMS {
        let records: Vec<Value> =
            pieces.clone().map(|piece| form.words(piece)).chain([form.stop("stop")]).collect();
        let (words, calls) = reply(form, form.stream(&records, [chunk(b"")])).await.unwrap();
        let expected = ToolCall::new("call_0", "find_order", r#"{"id":12}"#);
        assert_eq!((words.as_str(), calls), ("Let me see.", vec![expected]), "{form:?}");
        let only_closed =
            ["The user wants a date.", "\n</thi", "nk>\n\nOn Monday."].map(|piece| form.words(piece));
        let records = [only_closed.as_slice(), &[form.stop("stop")]].concat();
        assert_eq!(self::words(form, form.stream(&records, [chunk(b"")])).await, "On Monday.", "{form:?}");
    }
}

/// Asks, and then again with the result of the call; what the second request says of the call.
async fn second_request(form: Form, records: &[Value]) -> Value {
    let good = form.stream(&[form.words("It is on its way."), form.stop("stop")], [chunk(b"")]);
    let mut server = Server::start(vec![form.stream(records, [chunk(b"")]), good]).await;
    let mut session = form.open(&server);
    let request = LlmRequest::new(1, Cue::Said("my order".into()));
    session.reply(request.clone()).unwrap();
    let (text, calls) = answered(&mut *session).await.unwrap();
    assert_eq!((calls.len(), calls[0].arguments.replace(' ', "").as_str()), (1, r#"{"id":12}"#), "{form:?}");
    let called = |call| Called { call, result: "sent".into(), failed: false };
    let round = Round { after: 1, text, calls: calls.into_iter().map(called).collect() };
    session.reply(LlmRequest { rounds: vec![round], ..request }).unwrap();
    answered(&mut *session).await.unwrap();
    server.asked().await;
    let body: Value = serde_json::from_slice(&server.asked().await.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    messages.iter().find(|message| message["role"] == "assistant").unwrap().clone()
}

#[tokio::test]
async fn what_a_provider_wants_back_is_given_back() {
    let call = json!({"index": 0, "id": "a", "type": "function", "extra_content": {"google": {"thought_signature": "s"}},
        "function": {"name": "find_order", "arguments": "{\"id\":12}"}});
    let details = json!([{"type": "reasoning.encrypted", "data": "xyz"}]);
    let delta = |delta: Value| json!({"choices": [{"index": 0, "delta": delta}]});
    let told = second_request(
        Form::OpenAi,
        &[
            delta(json!({"role": "assistant", "reasoning_content": "I look ", "reasoning_details": details})),
            delta(json!({"reasoning_content": "it up.", "obfuscation": "x"})),
            delta(json!({"tool_calls": [call]})),
            Form::OpenAi.stop("tool_calls"),
        ],
    )
    .await;
    assert_eq!(
        (&told["reasoning_content"], &told["reasoning_details"], told.get("obfuscation")),
        (&json!("I look it up."), &details, None)
    );
    assert_eq!(told["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "s");

    let call = json!({"function": {"name": "find_order", "arguments": {"id": 12}}, "thought_signature": "s"});
    let told = second_request(
        Form::Ollama,
        &[
            json!({"message": {"content": "", "thinking": "I look "}}),
            json!({"message": {"content": "", "thinking": "it up.", "tool_calls": [call]}}),
            Form::Ollama.stop("stop"),
        ],
    )
    .await;
    assert_eq!(
        (&told["thinking"], &told["tool_calls"][0]["thought_signature"]),
        (&json!("I look it up."), &json!("s"))
    );

    let (begin, more) = ("content_block_start", "content_block_delta");
    let block =
        |kind: &str, index: u32, field: &str, of: Value| json!({"type": kind, "index": index, field: of});
    let told = second_request(
        Form::Anthropic,
        &[
            block(begin, 0, "content_block", json!({"type": "thinking", "thinking": "", "signature": ""})),
            block(more, 0, "delta", json!({"type": "thinking_delta", "thinking": "I look "})),
            block(more, 0, "delta", json!({"type": "thinking_delta", "thinking": "it up."})),
            block(more, 0, "delta", json!({"type": "signature_delta", "signature": "s"})),
            block(begin, 1, "content_block", json!({"type": "redacted_thinking", "data": "d"})),
            block(
                begin,
                2,
                "content_block",
                json!({"type": "tool_use", "id": "t", "name": "find_order", "input": {}}),
            ),
            block(more, 2, "delta", json!({"type": "input_json_delta", "partial_json": "{\"id\": 12}"})),
            Form::Anthropic.stop("tool_use"),
        ],
    )
    .await;
    assert_eq!(
        told["content"],
        json!([
            {"type": "thinking", "thinking": "I look it up.", "signature": "s"},
            {"type": "redacted_thinking", "data": "d"},
            {"type": "tool_use", "id": "t", "name": "find_order", "input": {"id": 12}},
        ])
    );
}

#[tokio::test]
async fn calls_of_anthropic_are_whole_without_pieces_and_without_the_end_of_their_block() {
    let call = |input: Value| {
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "tool_use", "id": "t", "name": "find_order", "input": input}})
    };
    for input in [json!({"id": 12}), json!("{\"id\":12}")] {
        let form = Form::Anthropic;
        let steps = form.stream(&[call(input), form.stop("tool_use")], [chunk(b"")]);
        let (_, calls) = reply(form, steps).await.unwrap();
        assert_eq!(calls, [ToolCall::new("t", "find_order", r#"{"id":12}"#)]);
    }
}
