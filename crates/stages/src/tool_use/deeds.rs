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
/// same deed: it is joined to the one that runs, or has its result.
#[derive(Clone, Debug, Default)]
pub struct Deeds(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    journal: Mutex<Journal>,
    /// A call has come to its end.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Journal {
    /// Calls so far.
    calls: u32,
    deeds: Vec<Deed>,
    /// Those that a memo of one service or another holds.
    accepted: BTreeSet<u32>,
    /// Those whose turn is over: what is called again is done again.
    closed: BTreeSet<u32>,
    slots: Slots,
}

/// Calls that a model asked for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    id: u32,
    anchor: Anchor,
    calls: Vec<Doing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Doing {
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
pub struct Begun {
    /// Where its result goes.
    pub place: Place,
    /// With an id of our own.
    pub call: ToolCall,
    /// The call that does the same.
    pub joins: Option<Place>,
}

/// One call of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The deed's number in the call.
    pub deed: u32,
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

impl Deeds {
    /// Calls are made, with ids of our own: those of the services repeat themselves. Calls with keys are joined to those
    /// that have done the same for this turn, or do.
    pub fn begin(&self, request: &LlmRequest, calls: Vec<(ToolCall, Option<String>)>) -> Vec<Begun> {
        let mut journal = self.journal();
        let deed = journal.calls;
        journal.keep(Deed { id: deed, anchor: Anchor::of(request), calls: Vec::new() });
        calls.into_iter().enumerate().map(|(at, keyed)| journal.begin(Place { deed, at }, keyed)).collect()
    }

    /// A call has come to its end, and with it those that joined it; the first end counts.
    pub fn end(&self, place: Place, result: &ToolResult) {
        let told = (result.text.clone(), result.failed);
        for doing in self
            .journal()
            .doings()
            .filter_map(|(at, doing)| (at == place || doing.joins == Some(place)).then_some(doing))
        {
            if doing.said.is_none() {
                (doing.said, doing.undone) = (Some(told.clone()), result.undone);
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
    pub fn accept(&self, held: &[Deed]) {
        self.journal().accepted.extend(held.iter().map(|deed| deed.id));
        self.close(held.iter().map(|deed| deed.id));
    }

    /// Their turn is over.
    pub fn close(&self, deeds: impl IntoIterator<Item = u32>) {
        let mut journal = self.journal();
        journal.closed.extend(deeds);
        let Journal { deeds, closed, .. } = &mut *journal;
        deeds.iter_mut().filter(|deed| closed.contains(&deed.id)).for_each(Deed::forget_provided);
    }

    fn remembers(&self, place: Place) -> bool {
        self.journal().deeds.iter().any(|deed| deed.id == place.deed)
    }

    /// What this memo holds and those of other services, in order.
    pub fn with_accepted(&self, held: &[Deed]) -> Vec<Deed> {
        let journal = self.journal();
        let elsewhere =
            |deed: &&Deed| journal.accepted.contains(&deed.id) && held.iter().all(|held| held.id != deed.id);
        let mut deeds: Vec<Deed> =
            held.iter().chain(journal.deeds.iter().filter(elsewhere)).cloned().collect();
        deeds.sort_by_key(|deed| deed.id);
        deeds
    }

    /// Those that no memo holds.
    pub fn unheld(&self) -> Vec<Deed> {
        let journal = self.journal();
        journal.deeds.iter().filter(|deed| !journal.accepted.contains(&deed.id)).cloned().collect()
    }

    /// All that are remembered.
    pub fn all(&self) -> Vec<Deed> {
        self.journal().deeds.clone()
    }

    /// What a call said, and whether that is an error; nothing while it runs.
    pub fn said(&self, place: Place) -> Option<(String, bool)> {
        let journal = self.journal();
        let deed = journal.deeds.iter().find(|deed| deed.id == place.deed)?;
        deed.calls.get(place.at)?.said.clone()
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
    /// One more call of the deed that was kept last.
    fn begin(&mut self, place: Place, (call, key): (ToolCall, Option<String>)) -> Begun {
        self.calls += 1;
        let call = ToolCall { id: format!("call{:05}", self.calls % 100_000), ..call };
        let first = key.as_ref().and_then(|key| self.same(key));
        let (joins, said) = first.map_or((None, None), |(first, said)| (Some(first), said));
        if let Some(deed) = self.deeds.last_mut() {
            deed.calls.push(Doing { call: call.clone(), said, key, joins, undone: false });
        }
        Begun { place, call, joins }
    }

    /// The call that has done this for the same turn, or does, and its result.
    fn same(&mut self, key: &str) -> Option<(Place, Option<(String, bool)>)> {
        let closed = self.closed.clone();
        let same = |(place, doing): &(Place, &mut Doing)| {
            let of_this_turn = !closed.contains(&place.deed);
            of_this_turn && doing.joins.is_none() && !doing.undone && doing.key.as_deref() == Some(key)
        };
        self.doings().filter(same).last().map(|(place, doing)| (place, doing.said.clone()))
    }

    fn doings(&mut self) -> impl Iterator<Item = (Place, &mut Doing)> {
        self.deeds.iter_mut().flat_map(|deed| {
            let id = deed.id;
            deed.calls.iter_mut().enumerate().map(move |(at, doing)| (Place { deed: id, at }, doing))
        })
    }

    fn keep(&mut self, deed: Deed) {
        if self.deeds.len() >= MOST_DEEDS {
            let oldest = self.deeds.remove(0);
            self.accepted.remove(&oldest.id);
            self.closed.remove(&oldest.id);
        }
        self.deeds.push(deed);
    }
}

impl Deed {
    /// Its number in the call.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// All of its calls have come to an end.
    pub fn is_done(&self) -> bool {
        self.calls.iter().all(|doing| doing.said.is_some())
    }

    /// What providers want back is for the turn in which they gave it.
    fn round(&self, after: usize, of_this_turn: bool) -> Round {
        let mut calls = self.called();
        if !of_this_turn {
            calls.iter_mut().for_each(|called| called.call.provided = None);
        }
        Round { after, text: String::new(), calls }
    }

    /// Its turn is over: what providers want back is of no use any more.
    pub fn forget_provided(&mut self) {
        self.calls.iter_mut().for_each(|doing| doing.call.provided = None);
    }

    /// Its calls with what came of them until now.
    pub fn called(&self) -> Vec<Called> {
        let called = |Doing { call, said, .. }: &Doing| {
            let (result, failed) = said.clone().unwrap_or_else(|| (STILL_RUNNING.into(), false));
            Called { call: call.clone(), result, failed }
        };
        self.calls.iter().map(called).collect()
    }
}

/// The rounds of a request's conversation. What was done where the conversation is forgotten is forgotten too; what no
/// memo holds stands before the cue, if its place is not found.
pub fn rounds(request: &LlmRequest, held: &[Deed], unheld: &[Deed]) -> Vec<Round> {
    let (mut below, mut rounds) = (usize::MAX, Vec::new());
    let fallback = request.history.len();
    let all = held.iter().map(|deed| (deed, None)).chain(unheld.iter().map(|deed| (deed, Some(fallback))));
    for (deed, fallback) in all.collect::<Vec<_>>().into_iter().rev() {
        let found = deed.anchor.find(request, below).or(fallback.map(|at| at.min(below)));
        if let Some(after) = found {
            below = after;
            rounds.push(deed.round(after, after > request.history.len()));
        }
    }
    rounds.reverse();
    rounds
}

const STILL_RUNNING: &str = "It is still running; its result is not known yet.";

/// Of a call's, those that are kept; each is a round of calls with results of some kilobytes.
pub const MOST_DEEDS: usize = 24;

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
    fn what_no_memo_holds_is_told_with_its_result() {
        let deeds = Deeds::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let places = deeds.begin(&request, vec![call("book"), call("mail")]);
        assert_eq!((places[0].call.id.as_str(), places[1].call.id.as_str()), ("call00001", "call00002"));
        deeds.end(places[0].place, &done("Booked."));
        let history = vec![Said { role: Role::User, text: "book it".into() }];
        let next = LlmRequest { history, ..LlmRequest::new(2, Cue::Said("hello?".into())) };
        let told = rounds(&next, &[], &deeds.clone().unheld());
        assert_eq!((told[0].after, told[0].calls[0].result.as_str()), (1, "Booked."));
        assert_eq!(told[0].calls[1].result, STILL_RUNNING);
        deeds.end(places[1].place, &failed("cancelled", true));
        deeds.end(places[1].place, &done("too late"));
        let unheld = deeds.unheld();
        assert!(unheld[0].is_done() && rounds(&next, &[], &unheld)[0].calls[1].failed);
        deeds.accept(&unheld);
        assert!(deeds.unheld().is_empty());
        assert_eq!((deeds.with_accepted(&[]), deeds.with_accepted(&unheld)), (unheld.clone(), unheld));
    }

    #[test]
    fn what_is_called_again_for_the_same_turn_is_the_same_deed() {
        let deeds = Deeds::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let first = deeds.begin(&request, vec![call("book"), call("book"), call("mail")]);
        let joins = |begun: &[Begun]| begun.iter().map(|begun| begun.joins).collect::<Vec<_>>();
        assert_eq!(joins(&first), [None, Some(first[0].place), None]);
        let again = deeds.begin(&request, vec![call("book")]);
        assert_eq!(joins(&again), [Some(first[0].place)]);
        deeds.end(first[0].place, &done("Booked."));
        let booked = Some(("Booked.".to_owned(), false));
        assert_eq!(
            [first[0].place, first[1].place, again[0].place].map(|place| deeds.said(place)),
            [booked.clone(), booked.clone(), booked.clone(),]
        );
        let third = deeds.begin(&request, vec![call("book")]);
        assert_eq!((joins(&third), deeds.said(third[0].place)), (vec![Some(first[0].place)], booked));
        // In a later turn it is another one.
        deeds.accept(&deeds.unheld());
        assert_eq!(joins(&deeds.begin(&request, vec![call("book")])), [None]);
    }

    #[test]
    fn what_failed_for_certain_may_be_tried_again_and_what_was_sent_may_not() {
        let deeds = Deeds::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let first = deeds.begin(&request, vec![call("book"), call("mail")]);
        deeds.end(first[0].place, &failed("no table", true));
        deeds.end(first[1].place, &failed("its outcome is unknown", false));
        let again = deeds.begin(&request, vec![call("book"), call("mail")]);
        assert_eq!((again[0].joins, again[1].joins), (None, Some(first[1].place)));
        assert_eq!(deeds.said(again[1].place), Some(("its outcome is unknown".to_owned(), true)));
    }

    #[test]
    fn what_was_done_for_words_that_grew_stands_before_them() {
        let deeds = Deeds::default();
        deeds.begin(&LlmRequest::new(1, Cue::Said("book it".into())), vec![call("book")]);
        let grown = LlmRequest::new(2, Cue::Said("book it for Monday".into()));
        assert_eq!(rounds(&grown, &[], &deeds.unheld())[0].after, 0);
        assert!(rounds(&grown, &deeds.unheld(), &[]).is_empty());
    }
}
