//! Dialogues: conversations with the shipped ones and with small ones, sessions that die, mistakes in files.

mod any_text;
mod conversations;
mod mistakes;
mod rules;
mod sessions;
mod support;
