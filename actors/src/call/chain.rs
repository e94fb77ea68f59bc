//! A stage's chain of services in one call: which of them serves, and which is next.

use crate::restart::{RestartBudget, RestartConfig};
use ringway_stages::Backoff;
use ringway_stages::health::Standing;
use std::ops::Range;
use std::time::Duration;

/// One stage's services in one call, in order of preference.
#[derive(Debug)]
pub(crate) struct Chain {
    links: Vec<Link>,
    serving: usize,
    deaths: u32,
    /// Different for each call.
    spread: u64,
}

#[derive(Debug)]
struct Link {
    budget: RestartBudget,
    backoff: Backoff,
    /// Its circuit is open until then.
    alone_until: Duration,
    /// It cannot serve this call at all.
    refused: bool,
    /// It serves another language than the call's.
    foreign: bool,
}

impl Chain {
    /// `spread` is another one for each call.
    pub(crate) fn new(config: &RestartConfig, services: usize, spread: u64) -> Self {
        let link = || Link {
            budget: RestartBudget::new(config.clone()),
            backoff: Backoff::default(),
            alone_until: Duration::ZERO,
            refused: false,
            foreign: false,
        };
        Self { links: (0..services).map(|_| link()).collect(), serving: 0, deaths: 0, spread }
    }

    /// How long the circuit of the one that serves stays open: nothing after its first failure, twice as long each time
    /// behind it, and not as long in each call.
    pub(crate) fn pause(&self, at: Duration) -> Duration {
        self.links.get(self.serving).map_or(Duration::ZERO, |link| link.alone_until.saturating_sub(at))
    }

    /// Index of the service that serves now.
    pub(crate) fn serving(&self) -> usize {
        self.serving
    }

    /// It serves from now on.
    pub(crate) fn serve(&mut self, service: usize) {
        self.serving = service;
    }

    /// Only these serve from now on; `first` does, unless one of them does already.
    pub(crate) fn narrow(&mut self, services: &Range<usize>, first: usize) {
        for (service, link) in self.links.iter_mut().enumerate() {
            link.foreign = !services.contains(&service);
        }
        if !services.contains(&self.serving) {
            self.serving = first;
        }
    }

    /// Deaths of the stage so far.
    pub(crate) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Others could serve.
    pub(crate) fn has_others(&self) -> bool {
        self.links.iter().filter(|link| !link.foreign).nth(1).is_some()
    }

    /// The stage died `at` this time since the call began: who serves next, if anybody does.
    ///
    /// Another one, the best first; the same again only when there is no other, each as often as its budget permits.
    pub(crate) fn died(&mut self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        self.deaths += 1;
        let spread = self.spread;
        self.links.get_mut(self.serving)?.died(at, spread);
        self.next(at, standing)
    }

    /// The service refused for good what it was asked: another one is, if there is any.
    pub(crate) fn gave_up(&mut self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let before = self.serving;
        self.died(at, standing).filter(|next| *next != before)
    }

    /// The service failed at this time, and another serves in its place already.
    pub(crate) fn failed(&mut self, service: usize, at: Duration) {
        let spread = self.spread;
        if let Some(link) = self.links.get_mut(service) {
            link.died(at, spread);
        }
    }

    /// The service cannot serve this call: who does, if anybody does.
    pub(crate) fn refused(&mut self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        self.links.get_mut(self.serving)?.refused = true;
        self.next(at, standing)
    }

    /// The stage died, and behind all of its chain stand others: another service serves that does well; or the same
    /// once more, if the caller has not waited for it (`late`) and it did not die lately.
    pub(crate) fn gave_way(
        &mut self,
        at: Duration,
        late: bool,
        standing: impl Fn(usize) -> Standing,
    ) -> Option<usize> {
        self.deaths += 1;
        let spread = self.spread;
        let link = self.links.get_mut(self.serving)?;
        let again = !late && !link.budget.is_touched(at);
        link.died(at, spread);
        let same = self.serving;
        self.serving = self.substitute(at, standing).or(again.then_some(same))?;
        Some(self.serving)
    }

    /// The service cannot serve this call, and behind all of its chain stand others.
    pub(crate) fn stood_aside(
        &mut self,
        at: Duration,
        standing: impl Fn(usize) -> Standing,
    ) -> Option<usize> {
        self.links.get_mut(self.serving)?.refused = true;
        self.serving = self.substitute(at, standing)?;
        Some(self.serving)
    }

    /// Between two turns, while others serve in place of all of it: one that does well or is due for a try.
    pub(crate) fn returning(&self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let mut fit = (0..self.links.len()).filter(|service| !self.links[*service].is_spent(at));
        fit.find(|service| match standing(*service) {
            Standing::Good => true,
            Standing::Due => !self.links[*service].budget.is_touched(at),
            Standing::Doubtful | Standing::Tried | Standing::Open => false,
        })
    }

    fn next(&mut self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let count = self.links.len();
        // The one that serves comes last.
        let behind = |service: usize| (service + count - self.serving - 1) % count;
        let same = |service: usize| service == self.serving;
        let fit = (0..count).filter(|service| !self.links[*service].is_spent(at));
        let next = fit.min_by_key(|service| (same(*service), standing(*service), behind(*service)))?;
        self.serving = next;
        Some(next)
    }

    /// Another one that does well, to take the place of one that is late.
    pub(crate) fn substitute(&self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let others = (0..self.links.len()).filter(|service| *service != self.serving);
        let mut fit = others.filter(|service| !self.links[*service].is_spent(at));
        fit.find(|service| standing(*service) == Standing::Good)
    }

    /// The one to be asked the same as the one that serves, which is later than usual: a substitute, or the same where
    /// there is no other.
    pub(crate) fn second(&self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let alone = || {
            !self.has_others()
                && !self.links[self.serving].is_spent(at)
                && standing(self.serving) == Standing::Good
        };
        self.substitute(at, &standing).or_else(|| alone().then_some(self.serving))
    }

    /// Between two turns: one to be preferred to the one that serves, the first that does well or is due for a try. From
    /// one with an open circuit a call goes to any other.
    pub(crate) fn preferred(&self, at: Duration, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let leaves = standing(self.serving) == Standing::Open;
        let mut fit = (0..self.links.len()).filter(|service| !self.links[*service].is_spent(at));
        let good = |service: &usize| match standing(*service) {
            Standing::Good => *service < self.serving || leaves,
            // Whom it failed lately does not try it: one call bears with it once.
            Standing::Due => *service < self.serving && !self.links[*service].budget.is_touched(at),
            Standing::Doubtful => leaves,
            Standing::Tried | Standing::Open => false,
        };
        fit.find(|service| *service != self.serving && good(service))
    }
}

impl Link {
    fn died(&mut self, at: Duration, spread: u64) {
        self.budget.died(at);
        let wait = self.backoff.failed(at);
        self.alone_until = at + wait.mul_f64(part(spread, self.backoff.failures()));
    }

    fn is_spent(&self, at: Duration) -> bool {
        self.refused || self.foreign || self.budget.is_spent(at)
    }
}

/// How much of a wait is waited: three quarters to five quarters.
fn part(spread: u64, failures: u32) -> f64 {
    let mixed = (spread ^ u64::from(failures)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    0.75 + mixed as f64 / f64::from(1 << 17)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Doubtful, Due, Good, Open, Tried};

    const NOW: Duration = Duration::from_secs(1);

    fn chain(services: usize) -> Chain {
        Chain::new(&RestartConfig { max_restarts: 2, within: Duration::from_secs(10) }, services, 7)
    }

    #[test]
    fn a_service_that_keeps_failing_is_left_alone_ever_longer_and_not_as_long_in_each_call() {
        let pauses = |spread| {
            let mut chain = Chain::new(&RestartConfig::default(), 1, spread);
            let mut at = NOW;
            std::iter::from_fn(|| {
                chain.died(at, |_| Open)?;
                let pause = chain.pause(at);
                at += pause;
                assert_eq!(chain.pause(at), Duration::ZERO);
                Some(pause.as_millis())
            })
            .collect::<Vec<_>>()
        };
        let (one, other) = (pauses(1), pauses(2));
        for (pause, usual) in one.iter().zip([0, 100, 200, 400, 800]) {
            assert!((usual * 3 / 4..=usual * 5 / 4).contains(pause), "{one:?}");
        }
        assert_eq!(one.len(), 5);
        assert_ne!(one, other);
    }

    #[test]
    fn another_service_takes_over_without_a_pause() {
        let mut chain = chain(2);
        for _ in 0..2 {
            chain.failed(0, NOW);
        }
        assert!(!chain.pause(NOW).is_zero());
        assert_eq!(chain.died(NOW, |_| Good), Some(1));
        assert_eq!(chain.pause(NOW), Duration::ZERO);
    }

    #[test]
    fn what_was_refused_for_good_is_asked_of_another_only() {
        assert_eq!(chain(1).gave_up(NOW, |_| Good), None);
        assert_eq!(chain(2).gave_up(NOW, |_| Good), Some(1));
    }

    #[test]
    fn a_service_that_fails_gives_way_at_once() {
        let mut chain = chain(3);
        assert_eq!(chain.died(NOW, |_| Good), Some(1));
        assert_eq!(chain.died(NOW, |service| if service == 2 { Good } else { Doubtful }), Some(2));
    }

    #[test]
    fn the_best_of_the_others_is_next() {
        for (standings, next) in [
            ([Doubtful, Open, Good], 2),
            ([Doubtful, Due, Open], 1),
            ([Doubtful, Open, Open], 1),
            ([Good, Tried, Due], 2),
        ] {
            assert_eq!(chain(3).died(NOW, |service| standings[service]), Some(next), "{standings:?}");
        }
    }

    #[test]
    fn services_that_all_fail_take_turns_until_none_may_be_restarted() {
        let mut chain = chain(2);
        let served: Vec<_> = (0..6).map(|_| chain.died(NOW, |_| Open)).collect();
        assert_eq!(served, [Some(1), Some(0), Some(1), Some(0), Some(1), None]);
        assert_eq!(chain.deaths(), 6);
    }

    #[test]
    fn a_single_service_is_restarted_within_its_budget() {
        let mut one = chain(1);
        let served: Vec<_> = (0..3).map(|_| one.died(NOW, |_| Open)).collect();
        assert_eq!(served, [Some(0), Some(0), None]);
    }

    #[test]
    fn a_service_that_refuses_the_call_is_not_asked_again() {
        let mut chain = chain(2);
        assert_eq!(chain.refused(NOW, |_| Good), Some(1));
        assert_eq!(chain.died(NOW, |_| Good), Some(1), "the first cannot serve");
        assert_eq!(chain.preferred(NOW, |_| Good), None);
        assert_eq!(chain.refused(NOW, |_| Good), None);
    }

    #[test]
    fn where_others_stand_behind_it_a_service_is_restarted_once_and_only_if_nobody_waits() {
        assert_eq!(chain(1).gave_way(NOW, true, |_| Good), None);
        let mut one = chain(1);
        let served: Vec<_> = (0..2).map(|_| one.gave_way(NOW, false, |_| Doubtful)).collect();
        assert_eq!(served, [Some(0), None]);
        assert_eq!(one.gave_way(NOW + Duration::from_secs(11), false, |_| Doubtful), Some(0));
        assert_eq!(chain(2).gave_way(NOW, true, |_| Good), Some(1));
        assert_eq!(chain(2).gave_way(NOW, true, |_| Doubtful), None);
    }

    #[test]
    fn what_others_stand_in_for_comes_back_when_it_does_well() {
        let mut chain = chain(1);
        assert_eq!(chain.gave_way(NOW, true, |_| Good), None);
        assert_eq!(chain.returning(NOW, |_| Doubtful), None);
        assert_eq!(chain.returning(NOW, |_| Due), None, "it failed this call lately");
        assert_eq!(chain.returning(NOW, |_| Good), Some(0), "it has answered somebody since");
        assert_eq!(chain.returning(NOW + Duration::from_secs(11), |_| Due), Some(0));
        assert_eq!(chain.stood_aside(NOW, |_| Good), None);
        assert_eq!(chain.returning(NOW, |_| Good), None, "it cannot serve the call");
    }

    #[test]
    fn one_that_is_late_gives_way_to_one_that_does_well_only() {
        assert_eq!(chain(2).substitute(NOW, |_| Good), Some(1));
        for standing in [Doubtful, Due, Tried, Open] {
            assert_eq!(chain(2).substitute(NOW, |_| standing), None);
        }
    }

    #[test]
    fn the_same_is_asked_of_another_that_does_well_and_in_a_chain_of_one_of_the_same() {
        assert_eq!(chain(2).second(NOW, |_| Good), Some(1));
        assert_eq!(chain(1).second(NOW, |_| Good), Some(0));
        for standing in [Doubtful, Due, Tried, Open] {
            assert_eq!(chain(1).second(NOW, |_| standing), None);
            assert_eq!(chain(2).second(NOW, |service| if service == 1 { standing } else { Good }), None);
        }
    }

    #[test]
    fn a_service_of_another_language_never_serves() {
        let mut chain = chain(4);
        chain.narrow(&(2..4), 3);
        assert_eq!((chain.serving(), chain.has_others()), (3, true));
        assert_eq!(chain.preferred(NOW, |_| Good), Some(2));
        let served: Vec<_> = (0..3).map(|_| chain.died(NOW, |_| Good)).collect();
        assert_eq!(served, [Some(2), Some(3), Some(2)]);
        assert_eq!(chain.refused(NOW, |_| Good), Some(3));
        chain.narrow(&(0..1), 0);
        assert_eq!((chain.serving(), chain.has_others()), (0, false));
        assert_eq!(chain.refused(NOW, |_| Good), None);
    }

    #[test]
    fn a_call_that_a_service_failed_leaves_the_try_to_others() {
        let mut chain = chain(2);
        assert_eq!(chain.died(NOW, |_| Good), Some(1));
        assert_eq!(chain.preferred(NOW, |_| Due), None);
        assert_eq!(chain.preferred(NOW, |_| Good), Some(0), "it has answered somebody since");
        assert_eq!(chain.preferred(NOW + Duration::from_secs(11), |_| Due), Some(0));
    }

    #[test]
    fn between_turns_a_call_goes_back_to_what_is_preferred() {
        let mut chain = chain(3);
        chain.serve(1);
        for (standings, to) in [
            ([Good, Good, Good], Some(0)),
            ([Due, Good, Good], Some(0)),
            ([Doubtful, Good, Good], None),
            ([Tried, Good, Good], None),
            ([Open, Good, Good], None),
            ([Open, Open, Good], Some(2)),
            ([Doubtful, Open, Good], Some(0)),
            ([Open, Open, Open], None),
        ] {
            assert_eq!(chain.preferred(NOW, |service| standings[service]), to, "{standings:?}");
        }
    }
}
