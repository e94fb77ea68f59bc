use super::ModelError;
use super::decoder::{c_path, library};
use super::sys;
use std::cmp::Reverse;
use std::ffi::CStr;
use std::path::Path;
use std::ptr::{self, NonNull};

/// A language model, open to be read in.
struct Language(NonNull<sys::NgramModel>);

/// The `count` commonest words of the language model at `path`, the commonest first.
pub(super) fn commonest_words(path: &Path, count: usize) -> Result<Vec<String>, ModelError> {
    let mut words = Language::open(path)?.words();
    words.sort_by_key(|(score, _)| Reverse(*score));
    words.truncate(count);
    Ok(words.into_iter().map(|(_, word)| word).collect())
}

impl Language {
    fn open(path: &Path) -> Result<Self, ModelError> {
        let name = c_path(path)?;
        let _alone = library();
        // SAFETY: the name is alive, and the model holds a reference of its own to the logarithms.
        let model = unsafe {
            let logmath = sys::logmath_init(LOG_BASE, 0, 0);
            let model = sys::ngram_model_read(ptr::null_mut(), name.as_ptr(), sys::NGRAM_AUTO, logmath);
            sys::logmath_free(logmath);
            model
        };
        NonNull::new(model).map(Self).ok_or_else(|| ModelError::new(path, "the recogniser refuses it"))
    }

    /// All words, without marks such as `<s>`, and how common they are.
    fn words(&self) -> Vec<(i32, String)> {
        let model = self.0.as_ptr();
        // SAFETY: the model is alive, and counts at least its words.
        let count = unsafe { *sys::ngram_model_get_counts(model) };
        (0..count as i32).filter_map(|number| self.word(number)).collect()
    }

    fn word(&self, number: i32) -> Option<(i32, String)> {
        let mut used = 0;
        // SAFETY: the model is alive, it has that many words, and their strings live as long; there is no history.
        let (score, word) = unsafe {
            let score = sys::ngram_ng_score(self.0.as_ptr(), number, ptr::null_mut(), 0, &mut used);
            (score, NonNull::new(sys::ngram_word(self.0.as_ptr(), number).cast_mut())?)
        };
        // SAFETY: as above.
        let word = unsafe { CStr::from_ptr(word.as_ptr()) }.to_str().ok()?;
        word.starts_with(|first: char| first.is_alphabetic()).then(|| (score, word.to_owned()))
    }
}

impl Drop for Language {
    fn drop(&mut self) {
        // SAFETY: nobody else has a reference.
        unsafe {
            sys::ngram_model_free(self.0.as_ptr());
        }
    }
}

/// The library's own.
const LOG_BASE: f64 = 1.0001;

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::*;

    #[test]
    fn the_commonest_words_come_first() {
        let words = commonest_words(&Model::default().language, 2_500).unwrap();
        assert_eq!(words[..3], ["the", "to", "i"]);
        assert_eq!(words.len(), 2_500);
        assert!(["october", "monday", "yes"].iter().all(|word| words.iter().any(|common| common == word)));
    }

    #[test]
    fn what_is_no_language_model_is_refused_by_its_path() {
        let error = commonest_words(Path::new("/nowhere.lm"), 10).unwrap_err();
        assert_eq!(error.path, Path::new("/nowhere.lm"));
    }
}
