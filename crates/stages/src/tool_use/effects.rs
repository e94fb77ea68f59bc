use super::Slots;
use super::anchor::Anchor;
use crate::llm::{Called, LlmRequest, Round, ToolCall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What tools did in one call and no memo holds yet, and the call's slots; its clones are one.
///
/// A reply that is broken off leaves no memo, and neither does a session that dies: what was done was done all the same,
/// and must neither be forgotten nor done again. A call that a model makes once more for the same turn is therefore the
/// same call: it is joined to the one that runs, or has its result.
#[derive(Clone, Debug, Default)]
pub struct ToolEffects(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    journal: Mutex<Journal>,
    /// A call has come to its end.
    ended: Notify,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Journal {
    /// Calls so far.
    calls: u32,
    rounds: Vec<ToolRound>,
    /// Those that a memo of one service or another holds.
    accepted: BTreeSet<u32>,
    /// Those whose turn is over: what is called again is done again.
    closed: BTreeSet<u32>,
    slots: Slots,
}

/// What tools did in a call until now, to be kept while the call goes elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptEffects(Journal);

/// What a model is told of a tool that ran when its call went elsewhere.
const UNKNOWN: &str = "The call went on elsewhere while this ran: whether it was done is not known.";

/// Calls that a model asked for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolRound {
    id: u32,
    anchor: Anchor,
    calls: Vec<RecordedCall>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedCall {
    call: ToolCall,
    /// Its result, and whether that is an error.
    said: Option<(String, bool)>,
    /// By which it is known again.
    #[serde(skip)]
    key: Option<String>,
    /// The call that does it, if that is an earlier one.
    #[serde(skip)]
    joins: Option<Place>,
    /// It failed for certain: nothing was done.
    #[serde(skip)]
    undone: bool,
}

/// A call that has begun.
#[derive(Debug)]
pub struct StartedCall {
    /// Where its result goes.
    pub place: Place,
    /// With an id of our own.
    pub call: ToolCall,
    /// The call that does the same.
    pub joins: Option<Place>,
}

/// One call of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of its round in the call.
    pub round: u32,
    at: usize,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// What the model is told.
    pub text: String,
    /// It is an error.
    pub failed: bool,
    /// It failed for certain: nothing was done, and the same may be tried again.
    pub undone: bool,
}

impl ToolEffects {
    /// What tools did until now.
    pub fn keep(&self) -> KeptEffects {
        KeptEffects(self.journal().clone())
    }

    /// Goes on where that was kept; of tools that ran then nobody knows any more how they ended.
    pub fn of(KeptEffects(mut journal): KeptEffects) -> Self {
        for (_, recorded) in journal.recorded() {
            recorded.said.get_or_insert_with(|| (UNKNOWN.to_owned(), true));
        }
        Self(Arc::new(Shared { journal: Mutex::new(journal), ended: Notify::new() }))
    }

    /// Calls are made, with ids of our own: those of the services repeat themselves. Calls with keys are joined to those
    /// that have done the same for this turn, or do.
    pub fn begin(&self, request: &LlmRequest, calls: Vec<(ToolCall, Option<String>)>) -> Vec<StartedCall> {
        let mut journal = self.journal();
        let round = journal.calls;
        journal.keep(ToolRound { id: round, anchor: Anchor::of(request), calls: Vec::new() });
        calls.into_iter().enumerate().map(|(at, keyed)| journal.begin(Place { round, at }, keyed)).collect()
    }

    /// A call has come to its end, and with it those that joined it; the first end counts.
    pub fn end(&self, place: Place, result: &ToolResult) {
        let told = (result.text.clone(), result.failed);
        for recorded in self
            .journal()
            .recorded()
            .filter_map(|(at, recorded)| (at == place || recorded.joins == Some(place)).then_some(recorded))
        {
            if recorded.said.is_none() {
                (recorded.said, recorded.undone) = (Some(told.clone()), result.undone);
            }
        }
        self.0.ended.notify_waiters();
    }

    /// What a call said at its end, and whether that is an error; nothing when it is not remembered any more.
    pub async fn wait(&self, place: Place) -> Option<(String, bool)> {
        loop {
            let ended = self.0.ended.notified();
            match self.said(place) {
                None if self.remembers(place) => ended.await,
                said => return said,
            }
        }
    }

    /// A memo holds these. Each service has a memo of its own, so that others are still told.
    pub fn accept(&self, held: &[ToolRound]) {
        self.journal().accepted.extend(held.iter().map(|round| round.id));
        self.close(held.iter().map(|round| round.id));
    }

    /// Their turn is over.
    pub fn close(&self, rounds: impl IntoIterator<Item = u32>) {
        let mut journal = self.journal();
        journal.closed.extend(rounds);
        let Journal { rounds, closed, .. } = &mut *journal;
        rounds.iter_mut().filter(|round| closed.contains(&round.id)).for_each(ToolRound::forget_provided);
    }

    fn remembers(&self, place: Place) -> bool {
        self.journal().rounds.iter().any(|round| round.id == place.round)
    }

    /// What this memo holds and those of other services, in order.
    pub fn with_accepted(&self, held: &[ToolRound]) -> Vec<ToolRound> {
        let journal = self.journal();
        let elsewhere = |round: &&ToolRound| {
            journal.accepted.contains(&round.id) && held.iter().all(|held| held.id != round.id)
        };
        let mut rounds: Vec<ToolRound> =
            held.iter().chain(journal.rounds.iter().filter(elsewhere)).cloned().collect();
        rounds.sort_by_key(|round| round.id);
        rounds
    }

    /// Those that no memo holds.
    pub fn unheld(&self) -> Vec<ToolRound> {
        let journal = self.journal();
        journal.rounds.iter().filter(|round| !journal.accepted.contains(&round.id)).cloned().collect()
    }

    /// All that are remembered.
    pub fn all(&self) -> Vec<ToolRound> {
        self.journal().rounds.clone()
    }

    /// What a call said, and whether that is an error; nothing while it runs.
    pub fn said(&self, place: Place) -> Option<(String, bool)> {
        let journal = self.journal();
        let round = journal.rounds.iter().find(|round| round.id == place.round)?;
        round.calls.get(place.at)?.said.clone()
    }

    /// What the call has made of itself.
    pub fn slots(&self) -> Slots {
        self.journal().slots.clone()
    }

    /// Notes it.
    pub fn set_slot(&self, name: String, value: String) {
        self.journal().slots.insert(name, value);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// One more call of the round that was kept last.
    fn begin(&mut self, place: Place, (call, key): (ToolCall, Option<String>)) -> StartedCall {
        self.calls += 1;
        let call = ToolCall { id: format!("call{:05}", self.calls % 100_000), ..call };
        let first = key.as_ref().and_then(|key| self.same(key));
        let (joins, said) = first.map_or((None, None), |(first, said)| (Some(first), said));
        if let Some(round) = self.rounds.last_mut() {
            round.calls.push(RecordedCall { call: call.clone(), said, key, joins, undone: false });
        }
        StartedCall { place, call, joins }
    }

    /// The call that has done this for the same turn, or does, and its result.
    fn same(&mut self, key: &str) -> Option<(Place, Option<(String, bool)>)> {
        let closed = self.closed.clone();
        let same = |(place, recorded): &(Place, &mut RecordedCall)| {
            let of_this_turn = !closed.contains(&place.round);
            of_this_turn
                && recorded.joins.is_none()
                && !recorded.undone
                && recorded.key.as_deref() == Some(key)
        };
        self.recorded().filter(same).last().map(|(place, recorded)| (place, recorded.said.clone()))
    }

    fn recorded(&mut self) -> impl Iterator<Item = (Place, &mut RecordedCall)> {
        self.rounds.iter_mut().flat_map(|round| {
            let id = round.id;
            round.calls.iter_mut().enumerate().map(move |(at, recorded)| (Place { round: id, at }, recorded))
        })
    }

    fn keep(&mut self, round: ToolRound) {
        if self.rounds.len() >= MOST_ROUNDS {
            let oldest = self.rounds.remove(0);
            self.accepted.remove(&oldest.id);
            self.closed.remove(&oldest.id);
        }
        self.rounds.push(round);
    }
}

impl ToolRound {
    /// Its number in the call.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// All of its calls have come to an end.
    pub fn is_done(&self) -> bool {
        self.calls.iter().all(|recorded| recorded.said.is_some())
    }

    /// What providers want back is for the turn in which they gave it.
    fn told(&self, after: usize, of_this_turn: bool) -> Round {
        let mut calls = self.called();
        if !of_this_turn {
            calls.iter_mut().for_each(|called| called.call.provided = None);
        }
        Round { after, text: String::new(), calls }
    }

    /// Its turn is over: what providers want back is of no use any more.
    pub fn forget_provided(&mut self) {
        self.calls.iter_mut().for_each(|recorded| recorded.call.provided = None);
    }

    /// Its calls with what came of them until now.
    pub fn called(&self) -> Vec<Called> {
        let called = |RecordedCall { call, said, .. }: &RecordedCall| {
            let (result, failed) = said.clone().unwrap_or_else(|| (STILL_RUNNING.into(), false));
            Called { call: call.clone(), result, failed }
        };
        self.calls.iter().map(called).collect()
    }
}

/// The rounds of a request's conversation. What was done where the conversation is forgotten is forgotten too; what no
/// memo holds stands before the cue, if its place is not found.
pub fn rounds(request: &LlmRequest, held: &[ToolRound], unheld: &[ToolRound]) -> Vec<Round> {
    let (mut below, mut rounds) = (usize::MAX, Vec::new());
    let fallback = request.history.len();
    let all =
        held.iter().map(|round| (round, None)).chain(unheld.iter().map(|round| (round, Some(fallback))));
    for (round, fallback) in all.collect::<Vec<_>>().into_iter().rev() {
        let found = round.anchor.find(request, below).or(fallback.map(|at| at.min(below)));
        if let Some(after) = found {
            below = after;
            rounds.push(round.told(after, after > request.history.len()));
        }
    }
    rounds.reverse();
    rounds
}

const STILL_RUNNING: &str = "It is still running; its result is not known yet.";

/// Of a call's, those that are kept; each is a round of calls with results of some kilobytes.
pub const MOST_ROUNDS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{Cue, Role, Said};

    fn done(text: &str) -> ToolResult {
        ToolResult { text: text.into(), failed: false, undone: false }
    }

    fn failed(text: &str, undone: bool) -> ToolResult {
        ToolResult { text: text.into(), failed: true, undone }
    }

    fn call(name: &str) -> (ToolCall, Option<String>) {
        (ToolCall::new("", name, "{}"), Some(name.to_owned()))
    }

    #[test]
    fn what_tools_did_is_known_where_the_call_goes_on_and_a_call_that_ran_then_is_not_known_to_be_done() {
        let effects = ToolEffects::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let begun = effects.begin(&request, vec![call("book"), call("pay")]);
        effects.end(begun[0].place, &done("booked"));
        let kept = serde_json::to_string(&effects.keep()).unwrap();
        let elsewhere = ToolEffects::of(serde_json::from_str(&kept).unwrap());
        let said = |at: usize| elsewhere.said(begun[at].place);
        assert_eq!(said(0), Some(("booked".to_owned(), false)));
        assert_eq!(said(1), Some((UNKNOWN.to_owned(), true)));
        assert_eq!(elsewhere.all().len(), 1);
    }

    #[test]
    fn what_no_memo_holds_is_told_with_its_result() {
        let effects = ToolEffects::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let places = effects.begin(&request, vec![call("book"), call("mail")]);
        assert_eq!((places[0].call.id.as_str(), places[1].call.id.as_str()), ("call00001", "call00002"));
        effects.end(places[0].place, &done("Booked."));
        let history = vec![Said { role: Role::User, text: "book it".into() }];
        let next = LlmRequest { history, ..LlmRequest::new(2, Cue::Said("hello?".into())) };
        let told = rounds(&next, &[], &effects.clone().unheld());
        assert_eq!((told[0].after, told[0].calls[0].result.as_str()), (1, "Booked."));
        assert_eq!(told[0].calls[1].result, STILL_RUNNING);
        effects.end(places[1].place, &failed("cancelled", true));
        effects.end(places[1].place, &done("too late"));
        let unheld = effects.unheld();
        assert!(unheld[0].is_done() && rounds(&next, &[], &unheld)[0].calls[1].failed);
        effects.accept(&unheld);
        assert!(effects.unheld().is_empty());
        assert_eq!((effects.with_accepted(&[]), effects.with_accepted(&unheld)), (unheld.clone(), unheld));
    }

    #[test]
    fn what_is_called_again_for_the_same_turn_is_the_same_call() {
        let effects = ToolEffects::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let first = effects.begin(&request, vec![call("book"), call("book"), call("mail")]);
        let joins = |begun: &[StartedCall]| begun.iter().map(|begun| begun.joins).collect::<Vec<_>>();
        assert_eq!(joins(&first), [None, Some(first[0].place), None]);
        let again = effects.begin(&request, vec![call("book")]);
        assert_eq!(joins(&again), [Some(first[0].place)]);
        effects.end(first[0].place, &done("Booked."));
        let booked = Some(("Booked.".to_owned(), false));
        assert_eq!(
            [first[0].place, first[1].place, again[0].place].map(|place| effects.said(place)),
            [booked.clone(), booked.clone(), booked.clone(),]
        );
        let third = effects.begin(&request, vec![call("book")]);
        assert_eq!((joins(&third), effects.said(third[0].place)), (vec![Some(first[0].place)], booked));
        // In a later turn it is another one.
        effects.accept(&effects.unheld());
        assert_eq!(joins(&effects.begin(&request, vec![call("book")])), [None]);
    }

    #[test]
    fn what_failed_for_certain_may_be_tried_again_and_what_was_sent_may_not() {
        let effects = ToolEffects::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let first = effects.begin(&request, vec![call("book"), call("mail")]);
        effects.end(first[0].place, &failed("no table", true));
        effects.end(first[1].place, &failed("its outcome is unknown", false));
        let again = effects.begin(&request, vec![call("book"), call("mail")]);
        assert_eq!((again[0].joins, again[1].joins), (None, Some(first[1].place)));
        assert_eq!(effects.said(again[1].place), Some(("its outcome is unknown".to_owned(), true)));
    }

    #[test]
    fn what_was_done_for_words_that_grew_stands_before_them() {
        let effects = ToolEffects::default();
        effects.begin(&LlmRequest::new(1, Cue::Said("book it".into())), vec![call("book")]);
        let grown = LlmRequest::new(2, Cue::Said("book it for Monday".into()));
        assert_eq!(rounds(&grown, &[], &effects.unheld())[0].after, 0);
        assert!(rounds(&grown, &effects.unheld(), &[]).is_empty());
    }
}
