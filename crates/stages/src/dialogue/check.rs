//! What is wrong with a dialogue beyond its form: each mistake that a caller would run into.

mod ambiguity;
mod slots;
mod ways;

use super::diagnostic::Problems;
use super::script::{Choice, Fallback, Pattern, Script, State};
use crate::spoken;

/// Reports everything; `pronounceable` tells whether a recogniser knows a word.
pub(super) fn check(script: &Script, pronounceable: &dyn Fn(&str) -> bool, problems: &mut Problems) {
    ways::check(script, problems);
    slots::check(script, problems);
    ambiguity::check(script, problems);
    replies(script, problems);
    words(script, pronounceable, problems);
}

/// Everything that a caller does is answered.
fn replies(script: &Script, problems: &mut Problems) {
    for state in script.states.values() {
        if state.listens() && state.prompt.is_empty() {
            problems.report(&state.place.below("prompt"), "missing: the caller would not know what to say");
        }
        if state.listens() && !state.hears_anything() && script.no_match(state).is_none() {
            let message = "missing: nothing is said to a caller who is not understood; add it here or to the dialogue";
            problems.report(&state.place.below("no_match"), message);
        }
        state.choices.iter().for_each(|choice| reply(choice, problems));
        fallbacks([&state.no_match, &state.no_input], problems);
    }
    script.everywhere.iter().for_each(|choice| reply(choice, problems));
    fallbacks([&script.no_match, &script.no_input], problems);
}

fn reply(choice: &Choice, problems: &mut Problems) {
    if choice.say.is_none() && choice.action.is_none() {
        let message = "says nothing and leads nowhere: give it say, goto, repeat, transfer or hang_up";
        problems.report(&choice.place, message);
    }
    if choice.slot.is_some() && choice.patterns.is_empty() && choice.keys.len() < 2 {
        problems.report(&choice.place.below("slot"), "would always keep the same key: use set");
    }
}

fn fallbacks(fallbacks: [&Option<Fallback>; 2], problems: &mut Problems) {
    for fallback in fallbacks.into_iter().flatten() {
        let finally = &fallback.finally;
        if fallback.limit.is_none() && (finally.say.is_some() || finally.action.is_some()) {
            let place = finally.say.as_ref().or(fallback.say.first()).map(|text| text.place.clone());
            problems.report(&place.unwrap_or_default(), "finally is never reached: give a limit beside it");
        }
    }
}

/// Words that a recogniser listens for.
fn words(script: &Script, pronounceable: &dyn Fn(&str) -> bool, problems: &mut Problems) {
    let choices = script.states.values().flat_map(|state: &State| &state.choices).chain(&script.everywhere);
    for pattern in choices.flat_map(|choice| &choice.patterns) {
        let Pattern::Phrase(phrase) = pattern else { continue };
        let written = phrase.text.split(' ').filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
        for word in written.filter(|word| !pronounceable(word)) {
            let message = format!("no pronunciation of {word:?} is known, so it cannot be recognised");
            problems.report(&phrase.place, message);
        }
        if phrase.text.split(' ').any(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            let message = format!("write numbers as they are spoken: {:?}", spoken::words(&phrase.text).join(" "));
            problems.report(&phrase.place, message);
        }
    }
}
