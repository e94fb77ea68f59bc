use serde::{Deserialize, Serialize};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The objective held.
    Held,
    /// It did not.
    Broke,
    /// The tester was late itself: nothing is known.
    Invalid,
}

/// How calls grow from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// By this factor, above 1.
    Factor(f64),
    /// By so many.
    Step(u32),
}

/// Which number of calls is tried next: up until it breaks, then halving what is between the most that held and the
/// fewest that broke. A step that was invalid is tried once more; invalid again, nothing above it is tried.
#[derive(Clone, Debug)]
pub struct Ladder {
    next: u32,
    growth: Growth,
    max: u32,
    bisections: u32,
    held: u32,
    /// The fewest that broke, or that the tester could not carry.
    limit: Option<(u32, Verdict)>,
    was_invalid: bool,
}

/// Halving ends when what is between is at most this share of what held.
const FINE_ENOUGH: f64 = 0.02;

impl Ladder {
    /// Begins with `start` calls.
    pub fn new(start: u32, growth: Growth, max: u32, bisections: u32) -> Self {
        Self { next: start.min(max), growth, max, bisections, held: 0, limit: None, was_invalid: false }
    }

    /// How many calls are tried now.
    pub const fn calls(&self) -> u32 {
        self.next
    }

    /// Goes on after the step now; `false` when there is nothing left to be tried.
    pub fn go_on(&mut self, verdict: Verdict) -> bool {
        if verdict == Verdict::Invalid && !std::mem::replace(&mut self.was_invalid, true) {
            return true;
        }
        self.was_invalid = false;
        match verdict {
            Verdict::Held => self.held = self.next,
            Verdict::Broke | Verdict::Invalid => self.limit = Some((self.next, verdict)),
        }
        let next = match self.limit {
            None => self.climb(),
            Some((limit, _)) => self.halve(limit),
        };
        self.next = next.unwrap_or(self.next);
        next.is_some()
    }

    /// What the fewest calls that did not hold died of; `None` when all held.
    pub const fn limit(&self) -> Option<Verdict> {
        match self.limit {
            Some((_, verdict)) => Some(verdict),
            None => None,
        }
    }

    fn climb(&self) -> Option<u32> {
        let next = match self.growth {
            Growth::Factor(factor) => (f64::from(self.next) * factor).round() as u32,
            Growth::Step(step) => self.next.saturating_add(step),
        };
        (self.next < self.max).then(|| next.clamp(self.next + 1, self.max))
    }

    fn halve(&mut self, limit: u32) -> Option<u32> {
        let between = limit - self.held;
        let is_fine = between <= 1 || f64::from(between) <= f64::from(self.held) * FINE_ENOUGH;
        if self.bisections == 0 || is_fine {
            return None;
        }
        self.bisections -= 1;
        Some(self.held + between / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps against a server that holds up to `ceiling`; above `late` the tester is late.
    fn steps(mut ladder: Ladder, ceiling: u32, late: u32) -> (Vec<u32>, Option<Verdict>) {
        let mut tried = Vec::new();
        loop {
            let calls = ladder.calls();
            tried.push(calls);
            let verdict = match calls {
                calls if calls > late => Verdict::Invalid,
                calls if calls > ceiling => Verdict::Broke,
                _ => Verdict::Held,
            };
            if !ladder.go_on(verdict) {
                return (tried, ladder.limit());
            }
        }
    }

    const NEVER: u32 = u32::MAX;

    #[test]
    fn it_climbs_until_it_breaks_then_halves() {
        let ladder = Ladder::new(50, Growth::Factor(2.0), 10_000, 2);
        assert_eq!(steps(ladder, 330, NEVER), (vec![50, 100, 200, 400, 300, 350], Some(Verdict::Broke)));
    }

    #[test]
    fn it_climbs_by_steps_up_to_the_most() {
        let ladder = Ladder::new(100, Growth::Step(150), 500, 2);
        assert_eq!(steps(ladder, NEVER, NEVER), (vec![100, 250, 400, 500], None));
    }

    #[test]
    fn a_server_that_carries_nothing_is_halved_down() {
        let ladder = Ladder::new(8, Growth::Factor(2.0), 100, 5);
        assert_eq!(steps(ladder, 0, NEVER), (vec![8, 4, 2, 1], Some(Verdict::Broke)));
    }

    #[test]
    fn an_invalid_step_is_tried_once_more_and_is_then_the_limit() {
        let ladder = Ladder::new(100, Growth::Factor(2.0), 10_000, 1);
        let (tried, limit) = steps(ladder, NEVER, 250);
        assert_eq!((tried, limit), (vec![100, 200, 400, 400, 300, 300], Some(Verdict::Invalid)));
    }

    #[test]
    fn halving_ends_when_it_is_fine_enough() {
        let ladder = Ladder::new(1_000, Growth::Step(20), 10_000, 5);
        assert_eq!(steps(ladder, 1_000, NEVER).0, [1_000, 1_020]);
    }

    #[test]
    fn small_factors_still_climb() {
        let ladder = Ladder::new(1, Growth::Factor(1.1), 4, 0);
        assert_eq!(steps(ladder, NEVER, NEVER).0, [1, 2, 3, 4]);
    }
}
