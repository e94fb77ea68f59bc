//! Whole calls on virtual time, with engines whose work can be read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chains;
mod common;
mod conversation;
mod converse;
mod detector;
mod endings;
mod escalation;
mod floods;
mod hedge;
mod history;
mod languages;
mod legs;
mod lifecycle;
mod marks;
mod parties;
mod refusals;
mod streaming;
mod supervision;
mod take_over;
mod tap;
mod tools;
