//! Answers that two choices of one state lay claim to.

use crate::dialogue::diagnostic::Problems;
use crate::dialogue::matching;
use crate::dialogue::script::{Choice, Pattern, Script};

pub(super) fn check(script: &Script, problems: &mut Problems) {
    let lists = script.states.values().map(|state| &state.choices).chain([&script.everywhere]);
    for choices in lists {
        for (index, choice) in choices.iter().enumerate() {
            for earlier in &choices[..index] {
                compare(earlier, choice, problems);
            }
        }
    }
}

/// Reports the first answer that both understand.
fn compare(earlier: &Choice, choice: &Choice, problems: &mut Problems) {
    let line = earlier.place.line;
    let both_said =
        |text: &String| matching::is_whole_answer(earlier, text) && matching::is_whole_answer(choice, text);
    if let Some(text) = said(choice).chain(said(earlier)).find(both_said) {
        problems
            .report(&choice.place, format!("ambiguous: the choice of line {line} answers to {text:?} too"));
    }
    let both_keyed =
        |keys: &String| matching::keyed(earlier, keys).is_some() && matching::keyed(choice, keys).is_some();
    if let Some(keys) = keyed(choice).chain(keyed(earlier)).find(both_keyed) {
        problems.report(
            &choice.place,
            format!("ambiguous: the choice of line {line} answers to keys {keys} too"),
        );
    }
    let anything = |choice: &Choice| choice.patterns.contains(&Pattern::Anything);
    if anything(earlier) && anything(choice) {
        problems
            .report(&choice.place, format!("ambiguous: the choice of line {line} answers to anything too"));
    }
}

/// Examples of all that the choice's patterns understand.
fn said(choice: &Choice) -> impl Iterator<Item = String> {
    choice.patterns.iter().flat_map(|pattern| match pattern {
        Pattern::Digits(count) => {
            count.clone().map(|count| vec!["one"; usize::from(count)].join(" ")).collect()
        }
        _ => matching::phrases(pattern),
    })
}

fn keyed(choice: &Choice) -> impl Iterator<Item = String> {
    let of_patterns = choice.patterns.iter().flat_map(|pattern| match pattern {
        Pattern::Digits(count) => count.clone().map(|count| "1".repeat(usize::from(count))).collect(),
        Pattern::Number(range) => range.clone().map(|number| number.to_string()).collect(),
        Pattern::Day => (1..=7).map(|day| day.to_string()).collect(),
        Pattern::Time => vec!["111".to_owned(), "1111".to_owned()],
        _ => Vec::new(),
    });
    choice.keys.iter().cloned().chain(of_patterns)
}
