use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Where the tensors of a file lie: eight bytes with the length of a JSON header, the header, and the numbers behind it
/// (<https://github.com/huggingface/safetensors#format>).
#[derive(Debug)]
pub(super) struct Safetensors {
    tensors: BTreeMap<String, Place>,
}

/// One tensor of 32-bit floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shape: Vec<u64>,
    /// Bytes from the beginning of the file.
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

impl Safetensors {
    /// Reads the header of a file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let whole = file.metadata()?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER {
            return Err(io::Error::other("it does not begin as safetensors do"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        Self::parse(&header, whole)
    }

    fn parse(header: &[u8], whole: u64) -> io::Result<Self> {
        #[derive(Deserialize)]
        struct Entry {
            dtype: String,
            shape: Vec<u64>,
            data_offsets: [u64; 2],
        }
        let entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header)?;
        let data = 8 + header.len() as u64;
        let mut tensors = BTreeMap::new();
        for (name, entry) in entries.into_iter().filter(|(name, _)| name != "__metadata__") {
            let Entry { dtype, shape, data_offsets: [from, to] } = serde_json::from_value(entry)?;
            if dtype != "F32" {
                continue;
            }
            let length = shape.iter().try_fold(4_u64, |bytes, side| bytes.checked_mul(*side));
            let fits = to.checked_sub(from) == length && data.checked_add(to).is_some_and(|end| end <= whole);
            let Some(length) = length.filter(|_| fits) else {
                return Err(io::Error::other(format!("tensor {name:?} does not lie in the file")));
            };
            tensors.insert(name, Place { shape, offset: data + from, length });
        }
        Ok(Self { tensors })
    }

    /// A tensor of this name and shape.
    pub(super) fn place(&self, name: &str, shape: &[u64]) -> io::Result<&Place> {
        let place = self.tensors.get(name).filter(|place| place.shape == shape);
        place.ok_or_else(|| io::Error::other(format!("it has no tensor {name:?} of the shape {shape:?}")))
    }
}

/// A header, in a file that is as long as its first byte and the header say.
pub(crate) fn fuzz(data: &[u8]) {
    let Some((more, header)) = data.split_first() else { return };
    let whole = 8 + header.len() as u64 + 64 * u64::from(*more);
    let Ok(file) = Safetensors::parse(header, whole) else { return };
    for (name, place) in &file.tensors {
        let end = place.offset.checked_add(place.length);
        assert!(end.is_some_and(|end| end <= whole), "{name:?}: {place:?} of {whole}");
    }
}

/// Bytes of a header.
const LONGEST_HEADER: u64 = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_found_behind_the_header() {
        let header =
            br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}}"#;
        let data = 8 + header.len() as u64;
        let file = Safetensors::parse(header, data + 32).unwrap();
        assert_eq!(file.place("a", &[2, 3]).unwrap().offset, data + 8);
        assert!(file.place("a", &[3, 2]).is_err());
        assert!(file.place("b", &[2, 3]).is_err());
    }

    #[test]
    fn a_tensor_that_reaches_beyond_the_file_is_refused() {
        for (shape, offsets, whole) in
            [("[2,3]", "[8,32]", 31), ("[2,3]", "[8,31]", 99), ("[9,9]", "[32,8]", 99)]
        {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
            let whole = 8 + header.len() as u64 + whole;
            assert!(Safetensors::parse(header.as_bytes(), whole).is_err(), "{header}");
        }
    }
}
