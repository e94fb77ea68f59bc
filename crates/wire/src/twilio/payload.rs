//! Audio in JSON: base64 of RFC 4648, padded or not.

use crate::json::Object;
use crate::{CloseCode, ErrorCode, ProtocolError};
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{DecodeError, encoded_len};
use bytes::BufMut;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes encoded at once: a multiple of three, so that only the last piece is padded.
const PIECE: usize = 192;

/// Decodes `text` into `audio`, which loses what it held.
pub(super) fn decode(text: &str, audio: &mut Vec<u8>) -> Result<(), DecodeError> {
    audio.clear();
    BASE64.decode_vec(text, audio)
}

/// Decodes the field `payload` of `media` into `audio`.
pub(super) fn decode_field(media: &Object<'_>, audio: &mut Vec<u8>) -> Result<(), ProtocolError> {
    decode(media.string("payload")?, audio).map_err(|error| {
        let message = format!("{} is not base64: {error}", media.place("payload"));
        ProtocolError::fatal(ErrorCode::BadBase64, CloseCode::Bytes, message)
    })
}

/// Appends `payload` in base64.
pub(super) fn encode(payload: &[u8], out: &mut impl BufMut) {
    let mut piece = [0; encoded_len(PIECE, true).expect("a piece is short")];
    for bytes in payload.chunks(PIECE) {
        let len = BASE64.encode_slice(bytes, &mut piece).expect("a piece holds what PIECE bytes encode to");
        out.put_slice(&piece[..len]);
    }
}
