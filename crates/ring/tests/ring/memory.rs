//! What a ring keeps of the memory that it has written to.

use ringway_frame::{Format, Frame};
use ringway_ring::ring;

/// Pages of this process that are in memory, in KiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let resident: usize = pages.split(' ').nth(1).expect("the second number").parse().expect("a number");
    resident * 4
}

#[test]
fn a_ring_that_is_read_in_time_does_not_keep_all_that_it_could_hold() {
    const RINGS: usize = 100;
    let mut frame = Frame::silence(Format::Pcm16k);
    let mut rings: Vec<_> = (0..RINGS).map(|_| ring(Format::Pcm16k, 500)).collect();
    let before = resident();
    for (writer, reader) in &mut rings {
        for _ in 0..1_000 {
            writer.push(&frame).expect("there is room");
            reader.pop(&mut frame).expect("it was pushed");
        }
    }
    let kept = resident().saturating_sub(before) / RINGS;
    assert!(kept < 100, "{kept} KiB of 330 each");
}
