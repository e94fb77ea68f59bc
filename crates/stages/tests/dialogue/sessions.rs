//! Sessions as a call uses them: text in pieces, restarts, refusals.

use crate::support::{Caller, CountingWaker, dialogues, drain, request, shipped};
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmError, LlmEvent, LlmRequest, LlmSession, Next};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[test]
fn a_dead_session_is_continued_behind_what_it_has_said() {
    let dialogues = shipped();
    let whole = "You are booked for Monday at 3. Goodbye.";
    let mut caller = Caller::of(dialogues, "booking");
    for said in ["monday", "three"] {
        caller.says(said);
    }
    for cut in 0..=whole.len() {
        let mut session =
            dialogues.open(LlmCall { dialogue: Some("booking".to_owned()), ..LlmCall::default() }).unwrap();
        let request = LlmRequest {
            memo: caller.memo.clone(),
            already: whole[..cut].to_owned(),
            ..LlmRequest::new(9, Cue::Said("yes".to_owned()))
        };
        session.reply(request).unwrap();
        let (rest, next, _) = drain(session.as_mut());
        assert_eq!((rest.as_str(), next), (&whole[cut..], Next::HangUp));
    }
}

#[test]
fn a_reply_that_another_engine_began_is_said_whole_behind_it() {
    for (already, rest) in [
        ("You", " are booked for Monday at 3. Goodbye."),
        ("Your booking", " You are booked for Monday at 3. Goodbye."),
        ("Your booking ", "You are booked for Monday at 3. Goodbye."),
        ("You are booked for Monday at 3. Goodbye. And", " You are booked for Monday at 3. Goodbye."),
    ] {
        let mut caller = Caller::of(shipped(), "booking");
        for said in ["monday", "three"] {
            caller.says(said);
        }
        let mut session =
            shipped().open(LlmCall { dialogue: Some("booking".to_owned()), ..LlmCall::default() }).unwrap();
        let yes = request(1, Cue::Said("yes".to_owned()), &caller.memo);
        session.reply(LlmRequest { already: already.to_owned(), ..yes }).unwrap();
        assert_eq!(drain(session.as_mut()).0, rest);
    }
}

#[test]
fn text_comes_word_by_word_and_a_new_request_replaces_the_old_one() {
    let dialogues = shipped();
    let mut session =
        dialogues.open(LlmCall { dialogue: Some("echo".to_owned()), ..LlmCall::default() }).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(session.poll_event(&mut cx).is_pending());
    let request = LlmRequest::new;
    session.reply(request(1, Cue::Joined)).unwrap();
    let mut text = |session: &mut dyn LlmSession| match session.poll_event(&mut cx) {
        Poll::Ready(Ok(LlmEvent::Text { id, text })) => (id, text),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(session.as_mut()), (1, "Say".to_owned()));
    assert_eq!(text(session.as_mut()), (1, " something,".to_owned()));
    session.reply(request(2, Cue::Said("hello".to_owned()))).unwrap();
    assert_eq!(text(session.as_mut()), (2, "You".to_owned()));
    session.cancel();
    assert!(session.poll_event(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn a_request_wakes_a_session_that_waits() {
    let waker = Arc::new(CountingWaker::default());
    let mut session = shipped().open(LlmCall::default()).unwrap();
    assert!(session.poll_event(&mut Context::from_waker(&waker.clone().into())).is_pending());
    assert_eq!(waker.wakes(), 0);
    session.reply(request(1, Cue::Joined, "")).unwrap();
    assert_eq!(waker.wakes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pace_puts_a_pause_before_each_word() {
    let dialogues = shipped().clone().with_pace(Duration::from_millis(50));
    let mut session =
        dialogues.open(LlmCall { dialogue: Some("echo".to_owned()), ..LlmCall::default() }).unwrap();
    session.reply(request(1, Cue::Silent(1), "")).unwrap();
    let begin = tokio::time::Instant::now();
    let mut words = 0;
    while let LlmEvent::Text { .. } = std::future::poll_fn(|cx| session.poll_event(cx)).await.unwrap() {
        words += 1;
        assert_eq!(begin.elapsed(), Duration::from_millis(50) * words);
    }
    assert_eq!(words, 3, "I am listening.");
}

#[test]
fn an_unknown_dialogue_is_refused_by_name() {
    let error =
        shipped().open(LlmCall { dialogue: Some("bokking".to_owned()), ..LlmCall::default() }).err().unwrap();
    assert_eq!(error.to_string(), "no dialogue is named \"bokking\"; there are: booking, echo");
    assert!(shipped().clone().with_default("bokking").is_err());
}

#[test]
fn a_call_that_names_no_dialogue_gets_the_default() {
    let echo = shipped().clone().with_default("echo").unwrap();
    let mut caller = Caller::without_dialogue(&echo);
    assert_eq!(caller.joins(), "Say something, and I say it back.");
    let mut caller = Caller::without_dialogue(shipped());
    assert!(caller.joins().starts_with("Welcome"));
}

#[test]
fn a_memo_that_does_not_fit_is_refused() {
    let mut session =
        shipped().open(LlmCall { dialogue: Some("booking".to_owned()), ..LlmCall::default() }).unwrap();
    for memo in [
        "nonsense",
        "{}",
        r#"{"v":1,"d":"echo","s":"listen","x":{},"m":0}"#,
        r#"{"v":2,"d":"booking","s":"day","x":{},"m":0}"#,
        r#"{"v":1,"d":"booking","s":"nowhere","x":{},"m":0}"#,
        r#"{"v":1,"d":"booking","s":"day","x":{},"m":0,"more":1}"#,
    ] {
        let error = session.reply(request(1, Cue::Joined, memo)).unwrap_err();
        assert!(matches!(error, LlmError::Memo { .. }), "{memo}: {error}");
    }
    let memo = r#"{"v":1,"d":"booking","s":"day","x":{},"m":0}"#;
    session.reply(request(1, Cue::Joined, memo)).unwrap();
}

#[test]
fn the_dialogues_of_a_folder_are_named_as_their_files() {
    assert_eq!(shipped().names().collect::<Vec<_>>(), ["booking", "echo"]);
    let two = dialogues(&[
        ("a", "start = \"x\"\nstate.x.hang_up = true"),
        ("b", "start = \"y\"\nstate.y.hang_up = true"),
    ]);
    assert_eq!(two.unwrap().names().collect::<Vec<_>>(), ["a", "b"]);
}
