//! Transfers to what is no number: what a caller says must not become an address.

use crate::dialogue::diagnostic::Problems;
use crate::dialogue::script::{Action, Choice, Pattern, Script};

pub(super) fn check(script: &Script, problems: &mut Problems) {
    for action in script.all_actions() {
        let Action::Transfer(to) = action else { continue };
        for slot in to.slots() {
            for choice in script.all_choices().filter(|choice| keeps_words(choice, slot)) {
                let line = choice.place.line;
                let message =
                    format!("slot {slot:?} may be no number: the choice of line {line} keeps words in it");
                problems.report(&to.place, message);
            }
        }
    }
}

/// What the caller says becomes the slot's value, and is not made of digits.
fn keeps_words(choice: &Choice, slot: &str) -> bool {
    let numeric = |pattern: &Pattern| matches!(pattern, Pattern::Digits(_) | Pattern::Number(_));
    choice.slot.as_deref() == Some(slot) && !choice.patterns.iter().all(numeric)
}
