//! The configured voice activity detector.

use super::EngineError;
use ringway_actors::VadEngine;
use ringway_config::Config;
use ringway_frame::SampleRate;
use ringway_stages::silero::{Instructions, Silero, SileroConfig, SileroKernel, UnsupportedCpu};
use ringway_stages::vad::{Vad, VadError};
use std::path::PathBuf;

/// Loads the model once, so that a missing file is said at start. `cpu`: what the kernel could run with.
pub(super) fn build(
    config: &Config,
    cpu: Result<Instructions, UnsupportedCpu>,
) -> Result<VadEngine, EngineError> {
    let rate = SampleRate::new(config.vad.rate).unwrap_or(SampleRate::HZ_16000);
    match (config.vad.engine.as_str(), cpu) {
        ("kernel", Ok(instructions)) => Ok(by_kernel(config.vad.model.clone(), rate, instructions)?),
        ("kernel", Err(reason)) => {
            tracing::warn!(%reason, "vad.engine: ONNX Runtime takes the place of the kernel");
            Ok(by_onnx_runtime(config, rate)?)
        }
        ("ort", _) => Ok(by_onnx_runtime(config, rate)?),
        (name, _) => Err(EngineError::Unknown { key: "vad.engine", name: name.into() }),
    }
}

type Build = Box<dyn Fn() -> Result<Box<dyn Vad + Send>, VadError> + Send + Sync>;

fn by_kernel(model: PathBuf, rate: SampleRate, instructions: Instructions) -> Result<VadEngine, VadError> {
    let first = SileroKernel::load_for(&model, rate, instructions)?;
    tracing::info!(%instructions, "vad.engine: the kernel");
    let build = move || -> Result<Box<dyn Vad + Send>, VadError> {
        Ok(Box::new(SileroKernel::load_for(&model, rate, instructions)?))
    };
    Ok(engine("kernel", &first, Box::new(build)))
}

fn by_onnx_runtime(config: &Config, rate: SampleRate) -> Result<VadEngine, VadError> {
    let silero = SileroConfig { library: config.vad.library.clone(), model: config.vad.model.clone(), rate };
    let first = Silero::load(&silero)?;
    let build = move || -> Result<Box<dyn Vad + Send>, VadError> { Ok(Box::new(Silero::load(&silero)?)) };
    Ok(engine("ort", &first, Box::new(build)))
}

fn engine(name: &str, first: &impl Vad, build: Build) -> VadEngine {
    VadEngine { name: name.into(), rate: first.rate(), window: first.window(), state: first.state(), build }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use ringway_frame::{Format, Frame, MediaTime};
    use ringway_stages::silero::WindowCutter;
    use ringway_stages::vad::VadJob;
    use ringway_turn::Config as TurnConfig;

    const PROMPT: &str = "/usr/share/asterisk/sounds/en_US_f_Allison/conf-getpin.wav";

    fn config(engine: &str, rate: SampleRate) -> Config {
        let mut config = Config::default();
        config.vad.engine = engine.to_owned();
        config.vad.rate = rate.hz();
        config
    }

    /// The probability of each window of a recorded prompt.
    fn probabilities(engine: &VadEngine) -> Vec<f32> {
        let file =
            std::fs::read(PROMPT).unwrap_or_else(|error| panic!("{PROMPT}: {error}: `make setup-test`"));
        let samples = ringway_wire::wav::read(&file, SampleRate::HZ_8000).unwrap();
        let (mut vad, mut state) = ((engine.build)().unwrap(), engine.state.clone());
        let mut cutter = WindowCutter::new(Format::Pcm8k, engine.rate).unwrap();
        let mut probabilities = Vec::new();
        for (samples, sequence) in samples.chunks_exact(160).zip(0..) {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let time = MediaTime::from_millis(20 * u64::from(sequence));
            cutter.hear(&Frame::new(Format::Pcm8k, &bytes).unwrap().at(sequence, time));
            if let Some(window) = cutter.next_window() {
                let mut job = [VadJob { state: &mut state, samples: window.samples, probability: -1.0 }];
                vad.infer(&mut job).unwrap();
                probabilities.push(job[0].probability);
            }
        }
        probabilities
    }

    /// Where speech begins and ends, as turn-taking sees it.
    fn decisions(probabilities: &[f32]) -> Vec<(usize, bool)> {
        let (config, mut talking, mut decisions) = (TurnConfig::default(), false, Vec::new());
        for (n, &probability) in probabilities.iter().enumerate() {
            let threshold = if talking { config.speech_end } else { config.speech_start };
            if talking != (probability >= threshold) {
                talking = !talking;
                decisions.push((n, talking));
            }
        }
        decisions
    }

    #[test]
    fn a_cpu_without_the_kernels_instructions_gets_onnx_runtime_and_decides_alike() {
        for rate in [SampleRate::HZ_8000, SampleRate::HZ_16000] {
            let fallen_back = build(&config("kernel", rate), Err(UnsupportedCpu)).unwrap();
            assert_eq!((fallen_back.name.as_ref(), fallen_back.rate), ("ort", rate));
            let found = probabilities(&fallen_back);
            assert!(decisions(&found).len() >= 2, "{rate}: speech is heard");
            for instructions in Instructions::all() {
                let kernel = build(&config("kernel", rate), Ok(instructions)).unwrap();
                assert_eq!(kernel.name, "kernel");
                assert_eq!((kernel.window, kernel.state.as_slice().len()), shape(&fallen_back));
                let expected = probabilities(&kernel);
                let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-5, "{rate}, {instructions}: {apart}");
                assert_eq!(decisions(&found), decisions(&expected), "{rate}, {instructions}");
            }
        }
    }

    fn shape(engine: &VadEngine) -> (usize, usize) {
        (engine.window, engine.state.as_slice().len())
    }

    #[test]
    fn onnx_runtime_is_taken_when_it_is_asked_for_whatever_the_cpu() {
        for cpu in [Err(UnsupportedCpu), Instructions::best()] {
            assert_eq!(build(&config("ort", SampleRate::HZ_16000), cpu).unwrap().name, "ort");
        }
    }

    #[test]
    fn only_the_cpu_makes_the_kernel_give_way() {
        let Ok(cpu) = Instructions::best() else { return };
        let mut config = config("kernel", SampleRate::HZ_16000);
        config.vad.model = "no/such.onnx".into();
        let refused = build(&config, Ok(cpu)).unwrap_err();
        assert!(matches!(&refused, EngineError::Vad(VadError::Model { .. })), "{refused}");
    }

    #[test]
    fn a_detector_of_another_name_is_refused() {
        let refused = build(&config("webrtc", SampleRate::HZ_16000), Err(UnsupportedCpu)).unwrap_err();
        assert_eq!(refused.to_string(), "vad.engine: no engine is named \"webrtc\"");
    }
}
