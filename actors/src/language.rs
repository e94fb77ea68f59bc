//! The languages that calls can be in.

use crate::phrase::Phrase;
use std::ops::Range;

/// A language that a call can be in.
#[derive(Clone, Debug, Default)]
pub struct Language {
    /// Its code, as configuration and callers write it.
    pub code: String,
    /// Its name, as a model is told.
    pub name: String,
    /// Its recognisers among [`Engines::stt`](crate::Engines::stt), in order of preference.
    pub stt: Range<usize>,
    /// Its voices among [`Engines::tts`](crate::Engines::tts).
    pub tts: Range<usize>,
    /// What is said in it when a stage cannot be restored.
    pub apology: Phrase,
    /// What is said in it while an answer takes long.
    pub filler: Phrase,
}

/// Which of [`Engines::languages`](crate::Engines::languages); 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LanguageIndex(pub(crate) usize);
