//! The parts of Flite's C interface that are used, after Debian's flite 2.2 (`flite.h`, `cst_audio.h`, `cst_wave.h`,
//! `cst_voice.h`).

use std::ffi::{c_char, c_float, c_int, c_void};

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

opaque!(CstFeatures CstItem CstRelation CstUtterance CstVal);

#[repr(C)]
pub(super) struct CstVoice {
    name: *const c_char,
    pub(super) features: *mut CstFeatures,
    ffunctions: *mut CstFeatures,
    utt_init: *const c_void,
}

#[repr(C)]
pub(super) struct CstWave {
    kind: *const c_char,
    pub(super) sample_rate: c_int,
    pub(super) num_samples: c_int,
    num_channels: c_int,
    pub(super) samples: *const i16,
}

/// Called with each stretch of a wave as it is made.
pub(super) type StreamCallback = unsafe extern "C" fn(
    wave: *const CstWave,
    start: c_int,
    size: c_int,
    last: c_int,
    info: *mut CstStreamingInfo,
) -> c_int;

#[repr(C)]
pub(super) struct CstStreamingInfo {
    min_buffsize: c_int,
    pub(super) asc: Option<StreamCallback>,
    pub(super) utt: *const CstUtterance,
    item: *const CstItem,
    pub(super) userdata: *mut c_void,
}

pub(super) const STREAM_STOP: c_int = -1;
pub(super) const STREAM_CONT: c_int = 0;

pub(super) type Register = unsafe extern "C" fn(voxdir: *const c_char) -> *mut CstVoice;
pub(super) type Unregister = unsafe extern "C" fn(voice: *mut CstVoice);

unsafe extern "C" {
    pub(super) fn flite_init() -> c_int;
    pub(super) fn flite_synth_text(text: *const c_char, voice: *mut CstVoice) -> *mut CstUtterance;
    pub(super) fn delete_utterance(utterance: *mut CstUtterance);

    pub(super) fn flite_feat_set(features: *mut CstFeatures, name: *const c_char, value: *const CstVal);
    pub(super) fn flite_feat_set_float(features: *mut CstFeatures, name: *const c_char, value: c_float);
    pub(super) fn new_audio_streaming_info() -> *mut CstStreamingInfo;
    pub(super) fn audio_streaming_info_val(info: *mut CstStreamingInfo) -> *mut CstVal;

    pub(super) fn utt_relation_present(utterance: *const CstUtterance, name: *const c_char) -> c_int;
    pub(super) fn utt_relation(utterance: *const CstUtterance, name: *const c_char) -> *mut CstRelation;
    pub(super) fn relation_head(relation: *mut CstRelation) -> *mut CstItem;
    pub(super) fn item_next(item: *const CstItem) -> *mut CstItem;
    pub(super) fn item_last_daughter(item: *const CstItem) -> *mut CstItem;
    pub(super) fn item_feat_string(item: *const CstItem, name: *const c_char) -> *const c_char;
    pub(super) fn ffeature_float(item: *const CstItem, path: *const c_char) -> c_float;

    pub(super) fn register_cmu_us_awb(voxdir: *const c_char) -> *mut CstVoice;
    pub(super) fn register_cmu_us_kal(voxdir: *const c_char) -> *mut CstVoice;
    pub(super) fn register_cmu_us_kal16(voxdir: *const c_char) -> *mut CstVoice;
    pub(super) fn register_cmu_us_rms(voxdir: *const c_char) -> *mut CstVoice;
    pub(super) fn register_cmu_us_slt(voxdir: *const c_char) -> *mut CstVoice;
    pub(super) fn unregister_cmu_us_awb(voice: *mut CstVoice);
    pub(super) fn unregister_cmu_us_kal(voice: *mut CstVoice);
    pub(super) fn unregister_cmu_us_kal16(voice: *mut CstVoice);
    pub(super) fn unregister_cmu_us_rms(voice: *mut CstVoice);
    pub(super) fn unregister_cmu_us_slt(voice: *mut CstVoice);

    // Where `register_*` keeps the one instance that it hands out.
    pub(super) static mut cmu_us_awb_cg: *mut CstVoice;
    pub(super) static mut cmu_us_kal_diphone: *mut CstVoice;
    pub(super) static mut cmu_us_kal16_diphone: *mut CstVoice;
    pub(super) static mut cmu_us_rms_cg: *mut CstVoice;
    pub(super) static mut cmu_us_slt_cg: *mut CstVoice;
}
