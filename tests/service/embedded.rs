//! The engines that come with ringway, with recorded human speech.

use crate::support::browser::Browser;
use crate::support::carrier::Carrier;
use crate::support::server::Setup;

#[tokio::test]
async fn an_appointment_is_booked_by_voice() {
    let server = Setup::embedded().start();
    let (mut browser, _) = Browser::greeted(&server).await;
    for (prompt, words, answer) in [
        ("digits/day-1", "monday", "At what hour on Monday?"),
        ("digits/7", "seven", "Monday at 7, is that right?"),
        ("digits/1", "one", "You are booked for Monday at 7. Goodbye."),
    ] {
        browser.say(prompt);
        assert_eq!(browser.understood().await, words);
        let said = browser.answered().await;
        assert!(said.starts_with(answer), "{said:?} is not {answer:?}");
    }
    assert_eq!(browser.event("ended").await["reason"], "completed");
}

#[tokio::test]
async fn no_word_is_lost_when_a_stage_dies_while_the_caller_speaks() {
    let server = Setup::embedded().chaos().start();
    let faults = ["error", "panic", "stall"].into_iter();
    for (stage, fault) in faults.flat_map(|fault| [("vad", fault), ("stt", fault)]) {
        let (mut browser, call) = Browser::greeted(&server).await;
        browser.say("digits/day-3");
        let at_work = |event: &serde_json::Value| event["stage"] == "stt" && event["state"] == "working";
        browser.event_where("the middle of the word", at_work).await;
        assert_eq!(server.inject(&call, stage, fault).await, 202);
        assert_eq!(browser.understood().await, "wednesday", "{fault} in {stage}");
    }
}

#[tokio::test]
async fn a_telephone_caller_is_understood() {
    let server = Setup::embedded().start();
    let mut carrier = Carrier::call(&server).await;
    carrier.microphone();
    carrier.answered(&server).await;
    carrier.say("digits/day-5");
    let call = carrier.answered(&server).await;
    assert_eq!(call["transcript"][1]["text"], "friday", "{call}");
}
