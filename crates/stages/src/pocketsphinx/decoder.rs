use super::cepstra::{CallMean, Cepstra};
use super::grammar::{self, Grammar};
use super::transcript::{Span, Transcript};
use super::{Config, Model, ModelError, sys};
use crate::pool::Cancelled;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::iter::once;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, Once, PoisonError};

/// An instance of the recogniser, for one thread: either for answers that are expected, or for free speech.
///
/// It remembers nothing of an utterance: what is known of a call comes with the call.
#[derive(Debug)]
pub(super) struct Decoder {
    decoder: NonNull<sys::Decoder>,
    /// Values in a row of cepstra.
    width: usize,
}

/// Called between slices of work: whether the job is still wanted.
pub(super) type Checkpoint<'a> = dyn Fn() -> Result<(), Cancelled> + 'a;

/// The search for free speech.
pub(super) const FREE: &CStr = c"free";

/// Why there is no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    Cancelled,
    /// The library refuses the utterance.
    Refused,
}

impl From<Cancelled> for DecodeError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Samples, at 16 kHz, between two looks at whether the job is still wanted: 100 ms.
const SLICE: usize = 1_600;

/// The same in rows of cepstra.
const SLICE_ROWS: usize = 10;

/// Rows behind each one that its differences over time are made of (feature type `1s_c_d_dd`).
const WINDOW: usize = 3;

impl Decoder {
    /// One for what grammars expect. It compares each sound with all that the language has (`-compallsen`), so that a
    /// transcript tells how well it fits, and in more detail than free speech could afford (`-topn`).
    pub(super) fn for_answers(config: &Config) -> Result<Self, ModelError> {
        let mut options = vec![("-compallsen", "yes".to_owned()), ("-topn", "16".to_owned())];
        options.push(("-fsgusealtpron", "no".to_owned()));
        options.extend(BEAMS.map(|(name, least)| (name, least.to_owned())));
        Self::open(&config.model, arguments(&config.model, &options)?)
    }

    /// One for anything, with the search [`FREE`]. It looks only at sounds that some likely word needs.
    pub(super) fn for_free_speech(config: &Config) -> Result<Self, ModelError> {
        let (hmms, words) = (config.max_hmms.to_string(), config.max_words.to_string());
        // The second pass, over the whole utterance, could not be cancelled.
        let options = [("-fwdflat", "no".to_owned()), ("-maxhmmpf", hmms), ("-maxwpf", words)];
        let mut opened = Self::open(&config.model, arguments(&config.model, &options)?)?;
        opened.add_language(&config.model.language)?;
        Ok(opened)
    }

    /// Loads the model, whose files have been checked.
    fn open(model: &Model, arguments: Vec<CString>) -> Result<Self, ModelError> {
        let refused = |path: &Path| ModelError::new(path, "the recogniser refuses it");
        let _alone = library();
        let decoder = init(arguments).ok_or_else(|| refused(&model.acoustic))?;
        let mut opened = Self { decoder, width: 0 };
        // SAFETY: the front end belongs to the decoder, which is alive.
        let width = unsafe { sys::fe_get_output_size(sys::ps_get_fe(decoder.as_ptr())) };
        opened.width =
            usize::try_from(width).ok().filter(|width| *width > 0).ok_or_else(|| refused(&model.acoustic))?;
        opened.leave_normalisation_to_us();
        Ok(opened)
    }

    fn add_language(&mut self, path: &Path) -> Result<(), ModelError> {
        let language = c_path(path)?;
        // SAFETY: the decoder and the strings are alive, and the library copies what it keeps. Without a search
        // (`no_search`), no rows are read: the buffer of rows is only told that it may grow, for the look-ahead needs
        // more rows than fit into it beside a slice.
        unsafe {
            if sys::ps_set_lm_file(self.decoder.as_ptr(), FREE.as_ptr(), language.as_ptr()) != 0 {
                return Err(ModelError::new(path, "the recogniser refuses it"));
            }
            sys::ps_process_cep(self.decoder.as_ptr(), ptr::null_mut(), 0, 1, 0);
        }
        Ok(())
    }

    /// The mean of cepstra that the model expects of a call.
    pub(super) fn expected_mean(&self) -> CallMean {
        // SAFETY: the configuration lives as long as the decoder, and its strings with it.
        let text = unsafe {
            let text = sys::cmd_ln_str_r(sys::ps_get_config(self.decoder.as_ptr()), c"-cmninit".as_ptr());
            if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
        };
        let mut mean: Vec<f32> = text.split(',').filter_map(|value| value.trim().parse().ok()).collect();
        mean.resize(self.width, 0.0);
        CallMean::expected(mean)
    }

    /// Whether the dictionary has the word.
    pub(super) fn knows(&self, word: &str) -> bool {
        let Ok(word) = CString::new(word) else { return false };
        // SAFETY: the decoder is alive; the answer is ours, from `malloc`, or null, which `free` takes as well.
        unsafe {
            let phones = sys::ps_lookup_word(self.decoder.as_ptr(), word.as_ptr());
            sys::free(phones.cast());
            !phones.is_null()
        }
    }

    /// Adds a search over `grammar`; whether all its words are known.
    pub(super) fn add(&mut self, name: &CStr, grammar: &Grammar) -> bool {
        let Some(fsg) = self.compile(name, grammar) else { return false };
        // SAFETY: all three are alive; the decoder retains the grammar, so that our reference is given back.
        unsafe {
            let added = sys::ps_set_fsg(self.decoder.as_ptr(), name.as_ptr(), fsg.as_ptr()) == 0;
            sys::fsg_model_free(fsg.as_ptr());
            added
        }
    }

    /// Removes a search that [`add`](Self::add) added.
    pub(super) fn remove(&mut self, name: &CStr) {
        // SAFETY: the decoder is alive and between utterances; a name that is not there is refused.
        unsafe {
            sys::ps_unset_search(self.decoder.as_ptr(), name.as_ptr());
        }
    }

    /// The features of speech at 16 kHz.
    pub(super) fn cepstra(
        &mut self,
        speech: &[i16],
        checkpoint: &Checkpoint<'_>,
    ) -> Result<Cepstra, Cancelled> {
        let mut cepstra = Cepstra::new(self.width);
        // SAFETY: the front end belongs to the decoder, which is between utterances.
        let front_end = unsafe {
            let front_end = sys::ps_get_fe(self.decoder.as_ptr());
            sys::fe_start_stream(front_end);
            sys::fe_start_utt(front_end);
            front_end
        };
        for slice in speech.chunks(SLICE) {
            checkpoint()?;
            // A row starts every 160 samples; one more may have waited for the end of its window.
            cepstra.extend(slice.len() / 160 + 2, |rows| self.analyse(front_end, slice, rows));
        }
        cepstra.extend(1, |row| {
            let mut count = 0;
            // SAFETY: the front end is alive, and there is room for the one row that may be left.
            unsafe { sys::fe_end_utt(front_end, row.as_mut_ptr(), &mut count) };
            usize::try_from(count).unwrap_or(0)
        });
        Ok(cepstra)
    }

    /// The words of an utterance, in the search `name`; empty when nothing fits.
    ///
    /// `cepstra` are normalised.
    pub(super) fn decode(
        &mut self,
        name: &CStr,
        mut cepstra: Cepstra,
        checkpoint: &Checkpoint<'_>,
    ) -> Result<Transcript, DecodeError> {
        if cepstra.len() == 0 {
            return Ok(Transcript::default());
        }
        assert_eq!(cepstra.width(), self.width, "cepstra come from this decoder or one with the same model");
        let rows = cepstra.len();
        // The library would add it only to what its own front end made.
        cepstra.lead_out(WINDOW);
        // SAFETY: the decoder is alive; it refuses an unknown name, or to start twice.
        unsafe {
            let decoder = self.decoder.as_ptr();
            if sys::ps_set_search(decoder, name.as_ptr()) != 0 || sys::ps_start_utt(decoder) != 0 {
                return Err(DecodeError::Refused);
            }
        }
        let fed = self.feed(&mut cepstra, checkpoint);
        // SAFETY: the utterance was started above. A cancelled one ends too, or the next could not begin.
        unsafe {
            sys::ps_end_utt(self.decoder.as_ptr());
        }
        fed?;
        Ok(Transcript { text: self.hypothesis(), spans: self.spans(), rows })
    }

    fn feed(&mut self, cepstra: &mut Cepstra, checkpoint: &Checkpoint<'_>) -> Result<(), DecodeError> {
        let mut rows: Vec<*mut f32> = cepstra.rows_mut().map(<[f32]>::as_mut_ptr).collect();
        for slice in rows.chunks_mut(SLICE_ROWS) {
            checkpoint()?;
            let decoder = self.decoder.as_ptr();
            // SAFETY: an utterance runs; each pointer is to a row of the decoder's width, which it copies.
            let done = unsafe { sys::ps_process_cep(decoder, slice.as_mut_ptr(), slice.len() as i32, 0, 0) };
            if done < 0 {
                return Err(DecodeError::Refused);
            }
        }
        Ok(())
    }

    fn hypothesis(&mut self) -> String {
        let mut score = 0;
        // SAFETY: the decoder is between utterances; its string lives until the next one begins.
        unsafe {
            let text = sys::ps_get_hyp(self.decoder.as_ptr(), &mut score);
            if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
        }
    }

    fn spans(&mut self) -> Vec<Span> {
        let mut spans = Vec::new();
        // SAFETY: the decoder is between utterances, and stays so while its words are gone through, to the end; a
        // word's string belongs to the dictionary.
        unsafe {
            let mut segment = sys::ps_seg_iter(self.decoder.as_ptr());
            while !segment.is_null() {
                spans.push(span(segment));
                segment = sys::ps_seg_next(segment);
            }
        }
        spans
    }

    /// Writes the cepstra of `slice` into `rows`; how many.
    fn analyse(&self, front_end: *mut sys::FrontEnd, slice: &[i16], rows: &mut [f32]) -> usize {
        let mut pointers: Vec<*mut f32> =
            rows.chunks_exact_mut(self.width).map(<[f32]>::as_mut_ptr).collect();
        let mut samples = slice.as_ptr();
        let mut sample_count = slice.len();
        let mut count = pointers.len() as i32;
        let mut index = 0;
        // SAFETY: the front end is alive; it reads at most `sample_count` samples and writes at most `count` rows.
        unsafe {
            let rows = pointers.as_mut_ptr();
            sys::fe_process_frames(front_end, &mut samples, &mut sample_count, rows, &mut count, &mut index);
        }
        usize::try_from(count).unwrap_or(0)
    }

    fn leave_normalisation_to_us(&mut self) {
        // SAFETY: the features belong to the decoder, which is between utterances.
        unsafe {
            (*sys::ps_get_feat(self.decoder.as_ptr())).cmn = sys::CMN_NONE;
        }
    }

    /// The grammar as the library holds it, with one reference; `None`: out of memory, or a name that C cannot hold.
    fn compile(&self, name: &CStr, grammar: &Grammar) -> Option<NonNull<sys::Fsg>> {
        // SAFETY: the decoder, and the logarithms with it, are alive, and the library copies the name.
        let (logmath, fsg) = unsafe {
            let logmath = sys::ps_get_logmath(self.decoder.as_ptr());
            let fsg = sys::fsg_model_init(name.as_ptr(), logmath, LANGUAGE_WEIGHT, grammar.states as i32);
            (logmath, NonNull::new(fsg)?)
        };
        // SAFETY: `fsg` is new and ours; all states are below the number that it was made for.
        unsafe {
            (*fsg.as_ptr()).start_state = grammar::START as i32;
            (*fsg.as_ptr()).final_state = grammar::END as i32;
        }
        let mut words = HashMap::new();
        for arc in &grammar.arcs {
            let numbers: &Vec<i32> = words
                .entry(arc.word.as_str())
                .or_insert_with(|| self.pronunciations(&arc.word).map(|word| add_word(fsg, &word)).collect());
            for word in numbers {
                // SAFETY: as above; the word has been added.
                unsafe {
                    let log = sys::logmath_log(logmath, arc.weight) as f32 * LANGUAGE_WEIGHT;
                    sys::fsg_model_trans_add(fsg.as_ptr(), arc.from as i32, arc.to as i32, log as i32, *word);
                }
            }
        }
        Some(fsg)
    }

    /// The word, and the names of its other pronunciations: `word(2)` and so on.
    ///
    /// The library would add them too (`-fsgusealtpron`), but goes through the whole grammar for each: half a second
    /// for one with thousands of words.
    fn pronunciations(&self, word: &str) -> impl Iterator<Item = String> {
        let others = (2..).map(move |number| format!("{word}({number})"));
        once(word.to_owned()).chain(others.take_while(|other| self.knows(other)))
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: nobody else has a reference.
        unsafe {
            sys::ps_free(self.decoder.as_ptr());
        }
    }
}

/// # Safety
/// `segment` is alive.
unsafe fn span(segment: *mut sys::Segment) -> Span {
    let (mut first, mut last, mut acoustic, mut language, mut back_off) = (0, 0, 0, 0, 0);
    // SAFETY: see above; the string lives as long as the dictionary.
    let is_word = unsafe {
        sys::ps_seg_frames(segment, &mut first, &mut last);
        sys::ps_seg_prob(segment, &mut acoustic, &mut language, &mut back_off);
        let word = sys::ps_seg_word(segment);
        // Silence and noises are in brackets.
        !word.is_null() && !matches!(CStr::from_ptr(word).to_bytes(), [b'<' | b'[' | b'+' | b'(', ..])
    };
    Span { is_word, rows: usize::try_from(last - first + 1).unwrap_or(0), score: acoustic }
}

/// The number of a word in a grammar; one that C cannot hold is in no dictionary, like the empty word.
fn add_word(fsg: NonNull<sys::Fsg>, word: &str) -> i32 {
    let word = CString::new(word).unwrap_or_default();
    // SAFETY: the grammar is alive and copies the word.
    unsafe { sys::fsg_model_word_add(fsg.as_ptr(), word.as_ptr()) }
}

/// How much less likely than the best a path may become before it is given up: wide enough that an answer survives an
/// onset that the line swallowed, beside the many words that are no answers.
const BEAMS: [(&str, &str); 3] = [("-beam", "1e-80"), ("-pbeam", "1e-80"), ("-wbeam", "1e-60")];

/// The weight of words against sounds.
const LANGUAGE_WEIGHT: f32 = 7.0;

fn arguments(model: &Model, options: &[(&str, String)]) -> Result<Vec<CString>, ModelError> {
    let plain = |text: &str| CString::new(text).expect("numbers and names have no zero byte");
    let mut arguments = vec![c"ringway".to_owned()];
    let mut set = |name: &str, value| arguments.extend([plain(name), value]);
    set("-hmm", c_path(&model.acoustic)?);
    set("-dict", c_path(&model.dictionary)?);
    set("-lw", plain(&LANGUAGE_WEIGHT.to_string()));
    // Silence has been trimmed away, and what is within an utterance tells words apart.
    set("-remove_silence", plain("no"));
    options.iter().for_each(|(name, value)| set(name, plain(value)));
    Ok(arguments)
}

fn init(arguments: Vec<CString>) -> Option<NonNull<sys::Decoder>> {
    let mut argv: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    // SAFETY: the arguments are alive and are copied, never written to; the decoder holds a reference of its own to
    // the configuration. Null is passed on by none.
    unsafe {
        let argc = argv.len() as i32;
        let config = sys::cmd_ln_parse_r(ptr::null_mut(), sys::ps_args(), argc, argv.as_mut_ptr(), 1);
        if config.is_null() {
            return None;
        }
        let decoder = NonNull::new(sys::ps_init(config));
        sys::cmd_ln_free_r(config);
        decoder
    }
}

pub(super) fn c_path(path: &Path) -> Result<CString, ModelError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| ModelError::new(path, "the path has a zero byte"))
}

/// The right to make decoders, one at a time: the library's front end has global variables that only its
/// initialisation writes to.
pub(super) fn library() -> impl Drop {
    static LOCK: Mutex<()> = Mutex::new(());
    static QUIET: Once = Once::new();
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: under the lock; a null stream turns the log off, which is one for the whole process.
    QUIET.call_once(|| unsafe { sys::err_set_logfp(ptr::null_mut()) });
    guard
}
