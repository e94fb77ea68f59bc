//! Between the format of one leg and that of its call.

use crate::leg::intake::Intake;
use crate::leg::mix::{self, SILENCE, Samples};
use ringway_frame::{Format, Frame};
use ringway_stages::resample::Resampler;

/// What a leg has whose format is not its call's: both ways, a frame at a time.
#[derive(Debug)]
pub(crate) struct Conversion {
    /// In the leg's format.
    frame: Frame,
    said: OneWay,
    heard: OneWay,
}

/// From one rate to the other.
#[derive(Debug)]
struct OneWay {
    resampler: Resampler,
    out: Vec<i16>,
    /// Something of a stream is inside.
    flows: bool,
}

impl Conversion {
    /// Of a leg in a call; `None`: there is nothing to convert.
    pub(crate) fn between(leg: Format, call: Format) -> Option<Box<Self>> {
        let conversion = || Self {
            frame: Frame::silence(leg),
            said: OneWay::new(leg, call),
            heard: OneWay::new(call, leg),
        };
        (leg != call).then(|| Box::new(conversion()))
    }

    /// What the leg says in this beat, in the call's format, if it says anything.
    pub(crate) fn take(&mut self, intake: &mut Intake, said: &mut Samples) -> bool {
        let speaks = intake.next(&mut self.frame, |_| false);
        if speaks {
            let mut samples = SILENCE;
            mix::read(&self.frame, &mut samples);
            self.said.convert(&samples[..samples_of(self.frame.format())], said);
        } else {
            self.said.rest();
        }
        speaks
    }

    /// A frame for the leg, of what it hears in this beat in the call's format.
    pub(crate) fn give(&mut self, heard: &Samples, call: Format) -> &Frame {
        let mut samples = SILENCE;
        self.heard.convert(&heard[..samples_of(call)], &mut samples);
        mix::write(&samples, &mut self.frame);
        &self.frame
    }

    /// It hears nothing in this beat.
    pub(crate) fn rest(&mut self) {
        self.heard.rest();
    }
}

impl OneWay {
    fn new(from: Format, to: Format) -> Self {
        let resampler = Resampler::in_step(from.rate(), to.rate());
        Self { resampler, out: Vec::new(), flows: false }
    }

    fn convert(&mut self, samples: &[i16], into: &mut Samples) {
        self.flows = true;
        self.out.clear();
        self.resampler.push(samples, &mut self.out);
        into.iter_mut().zip(&self.out).for_each(|(into, sample)| *into = *sample);
    }

    /// The stream stops: the next one begins without its end.
    fn rest(&mut self) {
        if std::mem::take(&mut self.flows) {
            self.resampler.reset();
        }
    }
}

fn samples_of(format: Format) -> usize {
    format.rate().frame_samples()
}
