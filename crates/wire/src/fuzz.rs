//! What the fuzzers call, and the tests that replay their corpora: each takes any bytes and panics on a defect.

use crate::twilio::{CarrierWriter, Dialect, Event, FromCarrier, Session, ToCarrier};
use crate::voice_ws::{self, Down, Up};
use crate::{ErrorCode, wav};
use ringway_frame::SampleRate;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("twilio", twilio),
    ("twilio_media", twilio_media),
    ("voice_ws_up", voice_ws_up),
    ("voice_ws_down", voice_ws_down),
    ("wav", wav),
];

/// A carrier's socket: each line a message. What a start message says survives being written and read again.
pub fn twilio(data: &[u8]) {
    let Ok(lines) = std::str::from_utf8(data) else { return };
    let (mut session, mut audio) = (Session::new(&Dialect::TWILIO), Vec::new());
    let mut begun = false;
    for line in lines.lines() {
        match session.text(line, &mut audio) {
            Ok(Event::Message(FromCarrier::Start(start))) => {
                begun = true;
                let (mut again, mut unused) = (Vec::new(), Vec::new());
                CarrierWriter::new(&Dialect::TWILIO, start.clone()).start(&mut again);
                let again = std::str::from_utf8(&again).expect("JSON is UTF-8");
                let again = FromCarrier::parse(&Dialect::TWILIO, again, &mut unused);
                assert_eq!(again, Ok(FromCarrier::Start(start)));
            }
            Ok(Event::Message(FromCarrier::Unknown(name))) => panic!("{name} is to be ignored"),
            Ok(_) => {}
            Err(error) if error.code == ErrorCode::MessageTooLarge => assert!(!error.is_recoverable()),
            Err(error) => assert_eq!(error.is_recoverable(), begun, "{error}"),
        }
    }
}

/// One message, in both directions: the scanner and the JSON tree accept and refuse alike, with equal values.
pub fn twilio_media(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mut scanned, mut parsed) = (Vec::new(), Vec::new());
    assert_eq!(
        FromCarrier::parse(&Dialect::TWILIO, text, &mut scanned),
        FromCarrier::parse_tree(&Dialect::TWILIO, text, &mut parsed)
    );
    assert_eq!(
        ToCarrier::parse(&Dialect::TWILIO, text, &mut scanned),
        ToCarrier::parse_tree(&Dialect::TWILIO, text, &mut parsed)
    );
}

/// A browser's socket: each line a message, a binary one behind a `>`. What is understood survives being written
/// and read again.
pub fn voice_ws_up(data: &[u8]) {
    let mut session = voice_ws::Session::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(binary) = line.strip_prefix(b">") {
            let _ = session.binary(binary);
        } else if let Ok(text) = std::str::from_utf8(line) {
            let _ = session.text(text);
            if let Ok(message) = Up::parse(text) {
                assert_eq!(Up::parse(&message.to_text()), Ok(message));
            }
        }
    }
}

/// A message of the server to a browser: what is understood survives being written and read again.
pub fn voice_ws_down(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(message) = Down::parse(text) {
        assert_eq!(Down::parse(&message.to_text()).expect("it was written here"), message);
    }
}

/// A WAV file: what is read survives being written and read again.
pub fn wav(data: &[u8]) {
    if let Ok(samples) = wav::read(data, SampleRate::HZ_8000) {
        let file = wav::write(&samples, SampleRate::HZ_8000);
        assert_eq!(wav::read(&file, SampleRate::HZ_8000), Ok(samples));
    }
}
