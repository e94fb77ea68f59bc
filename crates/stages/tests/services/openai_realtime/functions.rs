//! Functions that the model calls.

use super::*;
use ringway_stages::llm::{Called, ToolSpec};
use ringway_stages::speech_to_speech::Remark;

#[tokio::test]
async fn functions_are_declared_called_and_answered_within_one_answer() {
    let sockets = Sockets::start().await;
    let service = OpenAiRealtime::new(config(sockets.endpoint("")), None).unwrap();
    let parameters = json!({"type": "object", "properties": {}});
    let tool =
        ToolSpec { name: "hours".into(), description: "Tells.".into(), parameters: parameters.clone() };
    let call = SpeechCall { tools: [tool].into(), ..SpeechCall::of(Format::Mulaw8k) };
    let mut session = service.open(call).unwrap();
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    let update = told(&mut *session, &mut service).await;
    let declared =
        json!([{"type": "function", "name": "hours", "description": "Tells.", "parameters": parameters}]);
    assert_eq!(update["session"]["tools"], declared);
    session.answer(wanted(1, Cue::Said(String::new()))).unwrap();
    assert_eq!(told(&mut *session, &mut service).await["type"], "response.create");
    say(&mut service, created("r1")).await;
    say(&mut service, audio("r1", "i1", 40)).await;
    let item =
        json!({"type": "function_call", "id": "i2", "call_id": "c1", "name": "hours", "arguments": "{}"});
    let response = json!({"id": "r1", "status": "completed", "output": [item]});
    say(&mut service, json!({"type": "response.done", "response": response})).await;
    let SpeechEvent::Calls { id: 1, calls } = event(&mut *session).await.unwrap() else { panic!("no calls") };
    assert_eq!((calls[0].id.as_str(), calls[0].name.as_str()), ("c1", "hours"));
    let (result, failed) = ("At nine.".to_owned(), false);
    session.results(vec![Called { call: calls[0].clone(), result, failed }], true);
    let output = told(&mut *session, &mut service).await["item"].clone();
    assert_eq!(output, json!({"type": "function_call_output", "call_id": "c1", "output": "At nine."}));
    assert_eq!(told(&mut *session, &mut service).await["type"], "response.create");
    say(&mut service, created("r2")).await;
    say(&mut service, audio("r2", "i3", 60)).await;
    say(&mut service, done("r2", "completed")).await;
    assert_eq!(to_the_end(&mut *session, 1).await, 5, "what was said before the call, and behind it");
}

#[tokio::test]
async fn what_tools_said_meanwhile_is_told_once_and_to_a_new_session_again() {
    let sockets = Sockets::start().await;
    let (mut session, mut service) = begun(&sockets, config(sockets.endpoint(""))).await;
    let remark = |told| Remark { text: "It is sunny.".into(), told };
    let asked = |id, told| Wanted { remarks: vec![remark(told)], ..wanted(id, Cue::Said(String::new())) };
    for (id, remarked) in [(1, true), (2, false)] {
        session.answer(asked(id, id == 2)).unwrap();
        let (kinds, _) = until(&mut *session, &mut service, "response.create").await;
        assert_eq!(kinds.contains(&"conversation.item.create".to_owned()), remarked, "{id}");
        let response = format!("r{id}");
        say(&mut service, created(&response)).await;
        say(&mut service, done(&response, "completed")).await;
        assert_eq!(event(&mut *session).await.unwrap(), SpeechEvent::Done { id, next: None });
    }
    // Its socket is lost in a pause.
    drop(service);
    let mut service = meanwhile(&mut *session, sockets.accept()).await;
    session.answer(asked(3, true)).unwrap();
    let (kinds, _) = until(&mut *session, &mut service, "response.create").await;
    assert!(kinds.contains(&"conversation.item.create".to_owned()), "{kinds:?}");
}
