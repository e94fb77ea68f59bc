//! Whole conversations in virtual time.

mod barge_in;
mod by_ear;
mod conversation;
mod converse;
mod detached;
mod endings;
mod faults;
mod hedge;
mod history;
mod invariants;
mod keys;
mod languages;
mod late;
mod latency;
mod line;
mod marks;
mod orders;
mod recordings;
mod refusals;
mod snapshots;
mod table;
mod tools;
