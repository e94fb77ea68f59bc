//! Whole calls on virtual time, with engines whose work can be read.

mod common;
mod conversation;
mod supervision;
