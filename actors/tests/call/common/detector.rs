//! The energy detector, which fails when it is told to.

use super::engines::EnergyVad;
use ringway_actors::{CoreLoad, VadEngine};
use ringway_frame::SampleRate;
use ringway_stages::vad::{Vad, VadError, VadJob, VadState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What is to go wrong, and what was seen.
#[derive(Default)]
pub struct Trouble {
    /// So many inferences panic from now on.
    pub panics: AtomicUsize,
    /// So many inferences of which nobody speaks panic from now on.
    pub quiet_panics: AtomicUsize,
    /// So many inferences return an error from now on.
    pub errors: AtomicUsize,
    /// So many attempts to build one fail from now on.
    pub unbuildable: AtomicUsize,
    /// Whether the core was said to hear, at each attempt to build one.
    pub heard: Mutex<Vec<bool>>,
}

impl Trouble {
    /// One less of it; whether there was any.
    fn take(left: &AtomicUsize) -> bool {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// What the core said of its hearing, at each attempt to build a detector.
    pub fn heard(&self) -> Vec<bool> {
        self.heard.lock().unwrap().clone()
    }
}

struct Detector(Arc<Trouble>);

impl Vad for Detector {
    fn rate(&self) -> SampleRate {
        EnergyVad.rate()
    }

    fn window(&self) -> usize {
        EnergyVad.window()
    }

    fn state(&self) -> VadState {
        EnergyVad.state()
    }

    fn infer(&mut self, jobs: &mut [VadJob<'_>]) -> Result<(), VadError> {
        assert!(!Trouble::take(&self.0.panics), "told to");
        let quiet = jobs.iter().all(|job| job.samples.iter().all(|sample| *sample == 0.0));
        assert!(!quiet || !Trouble::take(&self.0.quiet_panics), "told to");
        if Trouble::take(&self.0.errors) {
            return Err(VadError::Inference("told to".into()));
        }
        EnergyVad.infer(jobs)
    }
}

impl Drop for Detector {
    /// What is broken may break again when it is dropped: nobody is to rely on it.
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.0.unbuildable.load(Ordering::Relaxed) == 0, "broken");
    }
}

/// Builds detectors in this trouble on this core.
pub fn troubled(trouble: Arc<Trouble>, load: Arc<CoreLoad>) -> VadEngine {
    let build = move || -> Result<Box<dyn Vad + Send>, VadError> {
        trouble.heard.lock().unwrap().push(load.hears());
        if Trouble::take(&trouble.unbuildable) {
            return Err(VadError::Inference("cannot be built".into()));
        }
        Ok(Box::new(Detector(trouble.clone())))
    };
    VadEngine {
        name: "troubled".into(),
        rate: EnergyVad.rate(),
        window: EnergyVad.window(),
        state: EnergyVad.state(),
        build: Box::new(build),
    }
}
