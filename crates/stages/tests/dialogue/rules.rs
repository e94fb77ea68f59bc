//! Small dialogues that show one rule each.

use crate::support::{Caller, one};
use ringway_stages::llm::Next;

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
}
