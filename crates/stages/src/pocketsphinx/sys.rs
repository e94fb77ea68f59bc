//! The parts of the C interfaces of PocketSphinx and SphinxBase that are used, after Debian's 0.8+5prealpha
//! (`pocketsphinx.h`, `ps_search.h`, `cmd_ln.h`, `err.h`, `fe.h`, `feat.h`, `fsg_model.h`, `logmath.h`, `ngram_model.h`).

use std::ffi::{c_char, c_int, c_void};

/// An opaque C type.
macro_rules! opaque {
    ($($name:ident)*) => {
        $(
            #[repr(C)]
            pub(super) struct $name {
                _opaque: [u8; 0],
            }
        )*
    };
}

opaque!(Arg CmdLn Decoder FrontEnd LogMath NgramModel Segment);

/// `feat_t` up to what is used.
#[repr(C)]
pub(super) struct Features {
    refcount: c_int,
    name: *mut c_char,
    cepstrum_size: i32,
    streams: i32,
    stream_len: *mut u32,
    window_size: i32,
    subvector_count: i32,
    subvector_len: *mut u32,
    subvectors: *mut *mut i32,
    subvector_buffer: *mut f32,
    subvector_dimensions: i32,
    /// Which cepstral mean normalisation is done: a `cmn_type_t`.
    pub(super) cmn: c_int,
}

/// `NGRAM_AUTO` of `ngram_file_type_t`.
pub(super) const NGRAM_AUTO: c_int = 0;

/// `CMN_NONE` of `cmn_type_t`.
pub(super) const CMN_NONE: c_int = 0;

/// `fsg_model_t` up to what is used.
#[repr(C)]
pub(super) struct Fsg {
    refcount: c_int,
    name: *mut c_char,
    words: i32,
    words_allocated: i32,
    vocabulary: *mut *mut c_char,
    silence_words: *mut u32,
    alternate_words: *mut u32,
    logmath: *mut LogMath,
    states: i32,
    pub(super) start_state: i32,
    pub(super) final_state: i32,
}

unsafe extern "C" {
    /// Of the C library: gives back what the library allocated for us.
    pub(super) fn free(memory: *mut c_void);

    pub(super) fn err_set_logfp(stream: *mut c_void);

    pub(super) fn cmd_ln_parse_r(
        previous: *mut CmdLn,
        definitions: *const Arg,
        argc: i32,
        argv: *mut *mut c_char,
        strict: i32,
    ) -> *mut CmdLn;
    pub(super) fn cmd_ln_str_r(config: *mut CmdLn, name: *const c_char) -> *const c_char;
    pub(super) fn cmd_ln_free_r(config: *mut CmdLn) -> c_int;

    pub(super) fn ps_args() -> *const Arg;
    pub(super) fn ps_init(config: *mut CmdLn) -> *mut Decoder;
    pub(super) fn ps_free(decoder: *mut Decoder) -> c_int;
    pub(super) fn ps_get_config(decoder: *mut Decoder) -> *mut CmdLn;
    pub(super) fn ps_get_logmath(decoder: *mut Decoder) -> *mut LogMath;
    pub(super) fn ps_get_fe(decoder: *mut Decoder) -> *mut FrontEnd;
    pub(super) fn ps_get_feat(decoder: *mut Decoder) -> *mut Features;
    /// The caller frees the answer.
    pub(super) fn ps_lookup_word(decoder: *mut Decoder, word: *const c_char) -> *mut c_char;
    pub(super) fn ps_set_lm_file(decoder: *mut Decoder, name: *const c_char, path: *const c_char) -> c_int;
    pub(super) fn ps_set_fsg(decoder: *mut Decoder, name: *const c_char, fsg: *mut Fsg) -> c_int;
    pub(super) fn ps_set_search(decoder: *mut Decoder, name: *const c_char) -> c_int;
    pub(super) fn ps_unset_search(decoder: *mut Decoder, name: *const c_char) -> c_int;
    pub(super) fn ps_start_utt(decoder: *mut Decoder) -> c_int;
    pub(super) fn ps_process_cep(
        decoder: *mut Decoder,
        cepstra: *mut *mut f32,
        frames: i32,
        no_search: c_int,
        full_utterance: c_int,
    ) -> c_int;
    pub(super) fn ps_end_utt(decoder: *mut Decoder) -> c_int;
    pub(super) fn ps_get_hyp(decoder: *mut Decoder, score: *mut i32) -> *const c_char;

    /// Words of the transcript in their order; one that is not run to its end must be freed.
    pub(super) fn ps_seg_iter(decoder: *mut Decoder) -> *mut Segment;
    /// Frees the segment behind the last one.
    pub(super) fn ps_seg_next(segment: *mut Segment) -> *mut Segment;
    pub(super) fn ps_seg_word(segment: *mut Segment) -> *const c_char;
    pub(super) fn ps_seg_frames(segment: *mut Segment, first: *mut c_int, last: *mut c_int);
    pub(super) fn ps_seg_prob(
        segment: *mut Segment,
        acoustic: *mut i32,
        language: *mut i32,
        back_off: *mut i32,
    ) -> i32;

    pub(super) fn fe_get_output_size(front_end: *mut FrontEnd) -> c_int;
    pub(super) fn fe_start_stream(front_end: *mut FrontEnd);
    pub(super) fn fe_start_utt(front_end: *mut FrontEnd) -> c_int;
    pub(super) fn fe_process_frames(
        front_end: *mut FrontEnd,
        samples: *mut *const i16,
        sample_count: *mut usize,
        cepstra: *mut *mut f32,
        frames: *mut i32,
        frame_index: *mut i32,
    ) -> c_int;
    pub(super) fn fe_end_utt(front_end: *mut FrontEnd, cepstrum: *mut f32, frames: *mut i32) -> c_int;

    pub(super) fn logmath_init(base: f64, shift: c_int, use_table: c_int) -> *mut LogMath;
    pub(super) fn logmath_free(logmath: *mut LogMath) -> c_int;
    pub(super) fn logmath_log(logmath: *mut LogMath, probability: f64) -> c_int;

    pub(super) fn fsg_model_init(
        name: *const c_char,
        logmath: *mut LogMath,
        language_weight: f32,
        states: i32,
    ) -> *mut Fsg;
    pub(super) fn fsg_model_word_add(fsg: *mut Fsg, word: *const c_char) -> c_int;
    pub(super) fn fsg_model_trans_add(fsg: *mut Fsg, from: i32, to: i32, log_probability: i32, word: i32);
    pub(super) fn fsg_model_free(fsg: *mut Fsg) -> c_int;

    /// It retains the logarithms.
    pub(super) fn ngram_model_read(
        config: *mut CmdLn,
        path: *const c_char,
        file_type: c_int,
        logmath: *mut LogMath,
    ) -> *mut NgramModel;
    pub(super) fn ngram_model_free(model: *mut NgramModel) -> c_int;
    /// How many words, pairs and so on it has.
    pub(super) fn ngram_model_get_counts(model: *mut NgramModel) -> *const u32;
    pub(super) fn ngram_word(model: *mut NgramModel, word: i32) -> *const c_char;
    pub(super) fn ngram_ng_score(
        model: *mut NgramModel,
        word: i32,
        history: *mut i32,
        history_len: i32,
        used: *mut i32,
    ) -> i32;
}
