//! The loudness tracker over recorded speech, with the noise of a line added.

use super::recordings::{PROMPTS, frames, noise, prompt};
use ringway_frame::{MediaTime, SampleRate};
use ringway_stages::level::LoudTracker;

/// When the last 20 ms above -40 dBFS end: how a listener outside dates the end of speech.
fn heard_until(samples: &[i16]) -> u64 {
    let power = |frame: &[i16]| {
        frame.iter().map(|&sample| (f64::from(sample) / 32_768.0).powi(2)).sum::<f64>() / 160.0
    };
    let last = samples.chunks_exact(160).rposition(|frame| power(frame) > 1e-4);
    20 * (last.expect("a prompt is loud somewhere") as u64 + 1)
}

fn mixed(speech: &[i16], dbfs: f64) -> Vec<i16> {
    speech
        .iter()
        .zip(noise(speech.len(), dbfs))
        .map(|(&speech, noise)| speech.saturating_add(noise))
        .collect()
}

fn loud_until(samples: &[i16]) -> MediaTime {
    let mut tracker = LoudTracker::new(SampleRate::HZ_8000);
    frames(samples).for_each(|frame| tracker.hear(&frame));
    tracker.loud_until()
}

#[test]
fn speech_ends_where_a_listener_hears_it_end_whatever_the_noise() {
    for name in PROMPTS {
        let speech = prompt(name);
        let heard = heard_until(&speech);
        for dbfs in [-90.0, -60.0, -50.0] {
            let tracked = loud_until(&mixed(&speech, dbfs)).as_millis();
            assert!(
                tracked.abs_diff(heard) <= 60,
                "{name} in noise of {dbfs} dBFS: {tracked}, heard until {heard}"
            );
        }
    }
}
