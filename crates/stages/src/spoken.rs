//! What words mean when they are spoken: numbers, fillers, and one form for every way to write the same thing.
//!
//! Recognisers write the same speech differently: "Monday at 3.", "monday at three", "um on monday". Both the matching
//! of answers and [`Expectation::completes`](crate::Expectation::completes) compare [`words()`], so that they agree.

mod number;
mod words;

pub use number::{
    DigitRun, cardinal, cardinal_words, digit_runs, digit_words, ordinal, ordinal_words, whole_run,
};
pub use words::{is_filler, without_fillers, words};
