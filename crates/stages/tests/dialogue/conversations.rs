//! Whole conversations with the dialogues that are shipped, and with the one that the manual shows.

use crate::support::{Caller, one, root, shipped, to};
use ringway_stages::llm::Next;

#[test]
fn an_appointment_is_booked_in_three_answers() {
    let mut caller = Caller::of(shipped(), "booking");
    assert_eq!(caller.joins(), "Welcome to Ringway. I can book you an appointment. What day would you like?");
    assert_eq!(caller.says("monday"), "At what hour on Monday? We are open from one to nine.");
    assert_eq!(caller.says("three"), "Monday at 3, is that right?");
    assert_eq!(caller.says("yes"), "You are booked for Monday at 3. Goodbye.");
    assert_eq!(caller.next, Some(Next::HangUp));
}

#[test]
fn every_recorded_day_and_digit_is_an_answer_at_once() {
    for day in ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] {
        let digits = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        for (digit, said) in (1..).zip(digits) {
            let mut caller = Caller::of(shipped(), "booking");
            caller.joins();
            assert!(caller.completes(&day.to_lowercase()), "{day}");
            caller.says(&day.to_lowercase());
            assert!(caller.completes(said), "{said}");
            assert_eq!(caller.says(said), format!("{day} at {digit}, is that right?"));
            assert!(["yes", "no", "one", "two"].iter().all(|answer| caller.completes(answer)));
            assert_eq!(caller.says("one"), format!("You are booked for {day} at {digit}. Goodbye."));
            assert_eq!(caller.next, Some(Next::HangUp));
        }
    }
}

#[test]
fn a_refused_appointment_is_asked_for_again() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    caller.says("on monday please");
    caller.says("at four");
    assert_eq!(caller.says("no that's wrong"), "Let us try again. What day would you like instead?");
    caller.says("friday");
    assert_eq!(caller.says("5"), "Friday at 5, is that right?");
}

#[test]
fn a_caller_who_is_not_understood_three_times_is_transferred() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    let again =
        "What day would you like? Say a day of the week, or press one for Monday up to seven for Sunday.";
    assert_eq!(caller.says("uh the weather"), format!("Sorry, I did not get that. {again}"));
    assert_eq!(caller.says(""), format!("Sorry, I still did not get that. {again}"));
    assert_eq!(caller.says("what"), "I connect you to a colleague.");
    assert_eq!(caller.next, Some(Next::Transfer(to("+15550100"))));
}

#[test]
fn an_understood_answer_forgives_misunderstood_ones() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    caller.says("what");
    caller.says("what");
    caller.says("monday");
    assert!(caller.says("what").starts_with("Sorry, I did not get that."));
}

#[test]
fn silence_is_prompted_once_and_then_ends_the_call() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    assert!(caller.is_silent(1).starts_with("Are you still there? What day"));
    assert!(caller.completes("monday"));
    assert_eq!(caller.is_silent(2), "Please call again. Goodbye.");
    assert_eq!(caller.next, Some(Next::HangUp));
}

#[test]
fn an_appointment_is_booked_by_keys_alone() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    assert_eq!(caller.keys(), Some(1));
    assert!(caller.presses("*").starts_with("What day would you like?"));
    caller.presses("7");
    assert_eq!(caller.keys(), Some(1));
    assert_eq!(caller.presses("9"), "Sunday at 9, is that right?");
    assert_eq!(caller.presses("2"), "Let us try again. What day would you like instead?");
    caller.presses("1");
    assert_eq!(caller.presses("8"), "Monday at 8, is that right?");
    assert_eq!(caller.presses("1"), "You are booked for Monday at 8. Goodbye.");
    assert_eq!(caller.next, Some(Next::HangUp));
}

#[test]
fn an_operator_is_there_in_every_state() {
    for answers in [&[][..], &["monday"], &["monday", "four"]] {
        for by_key in [true, false] {
            let mut caller = Caller::of(shipped(), "booking");
            caller.joins();
            answers.iter().for_each(|answer| drop(caller.says(answer)));
            let reply = if by_key { caller.presses("0") } else { caller.says("I want a human, please") };
            assert_eq!(reply, "I connect you to a colleague.");
            assert_eq!(caller.next, Some(Next::Transfer(to("+15550100"))));
        }
    }
}

#[test]
fn a_word_spoken_into_the_goodbye_changes_nothing() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    let [_, _, booked] = ["monday", "three", "yes"].map(|said| caller.says(said));
    for said in ["thanks", "operator", ""] {
        assert_eq!(caller.says(said), booked);
        assert_eq!(caller.next, Some(Next::HangUp));
    }
}

#[test]
fn an_hour_out_of_range_is_not_understood() {
    let mut caller = Caller::of(shipped(), "booking");
    caller.joins();
    caller.says("monday");
    assert!(caller.says("ten").starts_with("Sorry"));
    assert!(caller.presses("11").starts_with("Sorry"));
}

#[test]
fn the_echo_says_back_what_it_heard_until_it_is_stopped() {
    for word in ["goodbye", "stop"] {
        let mut caller = Caller::of(shipped(), "echo");
        assert_eq!(caller.joins(), "Say something, and I say it back.");
        assert_eq!(caller.says("the quick brown fox"), "You said the quick brown fox.");
        assert_eq!(
            caller.says(&format!("how do you say {word}")),
            format!("You said how do you say {word}.")
        );
        assert_eq!(caller.presses("5"), "You pressed 5.");
        assert_eq!(caller.says(""), "I did not understand a word. I am listening.");
        assert_eq!(caller.is_silent(1), "I am listening.");
        assert!(caller.completes(word) && !caller.completes("the quick brown fox"));
        assert_eq!(caller.says(word), "Goodbye.");
        assert_eq!(caller.next, Some(Next::HangUp));
    }
}

#[test]
fn the_manuals_example_holds_the_conversation_that_it_shows() {
    let manual = std::fs::read_to_string(root().join("docs/start/dialogue.md")).unwrap();
    let block = |fence: &str| manual.split_once(fence).unwrap().1.split_once("\n```").unwrap().0;
    let dialogues = one(block("```toml\n"));
    let mut caller = Caller::of(&dialogues, "test");
    let mut reply = caller.joins();
    let mut replies = 0;
    for line in block("conversation:\n\n```\n").lines() {
        match line.split_once(':').unwrap() {
            ("caller", said) => reply = caller.says(said.trim()),
            (_, said) => {
                assert_eq!(reply, said.trim());
                replies += 1;
            }
        }
    }
    assert_eq!(replies, 6);
    assert_eq!(caller.next, Some(Next::HangUp));
}
