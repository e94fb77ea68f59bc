//! Slots that would be said before they are known.

use super::ways;
use crate::dialogue::diagnostic::Problems;
use crate::dialogue::script::{Action, Choice, Fallback, Script, State};
use crate::dialogue::template::Template;
use crate::prompt::CALL_SLOTS;
use std::collections::{BTreeMap, BTreeSet};

type Names<'s> = BTreeSet<&'s str>;

pub(super) fn check(script: &Script, problems: &mut Problems) {
    let ever: Names<'_> = script.all_choices().flat_map(Choice::slots).chain(CALL_SLOTS).collect();
    let known = known_on_entry(script);
    for (name, state) in &script.states {
        // A state that cannot be reached is reported as such.
        let Some(known) = known.get(name.as_str()) else { continue };
        for (text, more) in texts(script, state) {
            for slot in text.slots().filter(|slot| !known.contains(slot) && !more.contains(slot)) {
                problems.report(&text.place, explanation(slot, name, &ever));
            }
        }
    }
}

fn explanation(slot: &str, state: &str, ever: &Names<'_>) -> String {
    if ever.contains(slot) {
        format!("slot {slot:?} may not be known yet: some way to state {state:?} does not set it")
    } else {
        format!("slot {slot:?} is never set")
    }
}

/// The slots that every way to a state sets: what all the ways into it have in common, until nothing changes.
fn known_on_entry(script: &Script) -> BTreeMap<&str, Names<'_>> {
    let begin = || Names::from(CALL_SLOTS);
    let mut known: BTreeMap<&str, Names<'_>> =
        ways::beginnings(script).map(|state| (state, begin())).collect();
    let mut ahead: Vec<&str> = known.keys().copied().collect();
    while let Some(name) = ahead.pop() {
        let Some(state) = script.states.get(name) else { continue };
        for (action, choice) in ways::actions(script, state) {
            let Some(target) = ways::target(action) else { continue };
            let mut arriving = known.get(name).cloned().unwrap_or_default();
            arriving.extend(choice.into_iter().flat_map(Choice::slots));
            let before = known.get(target);
            let common = before.map_or_else(|| arriving.clone(), |before| before & &arriving);
            if before != Some(&common) {
                known.insert(target, common);
                ahead.push(target);
            }
        }
    }
    known
}

/// All that may be said in a state, with the slots that are set right before it.
fn texts<'s>(script: &'s Script, state: &'s State) -> Vec<(&'s Template, Names<'s>)> {
    let prompts = [Some(&state.prompt), state.again.as_ref()].into_iter().flatten();
    let mut texts: Vec<_> =
        prompts.chain(transfer(state.action.as_ref())).map(|text| (text, Names::new())).collect();
    if !state.listens() {
        return texts;
    }
    for choice in script.choices(state) {
        let said = choice.say.iter().chain(transfer(choice.action.as_ref()));
        texts.extend(said.map(|text| (text, choice.slots().collect())));
    }
    for fallback in [script.no_match(state), script.no_input(state)].into_iter().flatten() {
        texts.extend(fallback_texts(fallback).map(|text| (text, Names::new())));
    }
    texts
}

fn fallback_texts(fallback: &Fallback) -> impl Iterator<Item = &Template> {
    let finally = &fallback.finally;
    fallback.say.iter().chain(&finally.say).chain(transfer(finally.action.as_ref()))
}

fn transfer(action: Option<&Action>) -> Option<&Template> {
    match action {
        Some(Action::Transfer(to)) => Some(to),
        _ => None,
    }
}
