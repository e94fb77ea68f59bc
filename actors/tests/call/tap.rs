//! What is read at a tap: both sides of a call on its time line, and nothing that was not heard.

use crate::common::engines::{word_of, words};
use crate::common::line::Line;
use crate::common::with_call;
use ringway_actors::{EdgeInput, Side, Tap};
use ringway_frame::{FRAME, Format, Frame, MediaTime};
use std::time::Duration;
use tokio::time::sleep as pass;

/// A recording in the making: caller left, bot right, a word or silence for each 20 ms of the call's time line.
#[derive(Default)]
struct Stereo {
    left: Vec<Option<&'static str>>,
    right: Vec<Option<&'static str>>,
    /// Frames of the bot that came for a time at which there is one already. The caller's are dated by their arrival, whose
    /// corrections may put two into one slot.
    overlaps: usize,
}

impl Stereo {
    /// Writes what has come.
    fn write(&mut self, tap: &mut Tap) {
        let mut frame = Frame::silence(Format::Pcm16k);
        while let Some(side) = tap.next(&mut frame) {
            let slot =
                ((frame.time.as_nanos() + FRAME.as_nanos() as u64 / 2) / FRAME.as_nanos() as u64) as usize;
            let channel = match side {
                Side::Caller => &mut self.left,
                Side::Bot => &mut self.right,
            };
            if channel.len() > slot {
                self.overlaps += usize::from(side == Side::Bot);
                continue;
            }
            channel.resize(slot, None);
            channel.push(word_of(&frame));
        }
    }

    /// When a word begins on a channel.
    fn at(channel: &[Option<&'static str>], word: &str) -> MediaTime {
        let slot = channel
            .iter()
            .position(|said| *said == Some(word))
            .unwrap_or_else(|| panic!("{word} is not there"));
        MediaTime::ZERO + FRAME * slot as u32
    }
}

/// Goes on for so long, with somebody who writes it down.
async fn record(tap: &mut Tap, stereo: &mut Stereo, time: Duration) {
    for _ in 0..time.as_millis() / 500 {
        pass(Duration::from_millis(500)).await;
        stereo.write(tap);
    }
}

async fn record_until(line: &Line, tap: &mut Tap, stereo: &mut Stereo, word: &str) {
    while !line.heard().contains(&word) {
        pass(FRAME).await;
    }
    stereo.write(tap);
}

#[test]
fn a_recording_of_a_call_with_a_barge_in_has_both_sides_and_not_what_was_voided() {
    with_call(ringway_turn::Config::default(), |world| async move {
        let (line, mut tap) = world.another_tapped();
        let mut stereo = Stereo::default();
        record(&mut tap, &mut stereo, Duration::from_secs(3)).await;
        line.say(&["alpha"]);
        record_until(&line, &mut tap, &mut stereo, "india").await;
        line.say(&["bravo", "charlie"]);
        record(&mut tap, &mut stereo, Duration::from_secs(8)).await;
        let heard = words(stereo.right.iter().copied());
        assert_eq!(words(stereo.left.iter().copied()), ["alpha", "bravo", "charlie"]);
        // The first answer stops soon behind "india"; the second one is whole.
        let cut = heard.iter().position(|word| *word == "india").expect("it was heard");
        let rest = &heard[cut + 1..];
        assert!(!rest.starts_with(&["juliet", "kilo", "lima", "mike"]), "{heard:?}");
        assert_eq!(
            heard.iter().filter(|word| **word == "papa").count(),
            1,
            "one answer came to its end: {heard:?}"
        );
        assert_eq!(stereo.overlaps, 0);
        // On the time line the caller's words stand before the answers to them, and the second behind the first answer.
        assert!(Stereo::at(&stereo.left, "alpha") < Stereo::at(&stereo.right, "golf"));
        assert!(Stereo::at(&stereo.right, "hotel") < Stereo::at(&stereo.left, "bravo"));
        // What is sent and voided before it is heard is not in it: an order to be silent, without a pause, voids some.
        let recorded = |stereo: &Stereo| stereo.right.iter().flatten().count();
        assert_eq!(recorded(&stereo), line.frames_with_words());
        line.say(&["alpha"]);
        record(&mut tap, &mut stereo, Duration::from_secs(2)).await;
        line.call.tell(EdgeInput::Interrupt).expect("the call lives");
        record(&mut tap, &mut stereo, Duration::from_secs(1)).await;
        let (recorded, sent) = (recorded(&stereo), line.frames_with_words());
        assert!((sent - 4..sent).contains(&recorded), "{recorded} of {sent}");
        assert!(tap.stats().iter().all(|(_, stats)| stats.dropped == 0));
    });
}

#[test]
fn a_reader_that_does_not_keep_up_loses_the_newest_and_the_call_nothing() {
    with_call(ringway_turn::Config::default(), |world| async move {
        let (line, mut tap) = world.another_tapped();
        pass(Duration::from_secs(5)).await;
        line.say(&["alpha"]);
        line.until("the answer", |line| line.heard().contains(&"papa")).await;
        let mut stereo = Stereo::default();
        stereo.write(&mut tap);
        assert!(tap.stats().iter().all(|(_, stats)| stats.dropped > 0), "{:?}", tap.stats());
        assert!(stereo.left.len() <= 110 && !stereo.left.is_empty(), "the first two seconds are there");
    });
}

#[test]
fn a_tap_ends_with_its_call() {
    with_call(ringway_turn::Config::default(), |world| async move {
        let (line, mut tap) = world.another_tapped();
        pass(Duration::from_secs(1)).await;
        line.call.hang_up(ringway_turn::EndReason::Operator).expect("the call lives");
        pass(Duration::from_secs(1)).await;
        Stereo::default().write(&mut tap);
        assert!(tap.is_over());
    });
}
