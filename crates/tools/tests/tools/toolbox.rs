//! The loop of calls and answers.

use crate::model::{Model, Turn, declared, event, reply, toolbox};
use ringway_stages::llm::{
    Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next, Role, Said,
};
use ringway_stages::tool_use::{Outcome, ToolNews};
use ringway_stages::transfer::Destination;
use ringway_tools::{Config, Finding, Knowledge, Passage, Toolbox, Tools};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

const BUILT_IN: &str = "[built_in.transfer]\n[built_in.hang_up]\n[built_in.send_dtmf]\n[built_in.set_slot]\n[built_in.look_up]\n";

/// Knows one thing, as soon as it may.
#[derive(Debug)]
struct Sage(Arc<tokio::sync::Semaphore>);

impl Knowledge for Sage {
    fn look_up(&self, question: String, _: usize) -> Finding {
        let may = self.0.clone();
        Box::pin(async move {
            may.acquire().await.unwrap().forget();
            Ok(vec![Passage { source: "hours.md".into(), text: format!("{question}? We open at nine.") }])
        })
    }
}

fn open(model: &Model) -> Box<dyn LlmSession> {
    toolbox(model, BUILT_IN, None).open(LlmCall::default()).unwrap()
}

fn said(id: u32, text: &str) -> LlmRequest {
    LlmRequest::new(id, Cue::Said(text.into()))
}

fn outcomes(news: &[ToolNews]) -> Vec<(&str, Outcome)> {
    news.iter()
        .filter_map(|news| match news {
            ToolNews::Ended { tool, outcome, .. } => Some((tool.as_str(), *outcome)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn the_model_goes_on_with_what_the_tool_said() {
    let model =
        Model::that_says(&[("Let me see. ", &[("look_up", r#"{"question":"hours"}"#)]), ("At nine.", &[])]);
    let sage = Sage(Arc::new(tokio::sync::Semaphore::new(1)));
    let mut session = toolbox(&model, BUILT_IN, Some(Arc::new(sage))).open(LlmCall::default()).unwrap();
    let reply = reply(&mut *session, said(1, "when do you open")).await;
    assert_eq!(
        (reply.words.as_str(), outcomes(&reply.news)),
        ("Let me see. At nine.", vec![("look_up", Outcome::Done)])
    );
    assert_eq!(reply.news.last(), Some(&ToolNews::Cited { passages: vec!["hours.md".into()] }));
    let round = &model.asked(1).rounds[0];
    assert_eq!((round.after, round.text.as_str()), (1, "Let me see. "));
    assert_eq!(round.calls[0].result, "[hours.md]\nhours? We open at nine.");
    assert_eq!(model.known.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn what_tools_said_stays_in_later_turns_when_the_reply_was_accepted() {
    let model = Model::that_says(&[
        ("", &[("set_slot", r#"{"name":"day","value":"Monday"}"#)]),
        ("Monday.", &[]),
        ("Good.", &[]),
    ]);
    let mut session = open(&model);
    let first = reply(&mut *session, said(1, "on Monday")).await;
    let history = [(Role::User, "on Monday"), (Role::Assistant, "Monday.")];
    let history = history.map(|(role, text)| Said { role, text: text.into() }).to_vec();
    reply(&mut *session, LlmRequest { history, memo: first.memo, ..said(2, "thanks") }).await;
    let later = model.asked(2);
    assert_eq!((later.rounds.len(), later.rounds[0].after, later.memo.as_str()), (1, 1, ""));
    assert_eq!((later.rounds[0].text.as_str(), later.rounds[0].calls[0].result.as_str()), ("", "Kept."));
}

#[tokio::test]
async fn another_service_is_told_what_was_done_for_an_accepted_reply_of_the_first() {
    let first =
        Model::that_says(&[("", &[("set_slot", r#"{"name":"day","value":"Monday"}"#)]), ("Done.", &[])]);
    let (second, call) = (Model::default(), LlmCall::default());
    let mut session = toolbox(&first, BUILT_IN, None).open(call.clone()).unwrap();
    let accepted = reply(&mut *session, said(1, "on Monday")).await;
    let history = [(Role::User, "on Monday"), (Role::Assistant, "Done.")];
    let history = history.map(|(role, text)| Said { role, text: text.into() }).to_vec();
    let next = LlmRequest { history, ..said(2, "thanks") };
    // The first has its memo, the second has none: each is asked the same.
    reply(&mut *session, LlmRequest { memo: accepted.memo, ..next.clone() }).await;
    reply(&mut *toolbox(&second, BUILT_IN, None).open(call).unwrap(), next).await;
    for told in [first.asked(2), second.asked(0)] {
        let results: Vec<_> =
            told.rounds.iter().map(|round| (round.after, round.calls[0].result.as_str())).collect();
        assert_eq!(results, [(1, "Kept.")]);
    }
}

#[tokio::test]
async fn nothing_is_done_before_the_reply_is_wanted_for_certain() {
    let model = Model::that_says(&[("", &[("set_slot", r#"{"name":"a","value":"b"}"#)]), ("", &[])]);
    let mut session = open(&model);
    session.reply(said(1, "book")).unwrap();
    let early = tokio::time::timeout(Duration::from_millis(1), event(&mut *session)).await;
    assert!(early.is_err(), "{early:?}");
    session.cancel();
    assert_eq!(model.times_asked(), 1);
    // The guess was wrong: it leaves no trace.
    reply(&mut *session, said(2, "book a table")).await;
    assert!(model.asked(1).rounds.is_empty());
}

#[tokio::test]
async fn a_model_is_told_what_was_wrong_with_its_call() {
    let calls: &[(&str, &str)] =
        &[("fly", "{}"), ("transfer", "{}"), ("send_dtmf", r#"{"digits":"one"}"#), ("set_slot", "{\"na")];
    let model = Model::that_says(&[("", calls), ("Sorry.", &[])]);
    let reply = reply(&mut *open(&model), said(1, "fly")).await;
    let refused = Outcome::Refused;
    let mut told = outcomes(&reply.news);
    told.sort_by_key(|(tool, _)| *tool);
    assert_eq!(
        told,
        [("fly", refused), ("send_dtmf", refused), ("set_slot", refused), ("transfer", refused)]
    );
    let round = model.asked(1).rounds[0].clone();
    let results: Vec<_> = round.calls.iter().map(|called| (called.failed, called.result.as_str())).collect();
    assert!(results[0].1.starts_with("there is no tool \"fly\"; there are: "), "{results:?}");
    assert_eq!(results[1], (true, "the arguments are wrong: \"to\" is a required property"));
    assert!(results[2].1.starts_with("the arguments are wrong: /digits: "), "{results:?}");
    assert!(results[3].1.starts_with("the arguments are wrong: no JSON"), "{results:?}");
}

#[tokio::test]
async fn keys_are_told_between_what_is_said_before_and_behind_them() {
    let model = Model::that_says(&[("I press one.", &[("send_dtmf", r#"{"digits":"1#"}"#)]), ("Done.", &[])]);
    let reply = reply(&mut *open(&model), said(1, "press one")).await;
    assert_eq!(reply.words, "I press one.Done.");
    assert_eq!(reply.news.last(), Some(&ToolNews::Keys { keys: "1#".into() }));
    assert_eq!(model.asked(1).rounds[0].calls[0].result, "They are being pressed.");
}

#[tokio::test]
async fn a_model_cannot_have_anybody_dialled_whom_the_operator_has_not_listed() {
    let wanted: &[(&str, &str)] = &[
        ("transfer", r#"{"to":"+88213000000"}"#),
        ("transfer", r#"{"to":""}"#),
        ("transfer", r#"{"to":"the front desk"}"#),
        ("transfer", r#"{"to":"sip:x@evil.example"}"#),
        ("transfer", r#"{"to":17}"#),
    ];
    let model = Model::that_says(&[("", wanted), ("I cannot do that.", &[])]);
    let reply = reply(&mut *open(&model), said(1, "call my cousin")).await;
    assert!(matches!(reply.next, Some(Next::Listen(_))), "{:?}", reply.next);
    assert!(outcomes(&reply.news).iter().all(|(_, outcome)| *outcome == Outcome::Refused));
    let round = model.asked(1).rounds[0].clone();
    assert_eq!(round.calls[0].result, "\"+88213000000\" is nobody to transfer to; there are: desk");
    assert_eq!(round.calls.iter().filter(|call| call.failed).count(), wanted.len());
    let known = model.known.lock().unwrap();
    let tool = known.iter().find(|tool| tool.name == "transfer").unwrap();
    assert_eq!(tool.parameters["properties"]["to"]["enum"], serde_json::json!(["desk"]));
}

#[tokio::test]
async fn a_model_is_not_offered_a_transfer_where_nobody_is_listed() {
    let model = Model::that_says(&[("", &[("transfer", r#"{"to":"desk"}"#)]), ("I cannot do that.", &[])]);
    let file = declared("[built_in.transfer]\n[built_in.hang_up]\n").transferring(Arc::default());
    let toolbox = Toolbox::new(Arc::new(model.clone()), Tools::start(file, None).unwrap(), Config::default());
    let reply = reply(&mut *toolbox.open(LlmCall::default()).unwrap(), said(1, "a person please")).await;
    assert!(!matches!(reply.next, Some(Next::Transfer(_))), "{:?}", reply.next);
    let known = model.known.lock().unwrap();
    assert_eq!(known.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["hang_up"]);
}

#[tokio::test]
async fn a_call_is_transferred_when_the_reply_was_heard() {
    let model = Model::that_says(&[("", &[("transfer", r#"{"to":"Desk"}"#)]), ("I put you through.", &[])]);
    let put_through = reply(&mut *open(&model), said(1, "a person please")).await;
    assert_eq!(
        (put_through.words.as_str(), put_through.next),
        ("I put you through.", Some(Next::Transfer(Destination::written("+431234").unwrap())))
    );
    // Who has said goodbye already is not asked again.
    let model = Model::that_says(&[("Goodbye.", &[("hang_up", "{}")])]);
    let over = reply(&mut *open(&model), said(1, "bye")).await;
    assert_eq!((over.words.as_str(), over.next, model.times_asked()), ("Goodbye.", Some(Next::HangUp), 1));
}

#[tokio::test]
async fn a_model_that_only_calls_is_stopped() {
    let call: (&str, &[(&str, &str)]) = ("", &[("hang_on", "{}")]);
    let model = Model::that_says(&[call; 20]);
    let reply = reply(&mut *open(&model), said(1, "hello")).await;
    // Four rounds, one in which calls are refused, and the last word.
    assert_eq!((reply.words.as_str(), model.times_asked()), ("", 6));
    let last = model.asked(5).rounds.last().unwrap().calls[0].result.clone();
    assert_eq!(last, "no more calls in this reply: answer with what you know");
}

#[tokio::test]
async fn a_tool_is_dropped_or_finishes_when_the_caller_speaks() {
    for (manner, expected) in [
        ("cancel", (true, "cancelled: the caller spoke before it was done")),
        ("finish", (false, "[hours.md]\nhours? We open at nine.")),
    ] {
        let may = Arc::new(tokio::sync::Semaphore::new(0));
        let model = Model::that_says(&[("", &[("look_up", r#"{"question":"hours"}"#)]), ("At nine.", &[])]);
        let text = format!("[built_in.look_up]\non_barge_in = \"{manner}\"\n");
        let toolbox = toolbox(&model, &text, Some(Arc::new(Sage(may.clone()))));
        let call = LlmCall::default();
        let mut session = toolbox.open(call.clone()).unwrap();
        session.reply(said(1, "when do you open")).unwrap();
        session.commit();
        assert!(matches!(event(&mut *session).await, LlmEvent::Tool { news: ToolNews::Began { .. }, .. }));
        session.cancel();
        if manner == "cancel" {
            let told = event(&mut *session).await;
            assert!(
                matches!(
                    told,
                    LlmEvent::Tool { id: 1, news: ToolNews::Ended { outcome: Outcome::Cancelled, .. } }
                ),
                "{told:?}"
            );
        }
        may.add_permits(1);
        // Its stage dies on the way, too.
        drop(session);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let mut session = toolbox.open(call).unwrap();
        let history = vec![Said { role: Role::User, text: "when do you open".into() }];
        reply(&mut *session, LlmRequest { history, ..said(2, "hello?") }).await;
        let called = model.asked(1).rounds[0].calls[0].clone();
        assert_eq!((called.failed, called.result.as_str()), expected, "{manner}");
    }
}

#[tokio::test]
async fn a_slow_tool_tells_its_words() {
    let model = Model::that_says(&[("", &[("look_up", r#"{"question":"hours"}"#)]), ("At nine.", &[])]);
    let text = "[built_in.look_up]\nfiller = \"I look it up.\"\nfiller_after = \"700ms\"\n";
    let mut session = toolbox(&model, text, None).open(LlmCall::default()).unwrap();
    let reply = reply(&mut *session, said(1, "when do you open")).await;
    let ToolNews::Began { tool, filler: Some(filler) } = &reply.news[0] else { panic!("{:?}", reply.news) };
    assert_eq!(
        (tool.as_str(), filler.words.as_str(), filler.after),
        ("look_up", "I look it up.", Duration::from_millis(700))
    );
    let ToolNews::Ended { bytes, outcome, .. } = &reply.news[1] else { panic!("{:?}", reply.news) };
    assert_eq!((*bytes, *outcome), (20, Outcome::Failed));
}

#[tokio::test]
async fn a_model_that_has_hung_up_or_pressed_keys_need_not_say_a_word() {
    const NOTHING: Turn = ("", &[]);
    let hang_up: Turn = ("", &[("hang_up", "{}")]);
    let press: Turn = ("", &[("send_dtmf", r#"{"digits":"1"}"#)]);
    let note: Turn = ("", &[("set_slot", r#"{"name":"day","value":"Monday"}"#)]);
    assert!(matches!(end(&[hang_up, NOTHING]).await, Ok(Next::HangUp)));
    assert!(matches!(end(&[press, NOTHING]).await, Ok(Next::Listen(_))));
    assert!(matches!(end(&[note, NOTHING]).await, Err(LlmError::Empty { .. })));
}

/// How a reply of these turns ends.
async fn end(turns: &[Turn]) -> Result<Next, LlmError> {
    let mut model = Model::that_says(turns);
    model.has_to_speak = true;
    let mut session = open(&model);
    session.reply(said(1, "bye"))?;
    session.commit();
    loop {
        if let LlmEvent::Done { next, .. } = poll_fn(|cx| session.poll_event(cx)).await? {
            return Ok(next);
        }
    }
}
