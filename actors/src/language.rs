//! The languages that calls can be in, and the engines of each.

use crate::engines::{Engines, Phrase};
use ringway_turn::StageKind;
use std::ops::Range;

/// A language that a call can be in.
#[derive(Clone, Debug, Default)]
pub struct Language {
    /// Its code, as configuration and callers write it.
    pub code: String,
    /// Its name, as a model is told.
    pub name: String,
    /// Its recognisers among [`Engines::stt`], in order of preference.
    pub stt: Range<usize>,
    /// Its voices among [`Engines::tts`].
    pub tts: Range<usize>,
    /// What is said in it when a stage cannot be restored.
    pub apology: Phrase,
    /// What is said in it while an answer takes long.
    pub filler: Phrase,
}

/// Which of [`Engines::languages`]; 0 where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LanguageIndex(usize);

impl Engines {
    /// The language of this code, whatever its case; without one, the first.
    pub(crate) fn language_or_first(&self, code: Option<&str>) -> LanguageIndex {
        let is = |code| move |language: &Language| language.code.eq_ignore_ascii_case(code);
        LanguageIndex(code.and_then(|code| self.languages.iter().position(is(code))).unwrap_or(0))
    }

    pub(crate) fn language(&self, index: LanguageIndex) -> Option<&Language> {
        self.languages.get(index.0)
    }

    /// The chains of a stage: its engines, language by language.
    pub fn chains(&self, stage: StageKind) -> Vec<Range<usize>> {
        let mut chains: Vec<_> =
            (0..self.languages.len().max(1)).map(|index| self.links(stage, LanguageIndex(index))).collect();
        chains.dedup();
        chains
    }

    /// The engines that can serve a stage in this language.
    pub(crate) fn links(&self, stage: StageKind, language: LanguageIndex) -> Range<usize> {
        match (stage, self.language(language)) {
            (StageKind::Stt, Some(language)) => language.stt.clone(),
            (StageKind::Tts, Some(language)) => language.tts.clone(),
            _ => 0..self.count(stage),
        }
    }

    pub(crate) fn apology_in(&self, language: LanguageIndex) -> &Phrase {
        self.language(language).map_or(&self.apology, |language| &language.apology)
    }

    pub(crate) fn filler_in(&self, language: LanguageIndex) -> &Phrase {
        self.language(language).map_or(&self.filler, |language| &language.filler)
    }
}
