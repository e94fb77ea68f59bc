//! Where the states lead: to nowhere, in circles, or past some of them.

use crate::dialogue::diagnostic::{Place, Problems};
use crate::dialogue::script::{Action, Choice, Script, State};
use std::collections::BTreeSet;

pub(super) fn check(script: &Script, problems: &mut Problems) {
    if !script.start.is_empty() && !script.states.contains_key(&script.start) {
        let message = format!("there is no state {:?}{}", script.start, nearest(script, &script.start));
        problems.report(&Place { line: 1, key: "start".to_owned() }, message);
    }
    if let Some((place, machine)) = &script.machine
        && !script.states.contains_key(machine)
    {
        problems.report(place, format!("there is no state {machine:?}{}", nearest(script, machine)));
    }
    gotos(script, problems);
    unreachable(script, problems);
    for (name, state) in &script.states {
        ends(script, name, state, problems);
    }
}

/// What a state may lead to by way of its choices, fallbacks, or at once, and the slots set on the way.
pub(super) fn actions<'s>(script: &'s Script, state: &'s State) -> Vec<(&'s Action, Option<&'s Choice>)> {
    let choices: Vec<&Choice> = if state.listens() { script.choices(state).collect() } else { Vec::new() };
    let chosen = choices.into_iter().filter_map(|choice| Some((choice.action.as_ref()?, Some(choice))));
    let listens = state.listens();
    let fallbacks =
        [script.no_match(state), script.no_input(state)].into_iter().flatten().filter(|_| listens);
    let finals = fallbacks.filter_map(|fallback| Some((fallback.finally.action.as_ref()?, None)));
    chosen.chain(finals).chain(state.action.iter().map(|action| (action, None))).collect()
}

/// The states that a call may begin in.
pub(super) fn beginnings(script: &Script) -> impl Iterator<Item = &str> {
    std::iter::once(script.start.as_str()).chain(script.machine.iter().map(|(_, state)| state.as_str()))
}

fn gotos(script: &Script, problems: &mut Problems) {
    for action in script.all_actions() {
        let Action::Goto { place, state } = action else { continue };
        if !script.states.contains_key(state) {
            problems.report(place, format!("there is no state {state:?}{}", nearest(script, state)));
        }
    }
}

fn unreachable(script: &Script, problems: &mut Problems) {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = beginnings(script).collect();
    while let Some(name) = ahead.pop() {
        let Some(state) = script.states.get(name).filter(|_| reached.insert(name)) else { continue };
        ahead.extend(actions(script, state).into_iter().filter_map(|(action, _)| target(action)));
    }
    for (name, state) in script.states.iter().filter(|(name, _)| !reached.contains(name.as_str())) {
        problems.report(&state.place, format!("no way leads to state {name:?}"));
    }
}

fn ends(script: &Script, name: &str, state: &State, problems: &mut Problems) {
    match &state.action {
        None if !state.listens() => {
            let message = "dead end: it hears nothing; give it a choice, goto, transfer or hang_up";
            problems.report(&state.place, message);
        }
        Some(_) if state.listens() => {
            let message = "waits for an answer, so only its choices can have goto, transfer and hang_up";
            problems.report(&state.place, message);
        }
        Some(_) if goes_in_circles(script, name) => {
            problems.report(&state.place, "goes round in a circle without ever listening to the caller");
        }
        _ => {}
    }
}

/// From here on no state listens, and the call does not end.
fn goes_in_circles(script: &Script, start: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut name = start;
    while seen.insert(name) {
        let Some(state) = script.states.get(name).filter(|state| !state.listens()) else { return false };
        let Some(next) = state.action.as_ref().and_then(target) else { return false };
        name = next;
    }
    true
}

/// The state that the action leads to.
pub(super) fn target(action: &Action) -> Option<&str> {
    match action {
        Action::Goto { state, .. } => Some(state),
        Action::Repeat | Action::Transfer(_) | Action::HangUp => None,
    }
}

fn nearest(script: &Script, wanted: &str) -> String {
    let known: Vec<&str> = script.states.keys().map(String::as_str).collect();
    match known.iter().find(|name| name.eq_ignore_ascii_case(wanted.trim())) {
        Some(name) => format!("; is {name:?} meant?"),
        None => format!("; there are: {}", known.join(", ")),
    }
}
