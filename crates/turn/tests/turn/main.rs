//! Whole conversations in virtual time.

mod barge_in;
mod conversation;
mod converse;
mod endings;
mod faults;
mod invariants;
mod line;
mod marks;
mod recordings;
