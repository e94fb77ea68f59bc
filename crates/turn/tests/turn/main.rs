//! Whole conversations in virtual time.

mod barge_in;
mod conversation;
mod endings;
mod faults;
mod history;
mod invariants;
mod late;
mod line;
mod marks;
mod recordings;
mod tools;
