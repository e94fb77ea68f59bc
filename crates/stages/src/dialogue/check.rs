//! What is wrong with a dialogue beyond its form: each mistake that a caller would run into.

mod ambiguity;
mod slots;
mod transfers;
mod ways;

use super::diagnostic::Problems;
use super::script::{Action, Choice, Fallback, Pattern, Script, State};
use super::words::listened;
use crate::spoken;

/// Reports everything; `pronounceable` tells whether a recogniser knows a word.
pub(super) fn check(script: &Script, pronounceable: &dyn Fn(&str) -> bool, problems: &mut Problems) {
    ways::check(script, problems);
    slots::check(script, problems);
    transfers::check(script, problems);
    ambiguity::check(script, problems);
    replies(script, problems);
    words(script, pronounceable, problems);
}

/// Everything that a caller does is answered.
fn replies(script: &Script, problems: &mut Problems) {
    script
        .states
        .values()
        .filter(|state| state.listens())
        .for_each(|state| question(script, state, problems));
    script.all_choices().for_each(|choice| reply(choice, problems));
    script.all_fallbacks().for_each(|fallback| last_word(fallback, problems));
}

fn question(script: &Script, state: &State, problems: &mut Problems) {
    if state.prompt.is_empty() {
        problems.report(&state.place.below("prompt"), "missing: the caller would not know what to say");
    }
    if !script.hears_anything(state) && script.no_match(state).is_none() {
        let message =
            "missing: nothing is said to a caller who is not understood; add it here or to the dialogue";
        problems.report(&state.place.below("no_match"), message);
    }
}

fn reply(choice: &Choice, problems: &mut Problems) {
    match (&choice.say, &choice.action) {
        (None, None) => {
            let message = "says nothing and leads nowhere: give it say, goto, repeat, transfer or hang_up";
            problems.report(&choice.place, message);
        }
        (None, Some(Action::HangUp)) => problems.report(&choice.place.below("say"), WORDLESS),
        _ => {}
    }
    if choice.slot.is_some() && choice.patterns.is_empty() && choice.keys.len() < 2 {
        problems.report(&choice.place.below("slot"), "would always keep the same key: use set");
    }
    if choice.slot.is_some() && !choice.patterns.is_empty() && !choice.keys.is_empty() {
        let message =
            "would keep the key where one is pressed, and words where they are said: use set, or two choices";
        problems.report(&choice.place.below("slot"), message);
    }
}

fn last_word(fallback: &Fallback, problems: &mut Problems) {
    let finally = &fallback.finally;
    let ends = matches!(finally.action, None | Some(Action::HangUp));
    if fallback.limit.is_none() && (finally.say.is_some() || finally.action.is_some()) {
        problems.report(&fallback.place.below("finally"), "is never reached: give a limit beside it");
    } else if fallback.limit.is_some() && ends && finally.say.is_none() {
        problems.report(&fallback.place.below("finally.say"), WORDLESS);
    }
}

/// Words that a recogniser listens for.
fn words(script: &Script, pronounceable: &dyn Fn(&str) -> bool, problems: &mut Problems) {
    for (place, word) in listened(script) {
        if !pronounceable(&word) {
            let message = format!("no pronunciation of {word:?} is known, so it cannot be recognised");
            problems.report(place, message);
        }
    }
    for pattern in script.all_choices().flat_map(|choice| &choice.patterns) {
        let Pattern::Phrase(phrase) = pattern else { continue };
        if phrase.text.contains(|c: char| c.is_ascii_digit()) {
            let message =
                format!("write numbers as they are spoken: {:?}", spoken::words(&phrase.text).join(" "));
            problems.report(&phrase.place, message);
        }
    }
}

const WORDLESS: &str = "missing: the caller would be hung up on without a word";
