//! What a model is told of a call, before it is put into a service's own form.

use super::digest;
use crate::llm::{Cue, LlmRequest, Role, Round, Task, Weigh};
use std::borrow::Cow;

/// One thing that a model is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line<'r> {
    /// What it is to be and do.
    System(&'r str),
    /// The caller said or did it.
    User(Cow<'r, str>),
    /// The model said it, and it was heard.
    Assistant(&'r str),
    /// The model called tools.
    Round(&'r Round),
}

/// All of it, in its order.
pub(super) fn lines<'r>(system: &'r str, request: &'r LlmRequest) -> Vec<Line<'r>> {
    let mut lines = Vec::with_capacity(request.history.len() + request.rounds.len() + 4);
    if !system.is_empty() {
        lines.push(Line::System(system));
    }
    if request.task == Task::Summary {
        lines.push(Line::User(digest::transcript(request).into()));
        return lines;
    }
    if !request.summary.is_empty() {
        lines.push(Line::User(format!("[What was said before, in short: {}]", request.summary).into()));
    }
    let rounds = |after: usize| request.rounds.iter().filter(move |round| round.after == after);
    for (index, said) in request.history.iter().enumerate() {
        lines.extend(rounds(index).map(Line::Round));
        lines.push(match said.role {
            Role::User => Line::User(said.text.as_str().into()),
            Role::Assistant => Line::Assistant(&said.text),
        });
    }
    let cued = request.history.len();
    lines.extend(rounds(cued).map(Line::Round));
    lines.push(Line::User(cue(&request.cue)));
    lines.extend(request.rounds.iter().filter(|round| round.after > cued).map(Line::Round));
    if !request.already.is_empty() {
        lines.push(Line::Assistant(&request.already));
        lines.push(Line::User(GO_ON.into()));
    }
    lines
}

/// Tokens of lines, as they are weighed.
pub(super) fn weigh(lines: &[Line<'_>], weigh: Weigh) -> u32 {
    let tokens = |line: &Line<'_>| match line {
        Line::System(text) | Line::Assistant(text) => (weigh.text)(text),
        Line::User(text) => (weigh.text)(text),
        Line::Round(Round { text, calls, .. }) => {
            let called = calls.iter().map(|called| {
                let texts = [&called.call.name, &called.call.arguments, &called.result];
                texts.into_iter().map(|text| (weigh.text)(text)).sum::<u32>() + weigh.around
            });
            (weigh.text)(text) + called.sum::<u32>()
        }
    };
    lines.iter().map(|line| tokens(line).saturating_add(weigh.around)).fold(0, u32::saturating_add)
}

/// What the caller did, in words; what was not said stands in brackets.
fn cue(cue: &Cue) -> Cow<'_, str> {
    match cue {
        Cue::Joined => "[The caller has just come on the line. Greet them.]".into(),
        Cue::Said(text) if text.is_empty() => "[The caller said something that was not understood.]".into(),
        Cue::Said(text) => text.as_str().into(),
        Cue::Pressed(keys) => format!("[The caller pressed these keys: {keys}]").into(),
        Cue::Silent(1) => "[The caller says nothing. Ask whether they are still there.]".into(),
        Cue::Silent(_) => "[The caller still says nothing. Ask once more whether they are there.]".into(),
        Cue::Nothing => "[Nothing new was said. Reply to what was said before.]".into(),
    }
}

pub(super) const GO_ON: &str =
    "[You were cut off. Go on with exactly the words that follow, without repeating any.]";

/// The greeting, if that is all that is wanted: what is left of it behind what was said already.
pub(super) fn greeting(greeting: &str, request: &LlmRequest) -> Option<String> {
    let wanted = request.cue == Cue::Joined && !greeting.is_empty();
    wanted.then(|| greeting.strip_prefix(&request.already).unwrap_or(greeting).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Said;

    fn round(after: usize) -> Round {
        Round { after, text: String::new(), calls: Vec::new() }
    }

    #[test]
    fn what_tools_said_stands_where_they_were_called() {
        let said = |role, text: &str| Said { role, text: text.into() };
        let history = vec![said(Role::Assistant, "Hello."), said(Role::User, "my order")];
        let mut request = LlmRequest { history, ..LlmRequest::new(1, Cue::Said("and now".into())) };
        request.rounds = vec![round(1), round(2), round(3)];
        let lines = lines("Be brief.", &request);
        assert_eq!(
            lines,
            [
                Line::System("Be brief."),
                Line::Assistant("Hello."),
                Line::Round(&round(1)),
                Line::User("my order".into()),
                Line::Round(&round(2)),
                Line::User("and now".into()),
                Line::Round(&round(3)),
            ]
        );
    }

    #[test]
    fn a_reply_that_was_begun_is_gone_on_with_behind_its_tools() {
        let mut request = LlmRequest::new(1, Cue::Pressed("12".into()));
        (request.already, request.rounds) = ("It is".into(), vec![round(1)]);
        let pressed = Line::User("[The caller pressed these keys: 12]".into());
        let expected = [pressed, Line::Round(&round(1)), Line::Assistant("It is"), Line::User(GO_ON.into())];
        assert_eq!(lines("", &request), expected);
    }
}
