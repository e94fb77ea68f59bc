//! How the services behind a call's stages do: how long from a request to the first of what it gives, and whether they
//! give all of it.

use crate::cause::Winner;
use crate::event::CallEventKind;
use crate::hedge::Over;
use ringway_frame::{Epoch, MediaTime};
use ringway_stages::health::Health;
use ringway_turn::{AskId, ClauseId, Input, RequestId, StageKind};
use std::sync::Arc;
use std::time::Duration;

/// A stopwatch for each stage that has a service.
#[derive(Debug, Default)]
pub(crate) struct ServiceTimes {
    pub(crate) stt: Stopwatch<AskId>,
    pub(crate) llm: Stopwatch<RequestId>,
    pub(crate) tts: Stopwatch<Epoch>,
    pub(crate) s2s: Stopwatch<Epoch>,
    /// The second service that works on the newest request to a model, and since when.
    second: Option<(Arc<Health>, MediaTime)>,
    /// The request for the greeting: a model may have it cached, so that it proves nothing.
    pub(crate) greeting: Option<RequestId>,
    /// A clause that comes from memory: it proves nothing either.
    pub(crate) cached: Option<ClauseId>,
}

/// Times one stage's requests, the newest at a time.
#[derive(Debug)]
pub(crate) struct Stopwatch<Id> {
    service: Option<Arc<Health>>,
    /// The newest request; it stays when it was answered, so that a further part of it does not begin it anew.
    newest: Option<Id>,
    /// Since when it is waited for.
    since: Option<MediaTime>,
}

impl ServiceTimes {
    /// Tells what a stage's word says of its service, which takes note of it at `judged`, its own time.
    pub(crate) fn heard(
        &mut self,
        input: &Input,
        now: MediaTime,
        judged: Duration,
        mut tell: impl FnMut(CallEventKind),
    ) {
        if let (Input::Usage { tokens, cache_read, cache_written, .. }, Some(health)) =
            (input, &self.llm.service)
        {
            let (service, given) = (health.service().clone(), *tokens);
            let (cache_read, cache_written) = (*cache_read, *cache_written);
            tell(CallEventKind::Tokens { service, given, cache_read, cache_written });
        }
        let cached = self.is_cached(input);
        if let Some((stage, health, after)) = self.first(input, now) {
            if !cached {
                health.began(after, judged);
            }
            tell(CallEventKind::Served { stage, service: health.service().clone(), after });
        }
        if let Some((stage, health)) = self.whole(input).filter(|_| !cached) {
            health.succeeded(judged);
            tell(CallEventKind::ServiceDone { stage, service: health.service().clone() });
        }
    }

    /// The model is asked.
    pub(crate) fn model_asked(&mut self, request: RequestId, now: MediaTime, greets: bool) {
        self.second = None;
        self.llm.asked(request, now);
        self.greeting = greets.then_some(request);
    }

    /// A second one is asked the same.
    pub(crate) fn asked_again(&mut self, second: Arc<Health>, now: MediaTime) {
        self.second = Some((second, now));
    }

    /// One of both goes on alone. Of a loser that was cancelled it is known that it took that long at least.
    pub(crate) fn hedge_over(&mut self, over: &Over, now: MediaTime, judged: Duration) {
        let Some(second) = self.second.take() else { return };
        let loser = match over.winner {
            Winner::First => Some(second),
            Winner::Second => self.llm.hand_over(second),
            Winner::Neither => None,
        };
        if let Some((loser, since)) = loser.filter(|_| over.failed.is_none()) {
            loser.outrun(now.since(since), judged);
        }
    }

    fn is_cached(&self, input: &Input) -> bool {
        match input {
            Input::Token { request, .. } | Input::ReplyEnd { request, .. } => self.greeting == Some(*request),
            Input::ClauseEnd { clause, .. } => self.cached == Some(*clause),
            _ => false,
        }
    }

    /// The first of what was asked for.
    fn first(&mut self, input: &Input, now: MediaTime) -> Option<(StageKind, Arc<Health>, Duration)> {
        let (stage, (health, after)) = match input {
            Input::Final { ask, .. } => (StageKind::Stt, self.stt.answered(*ask, now)?),
            // A tool is as good as a word; what it takes is its own.
            Input::Token { request, .. } | Input::ToolBegan { request, .. } => {
                (StageKind::Llm, self.llm.answered(*request, now)?)
            }
            Input::Voiced { epoch } => match self.s2s.answered(*epoch, now) {
                Some(answered) => (StageKind::SpeechToSpeech, answered),
                None => (StageKind::Tts, self.tts.answered(*epoch, now)?),
            },
            _ => return None,
        };
        Some((stage, health, after))
    }

    /// All of what was asked for; of a voice, all of a clause.
    fn whole(&self, input: &Input) -> Option<(StageKind, &Arc<Health>)> {
        match input {
            Input::Final { ask, .. } => Some((StageKind::Stt, self.stt.serving(*ask)?)),
            Input::ReplyEnd { request, .. } => Some((StageKind::Llm, self.llm.serving(*request)?)),
            Input::ClauseEnd { epoch, .. } => match self.s2s.serving(*epoch) {
                Some(health) => Some((StageKind::SpeechToSpeech, health)),
                None => Some((StageKind::Tts, self.tts.serving(*epoch)?)),
            },
            _ => None,
        }
    }
}

impl<Id> Default for Stopwatch<Id> {
    fn default() -> Self {
        Self { service: None, newest: None, since: None }
    }
}

impl<Id: Copy + PartialEq> Stopwatch<Id> {
    /// This service is asked from now on; without one nothing is timed.
    pub(crate) fn serve(&mut self, service: Option<Arc<Health>>) {
        *self = Self { service, ..Self::default() };
    }

    /// It is asked; further parts of one request do not begin it anew.
    pub(crate) fn asked(&mut self, id: Id, now: MediaTime) {
        if self.newest != Some(id) {
            (self.newest, self.since) = (Some(id), Some(now));
        }
    }

    /// How long 95 of 100 requests of its service take, if that is known.
    pub(crate) fn usual(&self, judged: Duration) -> Option<Duration> {
        self.service.as_ref()?.p95(judged)
    }

    /// Another service, asked at that time, answers the newest request; who was to, and since when.
    fn hand_over(&mut self, (service, since): (Arc<Health>, MediaTime)) -> Option<(Arc<Health>, MediaTime)> {
        Some((self.service.replace(service)?, self.since.replace(since)?))
    }

    /// Answers to older requests do not count, and of an answer only the first part.
    fn answered(&mut self, id: Id, now: MediaTime) -> Option<(Arc<Health>, Duration)> {
        let since = if self.newest == Some(id) { self.since.take()? } else { return None };
        Some((self.service.clone()?, now.since(since)))
    }

    /// Who answers the newest request, if it is this one.
    fn serving(&self, id: Id) -> Option<&Arc<Health>> {
        self.service.as_ref().filter(|_| self.newest == Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_stages::health::{Config, Standing};
    use ringway_turn::{After, Memo};

    const fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn health(service: &str) -> Arc<Health> {
        Arc::new(Health::new(service, &Config::default(), None))
    }

    fn watch() -> ServiceTimes {
        let mut times = ServiceTimes::default();
        times.tts.serve(Some(health("flite")));
        times
    }

    /// What is told of an input: the service, and the time of a first result.
    fn told(times: &mut ServiceTimes, input: &Input, now: MediaTime) -> Vec<(String, Option<u128>)> {
        let mut told = Vec::new();
        times.heard(input, now, Duration::ZERO, |kind| match kind {
            CallEventKind::Served { service, after, .. } => {
                told.push((service.to_string(), Some(after.as_millis())));
            }
            CallEventKind::ServiceDone { service, .. } => told.push((service.to_string(), None)),
            _ => {}
        });
        told
    }

    #[test]
    fn a_request_is_timed_once_by_the_first_of_its_answer() {
        let (mut times, epoch) = (watch(), Epoch::default());
        times.tts.asked(epoch, ms(100));
        times.tts.asked(epoch, ms(140));
        assert_eq!(told(&mut times, &Input::Voiced { epoch }, ms(150)), [("flite".into(), Some(50))]);
        times.tts.asked(epoch, ms(200));
        let later = told(&mut times, &Input::Voiced { epoch }, ms(250));
        assert_eq!(later, [], "a later clause of the same utterance");
        let end = Input::ClauseEnd { epoch, clause: ClauseId::default(), frames: 9 };
        assert_eq!(told(&mut times, &end, ms(300)), [("flite".into(), None)]);
    }

    #[test]
    fn an_answer_that_is_not_waited_for_any_more_is_not_timed() {
        let (mut times, old) = (watch(), Epoch::default());
        times.tts.asked(old, ms(0));
        times.tts.asked(old.next(), ms(10));
        assert_eq!(told(&mut times, &Input::Voiced { epoch: old }, ms(20)), []);
        times.tts.serve(Some(health("piper")));
        let replaced = told(&mut times, &Input::Voiced { epoch: old.next() }, ms(30));
        assert_eq!(replaced, [], "the service was replaced");
    }

    /// A model that was asked at 100 ms, and a second one that was asked the same at 400 ms.
    fn two() -> (ServiceTimes, [Arc<Health>; 2]) {
        let (mut times, models) = (ServiceTimes::default(), [health("first"), health("second")]);
        times.llm.serve(Some(models[0].clone()));
        times.model_asked(RequestId::new(1), ms(100), false);
        times.asked_again(models[1].clone(), ms(400));
        (times, models)
    }

    fn over(winner: Winner, failed: bool) -> Over {
        Over { winner, failed: failed.then(|| "killed".to_owned()) }
    }

    /// Latencies that are known of a service, found by how many more are needed to tell a quantile.
    fn known(health: &Health) -> usize {
        let missing = (0..=20).find(|_| {
            let told = health.p95(Duration::ZERO).is_some();
            health.outrun(Duration::from_secs(1), Duration::ZERO);
            told
        });
        20 - missing.expect("twenty are enough")
    }

    fn token() -> Input {
        Input::Token { request: RequestId::new(1), text: "Yes".into() }
    }

    #[test]
    fn the_second_of_two_is_timed_from_its_own_request_and_the_first_was_slow() {
        let (mut times, models) = two();
        times.hedge_over(&over(Winner::Second, false), ms(480), Duration::ZERO);
        assert_eq!(told(&mut times, &token(), ms(480)), [("second".into(), Some(80))]);
        assert_eq!(models.each_ref().map(|model| known(model)), [1, 1]);
    }

    #[test]
    fn the_first_of_two_is_timed_as_ever() {
        let (mut times, models) = two();
        times.hedge_over(&over(Winner::First, false), ms(480), Duration::ZERO);
        assert_eq!(told(&mut times, &token(), ms(480)), [("first".into(), Some(380))]);
        assert_eq!(models.each_ref().map(|model| known(model)), [1, 1]);
    }

    #[test]
    fn of_what_failed_or_was_cancelled_no_time_is_known() {
        let (mut times, models) = two();
        times.hedge_over(&over(Winner::Second, true), ms(480), Duration::ZERO);
        assert_eq!(models.each_ref().map(|model| known(model)), [0, 0]);
        let (mut times, models) = two();
        times.hedge_over(&over(Winner::Neither, false), ms(480), Duration::ZERO);
        assert_eq!(models.each_ref().map(|model| known(model)), [0, 0]);
    }

    #[test]
    fn a_tool_is_the_first_of_an_answer() {
        let (mut times, _) = two();
        let began = Input::ToolBegan { request: RequestId::new(1), tool: "look_up".into(), filler: None };
        assert_eq!(told(&mut times, &began, ms(200)), [("first".into(), Some(100))]);
        assert_eq!(told(&mut times, &token(), ms(3_000)), []);
    }

    #[test]
    fn what_comes_from_memory_is_no_service_of_anybody() {
        let (mut times, epoch) = (ServiceTimes::default(), Epoch::default());
        times.tts.asked(epoch, ms(0));
        assert_eq!(told(&mut times, &Input::Voiced { epoch }, ms(20)), []);
    }

    #[test]
    fn a_greeting_does_not_prove_that_a_model_is_there() {
        let (mut times, model) = (ServiceTimes::default(), health("openai_llm"));
        times.llm.serve(Some(model.clone()));
        (0..3).for_each(|_| model.failed(Duration::ZERO));
        let tried = Config::default().wait;
        assert!(model.try_it(tried));
        let end = |number| Input::ReplyEnd {
            request: RequestId::new(number),
            after: After::Nothing,
            memo: Memo::default(),
        };
        (times.greeting, _) = (Some(RequestId::new(0)), times.llm.asked(RequestId::new(0), ms(0)));
        times.heard(&end(0), ms(1), tried, |_| {});
        assert_eq!(model.standing(tried), Standing::Tried);
        times.llm.asked(RequestId::new(1), ms(2));
        times.heard(&end(1), ms(3), tried, |_| {});
        assert_eq!(model.standing(tried), Standing::Good);
    }
}
