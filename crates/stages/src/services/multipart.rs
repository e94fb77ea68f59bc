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
            // A value that held the boundary would end the form; what is left of it does not join to another one.
            body.extend_from_slice(value.replace(BOUNDARY, " ").as_bytes());
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

    /// Head and content of each part, as RFC 7578 has them read.
    fn parts(body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let content_type = Form::content_type();
        let (_, boundary) = content_type.to_str().unwrap().split_once("; boundary=").unwrap();
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        let mut rest = [b"\r\n", body].concat();
        let mut parts = Vec::new();
        while let Some(at) = find(&rest, &delimiter) {
            parts.push(rest.drain(..at).collect::<Vec<_>>());
            rest.drain(..delimiter.len());
        }
        assert_eq!((parts.remove(0), rest.as_slice()), (Vec::new(), b"--\r\n".as_slice()));
        parts.iter().map(|part| part.strip_prefix(b"\r\n").unwrap()).map(part).collect()
    }

    fn part(part: &[u8]) -> (String, Vec<u8>) {
        let end = find(part, b"\r\n\r\n").unwrap();
        (String::from_utf8(part[..end].to_vec()).unwrap(), part[end + 4..].to_vec())
    }

    fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
        bytes.windows(wanted.len()).position(|window| window == wanted)
    }

    fn head(name: &str) -> String {
        format!("Content-Disposition: form-data; name=\"{name}\"")
    }

    #[test]
    fn a_form_holds_its_fields_and_its_file_and_nothing_else() {
        let fields = [("model", "whisper-1".to_owned()), ("prompt", String::new())];
        let mut form = Form::new(&fields, SampleRate::HZ_8000);
        form.write(&[1, 2]);
        form.write(&[-1]);
        assert_eq!(form.audio(), 6);
        let file = [&wav::header(SampleRate::HZ_8000, 6)[..], &[1, 0, 2, 0, 255, 255]].concat();
        let file_head = format!("{}; filename=\"speech.wav\"\r\nContent-Type: audio/wav", head("file"));
        let expected =
            [(head("model"), b"whisper-1".to_vec()), (head("prompt"), Vec::new()), (file_head, file)];
        assert_eq!(parts(&form.finish()), expected);
    }

    #[test]
    fn a_value_with_the_boundary_in_it_stays_one_field() {
        for (value, kept) in [
            (format!("before\r\n--{BOUNDARY}--\r\nbehind"), "before\r\n-- --\r\nbehind"),
            (format!("{}{BOUNDARY}{}", &BOUNDARY[..12], &BOUNDARY[12..]), "ringway-9b1d 07c3f2e64a58"),
        ] {
            let form = Form::new(&[("prompt", value)], SampleRate::HZ_16000);
            let parts = parts(&form.finish());
            assert_eq!((parts.len(), &parts[0]), (2, &(head("prompt"), kept.as_bytes().to_vec())));
        }
    }
}
