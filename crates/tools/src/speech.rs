//! Tools for what hears and speaks by itself: the service keeps the conversation, so that it is told results and not
//! asked again.

use super::built_in::Kind;
use super::dispatch::{Dispatch, Round};
use super::settings::Config;
use super::toolset::Tools;
use ringway_frame::Frame;
use ringway_stages::llm::{Called, LlmRequest, Next, ToolCall};
use ringway_stages::speech_to_speech::{
    Hearing, Remark, SpeechCall, SpeechError, SpeechEvent, SpeechSession, SpeechToSpeech, Wanted,
};
use ringway_stages::tool_use::{Place, ToolRound};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A service that hears and speaks, with tools.
#[derive(Clone)]
pub struct SpeechToolbox {
    service: Arc<dyn SpeechToSpeech>,
    tools: Tools,
    config: Config,
}

impl SpeechToolbox {
    /// Wraps a service.
    pub fn new(service: Arc<dyn SpeechToSpeech>, tools: Tools, config: Config) -> Self {
        Self { service, tools, config }
    }
}

impl SpeechToSpeech for SpeechToolbox {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn slots(&self) -> Option<usize> {
        self.service.slots()
    }

    fn open(&self, call: SpeechCall) -> Result<Box<dyn SpeechSession>, SpeechError> {
        // Keys are tones of our own voice, and languages are our own engines', which are not there.
        let ours = [Kind::SendDtmf, Kind::SwitchLanguage].map(Kind::name);
        let notes = (call.effects.clone(), call.weigh);
        let dispatch = self.tools.dispatch(&self.config, notes, |name| !ours.contains(&name));
        let service = self.service.open(SpeechCall { tools: dispatch.specs(), ..call })?;
        let (told, news) = (BTreeSet::new(), VecDeque::new());
        Ok(Box::new(Session { service, dispatch, answer: None, told, news }))
    }
}

impl std::fmt::Debug for SpeechToolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpeechToolbox")
            .field("service", &self.name())
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

/// One call's service, with the tools that it calls.
struct Session {
    service: Box<dyn SpeechSession>,
    dispatch: Dispatch,
    answer: Option<Answer>,
    /// Rounds whose results the service knows.
    told: BTreeSet<u32>,
    /// What is to be told before anything else.
    news: VecDeque<SpeechEvent>,
}

/// An answer in the making.
struct Answer {
    /// What it answers, for the place of its calls in the conversation.
    request: LlmRequest,
    /// Rounds of calls so far.
    rounds: u32,
    /// Something was said in this round.
    spoke: bool,
    /// What is to follow the answer.
    next: Option<Next>,
    running: Option<Running>,
}

/// Calls as the service named them, with the round that makes them.
struct Running {
    calls: Vec<ToolCall>,
    round: Round,
}

impl Session {
    /// Makes the calls; the answer is wanted for certain, since services answer nothing but turns that are over.
    fn run(&mut self, id: u32, calls: Vec<ToolCall>) {
        let Some(answer) = self.answer.as_mut().filter(|answer| answer.request.id == id) else { return };
        answer.rounds += 1;
        let news = &mut self.news;
        let told = |tool| news.push_back(SpeechEvent::Tool { id, news: tool });
        let round = self.dispatch.begin(&answer.request, answer.rounds, calls.clone(), told);
        answer.running = Some(Running { calls, round });
    }

    /// Looks after what runs, and tells the service when all of it is over.
    fn watch(&mut self, cx: &mut Context<'_>) {
        let Some(answer) = &mut self.answer else { return };
        let Some(running) = &mut answer.running else { return };
        let (id, news) = (answer.request.id, &mut self.news);
        let told = |tool| news.push_back(SpeechEvent::Tool { id, news: tool });
        if !self.dispatch.watch(&mut running.round, cx, &mut answer.next, told) {
            return;
        }
        // Who has said goodbye already has nothing to add, and who only calls is stopped.
        let over = answer.next.is_some() && answer.spoke;
        let go_on = !over && !self.dispatch.is_exhausted(answer.rounds.saturating_sub(1));
        answer.spoke = false;
        let Running { calls, round } = answer.running.take().expect("it was there");
        self.tell(calls, &round.places, go_on);
    }

    /// What came of calls; a round that is not done yet is told of once more when it is.
    fn tell(&mut self, calls: Vec<ToolCall>, places: &[Place], go_on: bool) {
        let effects = &self.dispatch.effects;
        let results: Vec<Called> = calls
            .into_iter()
            .zip(places)
            .map(|(call, place)| {
                let (result, failed) = effects.said(*place).unwrap_or_else(|| (STILL_RUNNING.into(), false));
                Called { call, result, failed }
            })
            .collect();
        if places.iter().all(|place| effects.said(*place).is_some()) {
            self.told.extend(places.first().map(|place| place.round));
        }
        self.service.results(results, go_on);
    }

    /// The running answer is over before its end.
    fn leave(&mut self) {
        let Some(Answer { request, running: Some(running), .. }) = self.answer.take() else { return };
        let Running { calls, round } = running;
        let (id, places) = (request.id, round.places.clone());
        self.news.extend(round.interrupt().map(|news| SpeechEvent::Tool { id, news }));
        self.tell(calls, &places, false);
    }

    /// What tools have said in this call, but for those that still run.
    fn remarks(&mut self) -> Vec<Remark> {
        let done = self.dispatch.effects.all().into_iter().filter(ToolRound::is_done);
        let remark = |round: ToolRound| {
            let told = !self.told.insert(round.id());
            let words = round.called().into_iter().map(|Called { call, result, .. }| {
                format!("The tool {}, called with {}, has said: {result}", call.name, call.arguments)
            });
            Remark { text: words.collect::<Vec<_>>().join("\n"), told }
        };
        done.map(remark).collect()
    }
}

impl SpeechSession for Session {
    fn hearing(&self) -> Hearing {
        self.service.hearing()
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SpeechError> {
        self.service.hear(frame)
    }

    fn forget(&mut self) {
        self.service.forget();
    }

    fn commit(&mut self, turn: u32) -> Result<(), SpeechError> {
        self.service.commit(turn)
    }

    fn answer(&mut self, mut wanted: Wanted) -> Result<(), SpeechError> {
        self.leave();
        wanted.remarks = self.remarks();
        let (id, cue, history) = (wanted.id, wanted.cue.clone(), wanted.history.clone());
        let request = LlmRequest { history, ..LlmRequest::new(id, cue) };
        self.answer = Some(Answer { request, rounds: 0, spoke: false, next: None, running: None });
        self.service.answer(wanted)
    }

    fn cancel(&mut self, heard: Duration) {
        self.service.cancel(heard);
        self.leave();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Poll::Ready(Ok(news));
            }
            self.watch(cx);
            if !self.news.is_empty() {
                continue;
            }
            match ready!(self.service.poll_event(cx))? {
                SpeechEvent::Calls { id, calls } => self.run(id, calls),
                SpeechEvent::Done { id, .. } => {
                    let next = self.answer.take().and_then(|answer| answer.next);
                    // What is called again from now on is for another turn.
                    let done = self.dispatch.effects.all().into_iter().filter(ToolRound::is_done);
                    self.dispatch.effects.close(done.map(|round| round.id()));
                    return Poll::Ready(Ok(SpeechEvent::Done { id, next }));
                }
                event => {
                    let answer = self.answer.as_mut().filter(|_| matches!(event, SpeechEvent::Text { .. }));
                    answer.into_iter().for_each(|answer| answer.spoke = true);
                    return Poll::Ready(Ok(event));
                }
            }
        }
    }

    fn next_frame(&mut self, frame: &mut Frame) -> bool {
        self.service.next_frame(frame)
    }
}

const STILL_RUNNING: &str = "It is still running; its result will be told later.";
