use super::cepstra::{CallMean, Cepstra};
use super::grammar::{self, Grammar};
use super::{Config, ModelError, sys};
use crate::pool::Cancelled;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, Once, PoisonError};

/// An instance of the recogniser, for one thread.
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
    /// Loads the model, whose files have been checked.
    pub(super) fn open(config: &Config) -> Result<Self, ModelError> {
        let model = &config.model;
        let refused = |path: &Path| ModelError::new(path, "the recogniser refuses it");
        let language = c_path(&model.language)?;
        let arguments = arguments(config)?;
        let _alone = library();
        let decoder = init(arguments).ok_or_else(|| refused(&model.acoustic))?;
        let mut opened = Self { decoder, width: 0 };
        // SAFETY: the front end belongs to the decoder, which is alive.
        let width = unsafe { sys::fe_get_output_size(sys::ps_get_fe(decoder.as_ptr())) };
        opened.width =
            usize::try_from(width).ok().filter(|width| *width > 0).ok_or_else(|| refused(&model.acoustic))?;
        // Before the language model: it would take the phones for words that may be said.
        opened.add_phones();
        // SAFETY: the decoder and the path are alive; the library copies the strings.
        if unsafe { sys::ps_set_lm_file(decoder.as_ptr(), FREE.as_ptr(), language.as_ptr()) } != 0 {
            return Err(refused(&model.language));
        }
        opened.leave_normalisation_to_us();
        Ok(opened)
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
    ) -> Result<String, DecodeError> {
        if cepstra.len() == 0 {
            return Ok(String::new());
        }
        assert_eq!(cepstra.width(), self.width, "cepstra come from this decoder or one with the same model");
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
        Ok(self.hypothesis())
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

    fn add_phones(&mut self) {
        for (word, phone) in grammar::bare_phones() {
            let (Ok(word), Ok(phone)) = (CString::new(word), CString::new(phone)) else { continue };
            // SAFETY: the decoder is alive and copies the strings; a phone that the model lacks is refused, and
            // grammars then as well.
            unsafe {
                sys::ps_add_word(self.decoder.as_ptr(), word.as_ptr(), phone.as_ptr(), 0);
            }
        }
    }

    fn leave_normalisation_to_us(&mut self) {
        // SAFETY: the features belong to the decoder, which is between utterances. Without a search (`no_search`), no
        // rows are read: it only lets the buffer of rows grow, for the look-ahead needs more rows of it than fit
        // beside a slice.
        unsafe {
            (*sys::ps_get_feat(self.decoder.as_ptr())).cmn = sys::CMN_NONE;
            sys::ps_process_cep(self.decoder.as_ptr(), ptr::null_mut(), 0, 1, 0);
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
            let word = *words.entry(arc.word.as_str()).or_insert_with(|| add_word(fsg, &arc.word));
            // SAFETY: as above; the word has just been added.
            unsafe {
                let log = sys::logmath_log(logmath, arc.weight) as f32 * LANGUAGE_WEIGHT;
                sys::fsg_model_trans_add(fsg.as_ptr(), arc.from as i32, arc.to as i32, log as i32, word);
            }
        }
        Some(fsg)
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

/// The number of a word in a grammar; one that C cannot hold is in no dictionary, like the empty word.
fn add_word(fsg: NonNull<sys::Fsg>, word: &str) -> i32 {
    let word = CString::new(word).unwrap_or_default();
    // SAFETY: the grammar is alive and copies the word.
    unsafe { sys::fsg_model_word_add(fsg.as_ptr(), word.as_ptr()) }
}

/// The weight of words against sounds.
const LANGUAGE_WEIGHT: f32 = 7.0;

fn arguments(config: &Config) -> Result<Vec<CString>, ModelError> {
    let plain = |text: String| CString::new(text).expect("numbers and names have no zero byte");
    let (acoustic, dictionary) = (c_path(&config.model.acoustic)?, c_path(&config.model.dictionary)?);
    let mut arguments = vec![c"ringway".to_owned()];
    let mut set = |name: &str, value| arguments.extend([plain(name.to_owned()), value]);
    set("-hmm", acoustic);
    set("-dict", dictionary);
    set("-lw", plain(LANGUAGE_WEIGHT.to_string()));
    set("-maxhmmpf", plain(config.max_hmms.to_string()));
    set("-maxwpf", plain(config.max_words.to_string()));
    // Silence has been trimmed away, and what is within an utterance tells words apart.
    set("-remove_silence", plain("no".into()));
    // A second pass over the whole utterance, which could not be cancelled.
    set("-fwdflat", plain("no".into()));
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

fn c_path(path: &Path) -> Result<CString, ModelError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| ModelError::new(path, "the path has a zero byte"))
}

/// The right to make decoders, one at a time: the library's front end has global variables that only its
/// initialisation writes to.
fn library() -> impl Drop {
    static LOCK: Mutex<()> = Mutex::new(());
    static QUIET: Once = Once::new();
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: under the lock; a null stream turns the log off, which is one for the whole process.
    QUIET.call_once(|| unsafe { sys::err_set_logfp(ptr::null_mut()) });
    guard
}
