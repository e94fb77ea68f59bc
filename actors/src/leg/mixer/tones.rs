//! Tones through a mixer whose legs have other formats than its call.

use super::*;
use ringway_ring::{Owner, ring};
use std::f64::consts::TAU;

/// One leg's ends.
struct End {
    format: Format,
    mic: Writer,
    out: Reader,
    said: u32,
}

/// A call of a caller and one other, who is in another format.
struct Rig {
    mixer: Mixer,
    caller: End,
    other: End,
    mic: Reader,
    _owner: Owner<Writer>,
}

fn rig(call: Format, other: Format) -> Rig {
    let (_, bot) = ring(call, 10);
    let (mic_in, mic) = ring(call, 10);
    let mut owner = Owner::new(mic_in);
    let mut mixer = Mixer::new(call, bot, EpochGate::new(), Audience::All);
    mixer.mic = owner.lend().ok();
    let mut end = |leg, format| {
        let ((mic, said), (out_in, out)) = (ring(format, 25), ring(format, 10));
        mixer.seat((leg, Seen::new(LegState::Up)), (true, format), (said, out_in));
        End { format, mic, out, said: 0 }
    };
    let (caller, other) = (end(CALLER, call), end(1, other));
    Rig { mixer, caller, other, mic, _owner: owner }
}

/// How loud a tone is: a fourth of full scale.
const LOUD: f64 = 8_192.0;

impl End {
    /// Says the next 20 ms of a tone.
    fn say(&mut self, hertz: f64) {
        let (rate, mut samples) = (self.format.rate(), SILENCE);
        let (rate, count) = (f64::from(rate.hz()), rate.frame_samples());
        for (at, sample) in samples[..count].iter_mut().enumerate() {
            let at = f64::from(self.said) * count as f64 + at as f64;
            *sample = (LOUD * (TAU * hertz * at / rate).sin()).round() as i16;
        }
        self.said += 1;
        let mut frame = Frame::silence(self.format);
        mix::write(&samples, &mut frame);
        self.mic.push(&frame).expect("there is room");
    }
}

/// Appends the samples of what has come.
fn hear(reader: &mut Reader, format: Format, heard: &mut Vec<i16>) {
    let (mut frame, mut samples) = (Frame::silence(format), SILENCE);
    while reader.pop(&mut frame).is_ok() {
        mix::read(&frame, &mut samples);
        heard.extend(&samples[..format.rate().frame_samples()]);
    }
}

/// How loud and in which phase a tone is in a second of audio, and the effective value of all that is something else.
fn tone_in(second: &[i16], hertz: f64) -> (f64, f64, f64) {
    let (count, step) = (second.len() as f64, TAU * hertz / second.len() as f64);
    let product = |wave: fn(f64) -> f64| {
        let products =
            second.iter().enumerate().map(|(at, &sample)| f64::from(sample) * wave(step * at as f64));
        products.sum::<f64>() * 2.0 / count
    };
    let (sine, cosine) = (product(f64::sin), product(f64::cos));
    let power = second.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / count;
    let loud = sine.hypot(cosine);
    (loud, cosine.atan2(sine), (power - loud * loud / 2.0).max(0.0).sqrt())
}

/// Level and frequency are kept in each second, and no second is ahead of another.
fn is_kept(heard: &[i16], format: Format, hertz: f64, whose: &str) {
    let rate = format.rate().hz() as usize;
    // The first second has the beginning.
    let seconds: Vec<_> = heard.chunks_exact(rate).skip(1).map(|second| tone_in(second, hertz)).collect();
    assert!(seconds.len() >= 58, "{whose}: {} s", seconds.len());
    for (second, (loud, phase, rest)) in seconds.iter().enumerate() {
        let decibels = 20.0 * (loud / LOUD).log10();
        assert!(decibels.abs() < 0.2, "{whose}: {decibels} dB in second {second}");
        // Mu-law alone is 38 dB below the tone.
        assert!(*rest < LOUD / 80.0, "{whose}: {rest} of something else in second {second}");
        assert!((phase - seconds[0].1).abs() < 0.01, "{whose}: {phase} in second {second}");
    }
}

#[test]
fn a_minute_of_a_tone_keeps_its_level_frequency_and_place_both_ways() {
    for (call, other) in [
        (Format::Mulaw8k, Format::Pcm16k),
        (Format::Pcm16k, Format::Mulaw8k),
        (Format::Mulaw8k, Format::Pcm8k),
        (Format::Pcm16k, Format::Pcm8k),
    ] {
        let mut rig = rig(call, other);
        let (mut at_caller, mut at_other, mut in_call) = (Vec::new(), Vec::new(), Vec::new());
        let mut now = MediaTime::ZERO;
        for _ in 0..60 * 50 {
            rig.caller.say(440.0);
            rig.other.say(1_000.0);
            now += FRAME;
            rig.mixer.mix(now);
            hear(&mut rig.caller.out, call, &mut at_caller);
            hear(&mut rig.other.out, other, &mut at_other);
            hear(&mut rig.mic, call, &mut in_call);
        }
        is_kept(&at_caller, call, 1_000.0, &format!("the caller in {call}, of {other}"));
        is_kept(&at_other, other, 440.0, &format!("the other in {other}, of {call}"));
        let rate = call.rate().hz() as usize;
        for hertz in [440.0, 1_000.0] {
            let (loud, ..) = tone_in(&in_call[rate..2 * rate], hertz);
            assert!((loud / LOUD - 1.0).abs() < 0.03, "{hertz} Hz in {call}, with {other}: {loud}");
        }
        assert_eq!(rig.mixer.take_dropped(), 0);
    }
}

#[test]
fn what_a_telephone_cannot_carry_does_not_come_back_as_something_else() {
    let mut rig = rig(Format::Mulaw8k, Format::Pcm16k);
    let mut heard = Vec::new();
    for beat in 0..100_u64 {
        rig.other.say(6_000.0);
        rig.mixer.mix(MediaTime::from_millis(20 * beat));
        hear(&mut rig.caller.out, Format::Mulaw8k, &mut heard);
    }
    let loudest = heard[8_000..].iter().map(|sample| sample.unsigned_abs()).max();
    assert!(loudest < Some(40), "{loudest:?}");
}

#[test]
fn a_leg_that_speaks_again_begins_without_the_end_of_what_it_said_before() {
    let mut rig = rig(Format::Pcm16k, Format::Pcm8k);
    let mut heard = Vec::new();
    for beat in 0..50_u64 {
        if beat < 10 {
            rig.other.say(500.0);
        } else if beat > 30 {
            rig.other.mic.push(&Frame::silence(Format::Pcm8k)).expect("there is room");
        }
        if beat == 30 {
            heard.clear();
        }
        rig.mixer.mix(MediaTime::from_millis(20 * beat));
        hear(&mut rig.caller.out, Format::Pcm16k, &mut heard);
    }
    assert!(heard.len() > 3_200 && heard.iter().all(|sample| *sample == 0), "{:?}", heard.iter().max());
}
