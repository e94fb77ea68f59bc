use super::{Speed, sys};
use ringway_frame::SampleRate;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// The voices that Debian's Flite has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoiceName {
    /// Scottish English, male.
    Awb,
    /// US English, male, at 8 kHz, made of diphones: the smallest.
    Kal,
    /// The same at 16 kHz.
    Kal16,
    /// US English, male.
    Rms,
    /// US English, female.
    Slt,
}

impl fmt::Display for VoiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Awb => "awb",
            Self::Kal => "kal",
            Self::Kal16 => "kal16",
            Self::Rms => "rms",
            Self::Slt => "slt",
        })
    }
}

/// The library gives no voice: it is out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Flite gives no voice {0}")]
pub(super) struct NoVoice(VoiceName);

/// What a voice speaks into, in this order: the words once, then the audio piece by piece.
pub(super) trait Listener {
    /// When each word ends, and the rate and a bound on the number of samples that follow.
    fn words(&mut self, words: Vec<WordEnd>, rate: SampleRate, samples: usize);

    /// The next samples; the voice stops at [`ControlFlow::Break`].
    fn audio(&mut self, samples: &[i16]) -> ControlFlow<()>;
}

/// A word as the voice wrote it, and the second of the audio at which it has been said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WordEnd {
    pub(super) word: String,
    pub(super) seconds: f32,
}

/// An instance of a voice, for one thread: where its audio goes is a feature of the instance, and its values are
/// counted without atomics.
#[derive(Debug)]
pub(super) struct Voice {
    name: VoiceName,
    voice: NonNull<sys::CstVoice>,
    /// Belongs to `voice`.
    streaming: NonNull<sys::CstStreamingInfo>,
}

impl Voice {
    pub(super) fn open(name: VoiceName, speed: Speed) -> Result<Self, NoVoice> {
        let library = Library::lock();
        let voice = NonNull::new(library.register(name)).ok_or(NoVoice(name))?;
        // SAFETY: the library allocates it, or ends the process.
        let streaming = NonNull::new(unsafe { sys::new_audio_streaming_info() }).ok_or(NoVoice(name))?;
        // SAFETY: both are alive and known to this thread only; `flite_feat_set` makes the voice own the info.
        unsafe {
            (*streaming.as_ptr()).asc = Some(stream);
            let features = (*voice.as_ptr()).features;
            let value = sys::audio_streaming_info_val(streaming.as_ptr());
            sys::flite_feat_set(features, c"streaming_info".as_ptr(), value);
            sys::flite_feat_set_float(features, c"duration_stretch".as_ptr(), 1.0 / f32::from(speed));
        }
        Ok(Self { name, voice, streaming })
    }

    /// Speaks `text`, which is ASCII and has a word in it.
    pub(super) fn speak(&mut self, text: &CStr, listener: &mut dyn Listener) {
        let mut call = Call { listener, begun: false, panic: None };
        // SAFETY: the pointers live as long as `self`, and `call` until the library has returned; only this thread
        // uses them. Utterances may be deleted with their voice alive.
        unsafe {
            (*self.streaming.as_ptr()).userdata = ptr::from_mut(&mut call).cast::<c_void>();
            let utterance = sys::flite_synth_text(text.as_ptr(), self.voice.as_ptr());
            (*self.streaming.as_ptr()).userdata = ptr::null_mut();
            if !utterance.is_null() {
                sys::delete_utterance(utterance);
            }
        }
        if let Some(panic) = call.panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        Library::lock().unregister(self.name, self.voice);
    }
}

/// What the library's callback finds behind `userdata`.
struct Call<'a> {
    listener: &'a mut dyn Listener,
    begun: bool,
    /// A panic must not unwind through C.
    panic: Option<Box<dyn Any + Send>>,
}

/// # Safety
/// As the library calls it: `wave` holds `start + size` samples, `info` is the voice's own, and its `userdata` is
/// the [`Call`] of the synthesis that runs.
unsafe extern "C" fn stream(
    wave: *const sys::CstWave,
    start: c_int,
    size: c_int,
    _last: c_int,
    info: *mut sys::CstStreamingInfo,
) -> c_int {
    // SAFETY: see above; `Voice::speak` holds the only reference to the call, and waits.
    let (call, wave, utterance) = unsafe { (&mut *(*info).userdata.cast::<Call<'_>>(), &*wave, (*info).utt) };
    let (Ok(start), Ok(size)) = (usize::try_from(start), usize::try_from(size)) else {
        return sys::STREAM_STOP;
    };
    // SAFETY: see above; a wave without samples has no stretches.
    let samples = unsafe { std::slice::from_raw_parts(wave.samples.add(start), size) };
    let heard = catch_unwind(AssertUnwindSafe(|| {
        if !call.begun {
            call.begun = true;
            let rate = u32::try_from(wave.sample_rate).ok().and_then(SampleRate::new);
            let rate = rate.unwrap_or(SampleRate::HZ_16000);
            // SAFETY: the utterance is the one that is being spoken, or null.
            let words = unsafe { word_ends(utterance) };
            call.listener.words(words, rate, usize::try_from(wave.num_samples).unwrap_or(0));
        }
        call.listener.audio(samples)
    }));
    match heard {
        Ok(ControlFlow::Continue(())) => sys::STREAM_CONT,
        Ok(ControlFlow::Break(())) => sys::STREAM_STOP,
        Err(panic) => {
            call.panic = Some(panic);
            sys::STREAM_STOP
        }
    }
}

/// The tokens of an utterance, with the end of the last segment of their last word.
///
/// # Safety
/// `utterance` is alive or null.
unsafe fn word_ends(utterance: *const sys::CstUtterance) -> Vec<WordEnd> {
    let mut ends = Vec::new();
    // SAFETY: items and relations live as long as their utterance; every pointer is looked at before it is used.
    unsafe {
        if utterance.is_null() || sys::utt_relation_present(utterance, c"Token".as_ptr()) == 0 {
            return ends;
        }
        let mut token = sys::relation_head(sys::utt_relation(utterance, c"Token".as_ptr()));
        while !token.is_null() {
            let name = sys::item_feat_string(token, c"name".as_ptr());
            let word = sys::item_last_daughter(token);
            if !name.is_null() && !word.is_null() {
                let seconds = sys::ffeature_float(word, LAST_SEGMENT_END.as_ptr());
                ends.push(WordEnd { word: CStr::from_ptr(name).to_string_lossy().into_owned(), seconds });
            }
            token = sys::item_next(token);
        }
    }
    ends
}

/// From a word to the end of its last syllable's last segment, in Flite's language of paths.
const LAST_SEGMENT_END: &CStr = c"R:SylStructure.daughtern.daughtern.R:Segment.end";

/// The right to make and drop voices.
///
/// A lock, for the library keeps one instance of each voice in a global variable; taken when a thread starts or ends,
/// never while it speaks.
struct Library {
    _alone: MutexGuard<'static, ()>,
}

impl Library {
    fn lock() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        static INIT: Once = Once::new();
        let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: once, before anything else of the library.
        INIT.call_once(|| unsafe {
            sys::flite_init();
        });
        Self { _alone: guard }
    }

    /// A new instance.
    fn register(&self, name: VoiceName) -> *mut sys::CstVoice {
        let (instance, register, _) = entry(name);
        // SAFETY: under the lock, nobody else touches the variable; null means "none yet", so that a new instance
        // is made.
        unsafe {
            *instance = ptr::null_mut();
            register(ptr::null())
        }
    }

    fn unregister(&self, name: VoiceName, voice: NonNull<sys::CstVoice>) {
        let (instance, _, unregister) = entry(name);
        // SAFETY: under the lock; the library deletes the instance that the variable holds, and nobody has it any
        // more.
        unsafe {
            *instance = voice.as_ptr();
            unregister(voice.as_ptr());
            *instance = ptr::null_mut();
        }
    }
}

fn entry(name: VoiceName) -> (*mut *mut sys::CstVoice, sys::Register, sys::Unregister) {
    match name {
        VoiceName::Awb => (&raw mut sys::cmu_us_awb_cg, sys::register_cmu_us_awb, sys::unregister_cmu_us_awb),
        VoiceName::Kal => {
            (&raw mut sys::cmu_us_kal_diphone, sys::register_cmu_us_kal, sys::unregister_cmu_us_kal)
        }
        VoiceName::Kal16 => {
            (&raw mut sys::cmu_us_kal16_diphone, sys::register_cmu_us_kal16, sys::unregister_cmu_us_kal16)
        }
        VoiceName::Rms => (&raw mut sys::cmu_us_rms_cg, sys::register_cmu_us_rms, sys::unregister_cmu_us_rms),
        VoiceName::Slt => (&raw mut sys::cmu_us_slt_cg, sys::register_cmu_us_slt, sys::unregister_cmu_us_slt),
    }
}
