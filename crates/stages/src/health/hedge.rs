/// How many requests may be asked a second time: a share of all of them, some of it saved up.
///
/// A second request when the first is later than 95 of 100 cuts the longest waits at the price of a few percent more load
/// (Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013). The bound keeps a service that is slow
/// for everybody from being asked for twice as much.
#[derive(Debug, Default)]
pub struct HedgeBudget {
    saved: f64,
}

/// Of all requests.
const SHARE: f64 = 0.05;

/// Second requests that are saved up at most.
const MOST: f64 = 5.0;

impl HedgeBudget {
    /// A request was made.
    pub fn asked(&mut self) {
        self.saved = (self.saved + SHARE).min(MOST);
    }

    /// Takes the leave to make a second one; `false`: there were too many.
    pub fn take(&mut self) -> bool {
        // A sum of twentieths may be a little short of one.
        let enough = self.saved > 1.0 - SHARE / 2.0;
        if enough {
            self.saved -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_twenty_requests_may_be_asked_twice() {
        let mut budget = HedgeBudget::default();
        let second: Vec<u32> = (1..=60).filter(|_| {
            budget.asked();
            budget.take()
        }).collect();
        assert_eq!(second, [20, 40, 60]);
    }

    proptest! {
        #[test]
        fn no_more_than_the_share_is_ever_asked_twice(late in prop::collection::vec(any::<bool>(), 0..2_000)) {
            let mut budget = HedgeBudget::default();
            for (made, late) in late.iter().enumerate() {
                budget.asked();
                let before = late.then(|| budget.saved);
                prop_assert!(budget.saved <= MOST);
                if before.is_some() && budget.take() {
                    prop_assert!(made + 1 >= 20);
                }
            }
            let second = (0..10).filter(|_| budget.take()).count();
            prop_assert!(second as f64 <= MOST && second as f64 <= late.len() as f64 * SHARE + 0.5);
        }
    }
}
