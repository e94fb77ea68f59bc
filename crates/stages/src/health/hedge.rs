/// How many requests may be asked a second time: a share of all of them, a few saved up.
///
/// A second request when the first is later than 95 of 100 cuts the longest waits at the price of a few percent more load
/// (Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013). The bound keeps a service that is slow
/// for everybody from being asked for twice as much.
#[derive(Debug, Default)]
pub struct HedgeBudget {
    /// Requests for which no second one was made.
    saved: u32,
}

/// Requests of which one may be asked a second time.
const PER_HEDGE: u32 = 20;

/// Requests that are saved up at most.
const MOST: u32 = 5 * PER_HEDGE;

impl HedgeBudget {
    /// A request was made.
    pub fn asked(&mut self) {
        self.saved = (self.saved + 1).min(MOST);
    }

    /// Takes the leave to make a second one; `false`: there were too many.
    pub fn take(&mut self) -> bool {
        let left = self.saved.checked_sub(PER_HEDGE);
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }

    /// The leave was not used.
    pub fn give_back(&mut self) {
        self.saved = (self.saved + PER_HEDGE).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_twenty_requests_may_be_asked_twice() {
        let mut budget = HedgeBudget::default();
        let mut twice = |_: &u32| {
            budget.asked();
            budget.take()
        };
        assert_eq!((1..=60).filter(|request| twice(request)).collect::<Vec<_>>(), [20, 40, 60]);
    }

    #[test]
    fn after_a_long_good_time_a_few_may_be_asked_twice_in_a_row() {
        let mut budget = HedgeBudget::default();
        (0..10_000).for_each(|_| budget.asked());
        assert!(budget.take());
        budget.give_back();
        assert_eq!((0..10).filter(|_| budget.take()).count(), 5);
    }

    proptest! {
        #[test]
        fn never_more_than_a_twentieth_of_all_is_asked_twice(late in prop::collection::vec(any::<bool>(), 0..2_000)) {
            let (mut budget, mut twice) = (HedgeBudget::default(), 0);
            for (before, late) in late.into_iter().enumerate() {
                budget.asked();
                twice += usize::from(late && budget.take());
                prop_assert!(twice * 20 <= before + 1);
            }
        }
    }
}
