//! A form with one file in it, `multipart/form-data` (RFC 7578), whose audio is written as it is heard.

use super::wav;
use bytes::Bytes;
use hyper::header::HeaderValue;
use ringway_frame::SampleRate;

/// A form that ends in a WAV file of 16-bit mono audio.
#[derive(Debug)]
pub(super) struct Form {
    body: Vec<u8>,
    /// Where the file begins.
    file: usize,
    rate: SampleRate,
}

impl Form {
    /// A form with these fields in front of the file.
    pub(super) fn new(fields: &[(&'static str, String)], rate: SampleRate) -> Self {
        let mut body = Vec::with_capacity(FIRST_ROOM);
        for (name, value) in fields {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            // A value that held the boundary would end the form.
            body.extend_from_slice(value.replace(BOUNDARY, "").as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\n\
             Content-Type: audio/wav\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        let file = body.len();
        body.extend_from_slice(&[0; wav::HEADER]);
        Self { body, file, rate }
    }

    /// Writes more audio.
    pub(super) fn write(&mut self, samples: &[i16]) {
        self.body.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    }

    /// Bytes of audio so far.
    pub(super) fn audio(&self) -> usize {
        self.body.len() - self.file - wav::HEADER
    }

    /// The whole form.
    pub(super) fn finish(mut self) -> Bytes {
        let audio = u32::try_from(self.audio()).unwrap_or(u32::MAX);
        let header = wav::header(self.rate, audio);
        self.body[self.file..self.file + wav::HEADER].copy_from_slice(&header);
        self.body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.body.into()
    }

    pub(super) fn content_type() -> HeaderValue {
        HeaderValue::from_static("multipart/form-data; boundary=ringway-9b1d07c3f2e64a58")
    }
}

/// Sixteen random digits, which audio does not hold by chance; the same as in the content type.
const BOUNDARY: &str = "ringway-9b1d07c3f2e64a58";

/// Two seconds of telephone audio and the fields.
const FIRST_ROOM: usize = 33 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_its_fields_and_its_file() {
        let mut form = Form::new(&[("model", "whisper-1".into())], SampleRate::HZ_8000);
        form.write(&[1, 2]);
        form.write(&[-1]);
        assert_eq!(form.audio(), 6);
        let (rate, body) = (form.rate, form.finish());
        let parts = body.split(|byte| *byte == b'-').count();
        assert!(parts > 1);
        let text = String::from_utf8_lossy(&body);
        assert!(Form::content_type().to_str().unwrap().ends_with(BOUNDARY));
        assert!(text.starts_with(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--{BOUNDARY}\r\n"
        )));
        let end =
            [&wav::header(rate, 6)[..], &[1, 0, 2, 0, 255, 255], b"\r\n--", BOUNDARY.as_bytes(), b"--\r\n"];
        assert!(body.ends_with(&end.concat()));
    }
}
