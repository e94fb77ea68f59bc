//! What rings hold of the machine's memory: each test counts the pages of this process, so that they run one by one.
#![cfg(target_os = "linux")]

use ringway_frame::{Format, Frame};
use ringway_ring::ring;
use std::sync::{Mutex, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// 67 MB as they lie in the ring.
const FRAMES: usize = 100_000;

/// Less than a tenth of it.
const LITTLE: usize = 6_000_000;

#[test]
fn a_ring_holds_memory_for_the_frames_in_it_once_released() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let empty = resident();
    let (mut writer, mut reader) = ring(Format::Pcm16k, FRAMES);
    assert!(resident() < empty + LITTLE, "before its first frame");

    let mut frame = Frame::silence(Format::Pcm16k);
    frame.payload_mut().fill(7);
    for _ in 0..FRAMES {
        writer.push(&frame).unwrap();
    }
    writer.release();
    assert!(resident() > empty + FRAMES * 600, "all places are taken");

    for _ in 10..FRAMES {
        reader.pop(&mut frame).unwrap();
    }
    writer.release();
    assert!(resident() < empty + LITTLE, "ten frames are left");

    writer.push(&Frame::silence(Format::Pcm16k)).unwrap();
    for _ in 0..10 {
        reader.pop(&mut frame).unwrap();
        assert!(frame.payload().iter().all(|byte| *byte == 7), "what was queued is as it was");
    }
    reader.pop(&mut frame).unwrap();
    assert!(frame.payload().iter().all(|byte| *byte == 0));
}

#[test]
fn a_ring_that_is_read_in_time_does_not_keep_all_that_it_could_hold() {
    const RINGS: usize = 100;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
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
    assert!(kept < 100_000, "{kept} bytes of 330,000 each");
}

/// Memory of this process in RAM, in bytes (`proc_pid_statm(5)`).
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.expect("the second field is a number") * rustix::param::page_size()
}
