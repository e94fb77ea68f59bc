//! One call's audio between its socket and its decisions, without the socket and the actors around it.
//!
//! ```text
//! media message ─ scan, base64 ─► mic ═► level, windows ─ network ─► turn        (Uplink)
//!                                      ═► speech ═►
//! voice ═► playout ─ base64 ─► media message                                     (Downlink)
//! ```
#![allow(dead_code, reason = "each bench uses a part")]

use ringway_actors::Playout;
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime, Skew};
use ringway_ring::{EpochGate, Owner, Reader, ReplayReader, Writer, ring};
use ringway_stages::level::LoudTracker;
use ringway_stages::silero::{SileroKernel, WindowCutter};
use ringway_stages::vad::{Vad, VadJob, VadState};
use ringway_turn::{After, Config, Input, Memo, Output, RequestId, Turn, Window};
use ringway_wire::twilio::{CarrierWriter, Dialect, Event, FromCarrier, ServerWriter, Session, Start};
use ringway_wire::{Reframer, g711};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FORMAT: Format = Format::Mulaw8k;
const CAPACITY: usize = 64;

/// The kernel that `make setup` has put the weights of here, or `RINGWAY_VAD_MODEL` names.
pub fn kernel(rate: ringway_frame::SampleRate) -> SileroKernel {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ringway/models/silero_vad.onnx");
    let model = std::env::var_os("RINGWAY_VAD_MODEL").map_or_else(kept, PathBuf::from);
    SileroKernel::load(&model, rate).expect("`make setup` has been run, and the CPU has AVX2")
}

/// 20 ms of a voice: 200 Hz and its overtones.
pub fn voice() -> Vec<u8> {
    let samples: Vec<i16> = (0..160).map(|n| 6_500 - 13_000 * (n % 40) / 40).collect();
    let mut mulaw = vec![0; samples.len()];
    g711::encode(&samples, &mut mulaw);
    mulaw
}

/// What a carrier says before it sends audio.
pub fn start() -> Start {
    Start {
        stream: "MZ0123456789abcdef0123456789abcdef".to_owned(),
        call: "CA0123456789abcdef0123456789abcdef".to_owned(),
        account: "AC0123456789abcdef0123456789abcdef".to_owned(),
        format: FORMAT,
        custom_parameters: BTreeMap::new(),
    }
}

/// A media message of a carrier.
pub fn media_text() -> String {
    text(|writer, out| writer.media(out, &voice()))
}

fn text(write: impl FnOnce(&mut CarrierWriter, &mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    write(&mut CarrierWriter::new(&Dialect::TWILIO, start()), &mut text);
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// What becomes of the caller's audio.
pub struct Uplink {
    message: String,
    session: Session,
    bytes: Vec<u8>,
    reframer: Reframer,
    mic: (Writer, Reader),
    speech: (Writer, Reader),
    frame: Frame,
    until: MediaTime,
    loud: LoudTracker,
    cutter: WindowCutter,
    state: VadState,
    turn: Turn,
}

impl Uplink {
    /// A call that has begun, heard by a network of the rate and state of `vad`.
    pub fn new(vad: &impl Vad) -> Self {
        let (mut session, mut bytes) = (Session::new(&Dialect::TWILIO), Vec::new());
        for message in [text(|writer, out| writer.connected(out)), text(|writer, out| writer.start(out))] {
            session.text(&message, &mut bytes).expect("a carrier begins so");
        }
        Self {
            message: media_text(),
            session,
            bytes,
            reframer: Reframer::new(FORMAT),
            mic: ring(FORMAT, CAPACITY),
            speech: ring(FORMAT, CAPACITY),
            frame: Frame::silence(FORMAT),
            until: MediaTime::ZERO,
            loud: LoudTracker::new(FORMAT.rate()),
            cutter: WindowCutter::new(FORMAT, vad.rate()).expect("a rate of the network"),
            state: vad.state(),
            turn: listening(),
        }
    }

    /// Takes 20 ms, to the decisions of turn-taking when a window is whole.
    pub fn hear(&mut self, vad: &mut impl Vad) {
        self.receive();
        self.mic.1.pop(&mut self.frame).expect("it was received");
        self.speech.0.push_or_drop(&self.frame).expect("there is room");
        self.loud.hear(&self.frame);
        self.cutter.hear(&self.frame);
        if let Some(window) = self.cutter.next_window() {
            let mut jobs = [VadJob { state: &mut self.state, samples: window.samples, probability: 0.0 }];
            vad.infer(&mut jobs).expect("a window of its rate");
            let probability = jobs[0].probability;
            let window = Window {
                until: window.until,
                probability,
                loud_until: self.loud.loud_until(),
                skew: Skew::ZERO,
            };
            decide(&mut self.turn, window);
        }
        self.speech.1.pop(&mut self.frame).expect("it was passed on");
    }

    fn receive(&mut self) {
        let event = self.session.text(black_box(&self.message), &mut self.bytes).expect("good media");
        let Event::Message(FromCarrier::Media(media)) = event else { panic!("{event:?}") };
        let (writer, frame, until) = (&mut self.mic.0, &mut self.frame, &mut self.until);
        self.reframer.push(media.payload, |payload| {
            frame.payload_mut().copy_from_slice(payload);
            frame.time = *until;
            *until += FRAME;
            writer.push(frame).expect("there is room");
        });
    }
}

/// A call whose greeting is over.
pub fn listening() -> Turn {
    let mut turn = Turn::new(Config::default());
    turn.handle(Input::Started, MediaTime::ZERO);
    let request = RequestId::default();
    turn.handle(Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() }, MediaTime::ZERO);
    while let Output::Command(command) = turn.poll() {
        drop(command);
    }
    turn
}

/// What a window makes turn-taking do.
pub fn decide(turn: &mut Turn, window: Window) {
    turn.handle(Input::Window(window), window.until);
    while let Output::Command(command) = black_box(turn.poll()) {
        drop(command);
    }
}

/// What becomes of the bot's audio.
pub struct Downlink {
    voice: Writer,
    _owner: Owner<ReplayReader>,
    playout: Playout,
    writer: ServerWriter,
    frame: Frame,
    now: MediaTime,
    out: Vec<u8>,
}

impl Downlink {
    /// A bot that begins to speak.
    pub fn new() -> Self {
        let (voice, reader) = ring(FORMAT, CAPACITY);
        let frame = Frame::new(FORMAT, &self::voice()).expect("20 ms").in_epoch(Epoch::ZERO);
        let lead = Duration::from_millis(100);
        let mut owner = Owner::new(reader.replay(CAPACITY / 2));
        let reader = owner.lend().expect("it is at home");
        Self {
            voice,
            _owner: owner,
            playout: Playout::new(reader, EpochGate::new(), lead, Frame::silence(FORMAT)),
            writer: ServerWriter::new(&Dialect::TWILIO, &start().stream),
            frame,
            now: MediaTime::ZERO,
            out: Vec::with_capacity(1_024),
        }
    }

    /// Says 20 ms.
    pub fn say(&mut self) {
        self.voice.push(black_box(&self.frame)).expect("there is room");
        self.frame.sequence += 1;
        while let Some((frame, _)) = self.playout.next_due(self.now) {
            self.out.clear();
            self.writer.media(&mut self.out, frame.payload());
            black_box(&self.out);
        }
        self.now += FRAME;
        black_box(self.playout.report(self.now));
    }
}
