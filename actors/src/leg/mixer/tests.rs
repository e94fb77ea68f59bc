//! The mixer over rings in memory: each beat is a call.

use super::*;
use ringway_ring::{Owner, ring};

/// A leg's ends, and what it has heard.
struct Ear {
    mic: Writer,
    out: Reader,
}

struct Rig {
    mixer: Mixer,
    legs: Vec<Ear>,
    bot: Writer,
    gate: EpochGate,
    mic: Reader,
    now: MediaTime,
    _owner: Owner<Writer>,
}

const FORMAT: Format = Format::Pcm16k;

/// A call of so many legs, all of which are listened to.
fn rig(legs: u32) -> Rig {
    let (bot, bot_out) = ring(FORMAT, 10);
    let (mic_in, mic) = ring(FORMAT, 1_000);
    let gate = EpochGate::new();
    let mut mixer = Mixer::new(FORMAT, bot_out, gate.clone(), Audience::All);
    let mut owner = Owner::new(mic_in);
    mixer.mic = owner.lend().ok();
    let legs = (0..legs).map(|leg| {
        let ((mic, said), (out_in, out)) = (ring(FORMAT, 25), ring(FORMAT, 10));
        mixer.seat((leg, Seen::new(LegState::Up)), (true, FORMAT), (said, out_in));
        Ear { mic, out }
    });
    let legs = legs.collect();
    Rig { mixer, legs, bot, gate, mic, now: MediaTime::from_millis(1_000), _owner: owner }
}

fn frame(sample: i16) -> Frame {
    let mut frame = Frame::silence(FORMAT);
    frame.payload_mut().as_chunks_mut::<2>().0.fill(sample.to_le_bytes());
    frame
}

/// The last frame's sample, which is the same throughout, if there was a frame.
fn last(reader: &mut Reader) -> Option<i16> {
    let mut frame = Frame::silence(FORMAT);
    let mut last = None;
    while reader.pop(&mut frame).is_ok() {
        let samples = frame.payload().as_chunks::<2>().0;
        assert!(samples.iter().all(|sample| sample == &samples[0]));
        last = Some(i16::from_le_bytes(samples[0]));
    }
    last
}

impl Rig {
    /// Ten beats in which each leg says its sample, or nothing, and the bot speaks in this epoch, or does not; what each
    /// leg and the call heard in the last beat.
    fn beats(&mut self, says: &[Option<i16>], bot: Option<(i16, Epoch)>) -> (Vec<Option<i16>>, Option<i16>) {
        let mut heard = (Vec::new(), None);
        for _ in 0..10 {
            for (leg, sample) in self.legs.iter_mut().zip(says) {
                // A leg that has left is refused.
                if let Some(sample) = sample {
                    let _ = leg.mic.push_or_drop(&frame(*sample));
                }
            }
            if let Some((sample, epoch)) = bot {
                self.bot.push_or_drop(&frame(sample).in_epoch(epoch)).expect("there is room");
            }
            self.now += FRAME;
            self.mixer.mix(self.now);
            heard = (self.legs.iter_mut().map(|leg| last(&mut leg.out)).collect(), last(&mut self.mic));
        }
        heard
    }
}

#[test]
fn each_leg_hears_the_sum_of_the_others_and_not_itself() {
    let mut rig = rig(3);
    let (heard, call) = rig.beats(&[Some(100), Some(-30), Some(7)], None);
    assert_eq!(heard, [Some(-23), Some(107), Some(70)]);
    assert_eq!(call, Some(77));
}

#[test]
fn what_is_too_loud_is_limited_where_it_is_heard_and_not_where_it_is_summed() {
    let mut rig = rig(3);
    let (heard, call) = rig.beats(&[Some(30_000), Some(30_000), Some(-30_000)], None);
    assert_eq!(heard, [Some(0), Some(0), Some(i16::MAX)]);
    assert_eq!(call, Some(30_000));
}

#[test]
fn a_leg_that_stops_is_no_part_of_any_sum_and_where_nobody_sends_nothing_is_made() {
    let mut rig = rig(2);
    assert_eq!(rig.beats(&[Some(10), Some(20)], None).0, [Some(20), Some(10)]);
    let (heard, call) = rig.beats(&[Some(10), None], None);
    assert_eq!((heard, call), (vec![None, Some(10)], Some(10)));
    assert_eq!(rig.beats(&[None, None], None), (vec![None, None], None));
    rig.mixer.leave(1);
    assert_eq!(rig.beats(&[Some(10), Some(20)], None).0, [None, None]);
}

#[test]
fn only_those_who_are_listened_to_are_heard_by_the_call() {
    let mut rig = rig(1);
    let ((mut mic, said), (out_in, mut out)) = (ring(FORMAT, 25), ring(FORMAT, 10));
    rig.mixer.seat((1, Seen::new(LegState::Up)), (false, FORMAT), (said, out_in));
    for _ in 0..5 {
        mic.push_or_drop(&frame(500)).expect("there is room");
    }
    let (heard, call) = rig.beats(&[Some(3)], None);
    assert_eq!((heard[0], call), (None, Some(3)));
    assert_eq!(last(&mut out), Some(3));
}

#[test]
fn the_bot_is_heard_by_its_audience_while_its_epoch_is_not_void() {
    let mut rig = rig(3);
    let epoch = rig.gate.raise();
    rig.gate.release(epoch);
    // The caller's leg plays it by itself.
    assert_eq!(rig.beats(&[None; 3], Some((9, epoch))).0, [None, Some(9), Some(9)]);
    rig.mixer.address(Audience::Only(2));
    assert_eq!(rig.beats(&[None; 3], Some((9, epoch))).0, [None, None, Some(9)]);
    rig.mixer.address(Audience::Nobody);
    assert_eq!(rig.beats(&[None; 3], Some((9, epoch))).0, [None, None, None]);
    rig.mixer.address(Audience::All);
    rig.gate.raise();
    assert_eq!(rig.beats(&[None; 3], Some((9, epoch))).0, [None, None, None]);
}

#[test]
fn the_loudest_has_the_word_until_another_is_twice_as_loud() {
    let mut rig = rig(2);
    for (says, speaks) in
        [((0, 0), 0), ((2_000, 2_500), 0), ((900, 2_500), 1), ((0, 0), 1), ((5_000, 100), 0)]
    {
        rig.beats(&[Some(says.0), Some(says.1)], None);
        rig.beats(&[Some(says.0), Some(says.1)], None);
        assert_eq!(rig.mixer.speaking(), speaks, "{says:?}");
    }
}

#[test]
fn a_leg_whose_clock_is_faster_does_not_fall_behind() {
    let mut rig = rig(2);
    for second in 0..20 {
        for _ in 0..2 {
            rig.legs[1].mic.push_or_drop(&frame(1)).expect("there is room");
        }
        for _ in 0..5 {
            rig.beats(&[Some(1), Some(1)], None);
        }
        let waits = rig.legs[1].mic.capacity() - rig.legs[1].mic.free();
        assert!(waits <= 6, "{waits} frames after {second} s");
    }
}

#[test]
fn for_a_leg_that_nobody_has_come_for_nothing_is_made_and_what_finds_no_room_is_counted_once() {
    let mut rig = rig(1);
    let ((_mic, said), (out_in, mut out)) = (ring(FORMAT, 25), ring(FORMAT, 10));
    let seen = Seen::new(LegState::Dialling);
    rig.mixer.seat((1, seen.clone()), (true, FORMAT), (said, out_in));
    rig.beats(&[Some(3)], None);
    assert_eq!((last(&mut out), rig.mixer.take_dropped()), (None, 0));
    seen.state.set(LegState::Up);
    rig.beats(&[Some(3)], None);
    rig.beats(&[Some(3)], None);
    assert_eq!((rig.mixer.take_dropped(), rig.mixer.take_dropped()), (10, 0));
    rig.mixer.leave(1);
    assert_eq!(rig.mixer.take_dropped(), 0);
}
