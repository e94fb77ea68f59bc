//! Rings from the outside, on the real queue.
#![cfg(not(loom))]

mod epoch_gate;
mod lending;
mod model;
mod support;
mod threads;
