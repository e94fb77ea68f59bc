//! Small dialogues that show one rule each.

use crate::support::{Caller, drain, one, request, to};
use ringway_stages::dialogue::Dialogues;
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, Next};
use ringway_stages::prompt::Variables;
use ringway_stages::transfer;
use std::sync::Arc;

/// A menu of two departments that repeats what it understood.
fn menu() -> Dialogues {
    one(r#"
        start = "menu"
        no_match.say = "Sorry?"
        [state.menu]
        prompt = "Sales or support?"
        again = "Which?"
        [[state.menu.choice]]
        phrases = ["sales", "the sales department"]
        slot = "said"
        say = "You want {said}."
        [[state.menu.choice]]
        phrases = ["support"]
        say = "Support."
        [[state.menu.choice]]
        answer = "no"
        say = "No."
        hang_up = true
        [[state.menu.choice]]
        answer = "yes"
        say = "Yes."
        repeat = true
        [[everywhere]]
        phrases = ["help", "sales help"]
        say = "Help."
        "#)
}

#[test]
fn digits_and_times_are_kept_and_said_digit_by_digit() {
    let dialogues = one(r#"
        start = "pin"
        no_match.say = "Sorry?"
        [state.pin]
        prompt = "Your pin?"
        [[state.pin.choice]]
        digits = "4"
        slot = "pin"
        goto = "time"
        [state.time]
        prompt = "Pin {pin:digits}. When?"
        [[state.time.choice]]
        answer = "time"
        slot = "time"
        say = "At {time}."
        hang_up = true
        "#);
    let mut caller = Caller::of(&dialogues, "test");
    caller.joins();
    assert_eq!(caller.keys(), Some(4));
    assert_eq!(caller.says("one two"), "Sorry? Your pin?");
    assert_eq!(caller.says("it is double two oh five"), "Pin 2 2 0 5. When?");
    assert_eq!(caller.says("let's say ten thirty"), "At 10:30.");
    caller.joins();
    assert_eq!(caller.presses("0042"), "Pin 0 0 4 2. When?");
    assert_eq!(caller.keys(), Some(4));
    assert_eq!(caller.presses("1715"), "At 17:15.");
}

#[test]
fn the_best_find_wins() {
    let menu = menu();
    for (said, reply) in [
        ("sales", "You want sales."),
        ("um, sales please", "You want sales."),
        ("can i talk to the sales department", "You want the sales department."),
        ("sales no sorry support", "Support."),
        ("not sales but support", "Support."),
        ("not sales", "Sorry? Which?"),
        ("i need help", "Help."),
        ("i need sales help", "Help."),
        ("yes", "Yes. Which?"),
        ("yeah sure", "Yes. Which?"),
        ("not really", "No."),
        ("yes no", "Sorry? Which?"),
        ("the weather", "Sorry? Which?"),
        ("", "Sorry? Which?"),
        ("...", "Sorry? Which?"),
    ] {
        let mut caller = Caller::of(&menu, "test");
        caller.joins();
        assert_eq!(caller.says(said), reply, "{said:?}");
    }
}

#[test]
fn a_number_that_sounds_like_another_word_is_understood_when_it_is_alone() {
    let hour = one(r#"
        start = "hour"
        no_match.say = "Sorry?"
        [state.hour]
        prompt = "Hour?"
        [[state.hour.choice]]
        number = "1..31"
        slot = "hour"
        say = "{hour}."
        "#);
    for (said, reply) in [
        ("to", "2."),
        ("For.", "4."),
        ("ate", "8."),
        ("for to", "Sorry? Hour?"),
        ("the twenty first", "21."),
        ("twenty one", "21."),
        ("thirty two", "Sorry? Hour?"),
        ("one, no, two", "2."),
    ] {
        let mut caller = Caller::of(&hour, "test");
        caller.joins();
        assert_eq!(caller.says(said), reply, "{said:?}");
    }
}

#[test]
fn a_state_has_its_own_fallbacks_and_may_lead_on() {
    let dialogues = one(r#"
        start = "a"
        no_match.say = ["Sorry?", "Still sorry."]
        [state.a]
        prompt = "A?"
        no_match = { limit = 1, finally = { say = "Never mind.", goto = "b" } }
        no_input = { limit = 1, finally = { goto = "b" } }
        [[state.a.choice]]
        keys = ["1"]
        transfer = "sip:desk@example.com"
        [state.b]
        prompt = "B."
        goto = "c"
        [state.c]
        prompt = "C?"
        [[state.c.choice]]
        keys = ["1"]
        say = "One."
        "#);
    let mut caller = Caller::of(&dialogues, "test");
    assert_eq!(caller.joins(), "A?");
    assert_eq!(caller.says("what"), "Never mind. B. C?");
    assert_eq!(caller.says("what"), "Sorry? C?");
    assert_eq!(caller.says("what"), "Still sorry. C?");
    assert_eq!(caller.presses("1"), "One.");
    assert_eq!(caller.says("what"), "Sorry? C?", "what was understood forgives what was not");
    caller.joins();
    assert_eq!(caller.is_silent(1), "B. C?");
    assert_eq!(caller.is_silent(1), "C?", "a dialogue that says nothing of silence asks again");
    assert_eq!(caller.presses("1"), "One.");
    assert!(matches!(caller.next, Some(Next::Listen(_))));
    caller.joins();
    assert_eq!(caller.presses("1"), "");
    assert_eq!(caller.next, Some(Next::Transfer(to("sip:desk@example.com"))));
}

#[test]
fn what_a_dialogue_expects_is_what_it_understands() {
    let menu = menu();
    let mut caller = Caller::of(&menu, "test");
    caller.joins();
    let Some(Next::Listen(expectation)) = caller.next.clone() else { panic!("it hangs up") };
    assert!(!expectation.open && expectation.digits.is_none() && expectation.keys().is_none());
    for phrase in &expectation.phrases {
        let mut caller = Caller::of(&menu, "test");
        caller.joins();
        assert!(!caller.says(phrase).starts_with("Sorry"), "{phrase}");
    }
    assert!(!expectation.completes("sales"), "help may follow");
    assert!(expectation.completes("sales help") && expectation.completes("support"));
}

#[test]
fn a_states_own_choice_counts_before_that_of_everywhere() {
    let dialogues = one(r#"
        start = "a"
        no_match.say = "Sorry?"
        [state.a]
        prompt = "A?"
        [[state.a.choice]]
        phrases = ["sales"]
        keys = ["1"]
        say = "Here."
        [[everywhere]]
        phrases = ["sales", "support"]
        keys = ["1", "2"]
        say = "Everywhere."
        "#);
    let mut caller = Caller::of(&dialogues, "test");
    caller.joins();
    assert_eq!((caller.says("sales"), caller.presses("1")), ("Here.".to_owned(), "Here.".to_owned()));
    assert_eq!(caller.says("support or sales"), "Here.");
    assert_eq!(
        (caller.says("support"), caller.presses("2")),
        ("Everywhere.".to_owned(), "Everywhere.".to_owned())
    );
}

/// A menu of extensions: two digits from 47 on, which the operator lists.
fn switchboard() -> Dialogues {
    let dialogues = one(r#"
        start = "menu"
        machine = "message"
        no_match.say = "Sorry?"
        [state.menu]
        prompt = "Hello {caller}. Which extension?"
        [[state.menu.choice]]
        digits = "2..8"
        slot = "extension"
        say = "I connect you."
        transfer = "{extension}"
        [state.message]
        prompt = "Please call us back at {called}."
        hang_up = true
        "#);
    let config = transfer::Config { allow: vec!["47xx".into()], ..transfer::Config::default() };
    dialogues.with_transfers(Arc::new(transfer::Transfers::new(&config).unwrap())).unwrap()
}

#[test]
fn a_caller_is_connected_to_a_number_that_is_listed_and_to_no_other() {
    let switchboard = switchboard();
    let mut caller = Caller::of(&switchboard, "test");
    caller.joins();
    assert_eq!(caller.presses("1900"), "Sorry? Hello . Which extension?");
    assert_eq!(caller.presses("90012345"), "Sorry? Hello . Which extension?");
    assert_eq!(caller.presses("4711"), "I connect you.");
    assert_eq!(caller.next, Some(Next::Transfer(to("4711"))));
}

#[test]
fn a_dialogue_knows_who_is_on_the_line_and_what_it_says_to_a_machine() {
    let switchboard = switchboard();
    let begins = |answered_by: Option<&str>| {
        let variables = Variables {
            caller: Some("+431".into()),
            called: Some("+432".into()),
            answered_by: answered_by.map(str::to_owned),
            ..Variables::default()
        };
        let call = LlmCall { variables: Arc::new(variables), ..LlmCall::default() };
        let mut session = switchboard.open(call).unwrap();
        session.reply(request(1, Cue::Joined, "")).unwrap();
        drain(&mut *session).0
    };
    assert_eq!(begins(Some("human")), "Hello +431. Which extension?");
    assert_eq!(begins(None), "Hello +431. Which extension?");
    for machine in ["machine_start", "machine_end_beep", "fax"] {
        assert_eq!(begins(Some(machine)), "Please call us back at +432.", "{machine}");
    }
}
