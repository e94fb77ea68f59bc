//! Models with tools, as a call sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod declarations;
mod http;
mod languages;
mod model;
mod speech;
mod toolbox;
