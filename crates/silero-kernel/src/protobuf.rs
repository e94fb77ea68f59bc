//! Reads the wire format of protocol buffers, as <https://protobuf.dev/programming-guides/encoding/> has it.

use crate::ModelError;

/// A message, not yet looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    /// Where in the file it begins.
    at: usize,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub number: u64,
    pub value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// A number.
    Varint(u64),
    /// Text, bytes, packed numbers or a message.
    Bytes(Message<'a>),
    /// Four or eight bytes, which nothing here needs.
    Fixed,
}

/// The fields of a message, up to the first mistake.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    pub fn of_file(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub fn fields(self) -> Fields<'a> {
        Fields { rest: self.bytes, at: self.at }
    }

    /// The messages, texts or bytes in the fields of this number.
    pub fn all(self, number: u64) -> impl Iterator<Item = Result<Message<'a>, ModelError>> {
        self.fields().filter_map(move |field| match field {
            Ok(Field { number: found, value: Value::Bytes(message) }) if found == number => Some(Ok(message)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// The first of them.
    pub fn first(self, number: u64) -> Result<Option<Message<'a>>, ModelError> {
        self.all(number).next().transpose()
    }

    /// That what begins here is not what it should be.
    pub fn mistake(self, reason: &'static str) -> ModelError {
        ModelError::Protobuf { at: self.at, reason }
    }

    /// All bytes as numbers one after the other.
    pub fn varints(self) -> impl Iterator<Item = Result<u64, ModelError>> {
        let mut fields = self.fields();
        std::iter::from_fn(move || {
            if fields.rest.is_empty() { None } else { Some(fields.stop_at_mistake(Fields::varint)) }
        })
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Field<'a>, ModelError> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => self.bytes()?,
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(self.mistake("unknown kind of field")),
        };
        Ok(Field { number: tag >> 3, value })
    }

    /// At most ten bytes with seven bits each, the lowest first.
    fn varint(&mut self) -> Result<u64, ModelError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.mistake("a number of more than ten bytes"))
    }

    fn bytes(&mut self) -> Result<Value<'a>, ModelError> {
        let len = self.varint()?;
        let at = self.at;
        let bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        Ok(Value::Bytes(Message { bytes, at }))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ModelError> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.mistake("it ends too early"));
        };
        self.rest = rest;
        self.at += len;
        Ok(taken)
    }

    fn stop_at_mistake<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let result = read(self);
        if result.is_err() {
            self.rest = &[];
        }
        result
    }

    fn mistake(&self, reason: &'static str) -> ModelError {
        ModelError::Protobuf { at: self.at, reason }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() { None } else { Some(self.stop_at_mistake(Self::field)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(bytes: &[u8]) -> (usize, &'static str) {
        match Message::of_file(bytes).fields().find_map(Result::err) {
            Some(ModelError::Protobuf { at, reason }) => (at, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fields_of_every_kind_are_passed_over() {
        let bytes = [&[0x08, 0x96, 0x01, 0x11][..], &[0; 8], &[0x1a, 2, 7, 8, 0x25], &[0; 4]].concat();
        let fields: Vec<_> = Message::of_file(&bytes).fields().map(Result::unwrap).collect();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(matches!(fields[0].value, Value::Varint(150)));
        assert!(matches!(fields[2].value, Value::Bytes(message) if message.bytes() == [7, 8]));
    }

    #[test]
    fn packed_numbers_are_read_to_their_end() {
        let numbers: Vec<_> = Message::of_file(&[0x80, 0x02, 1]).varints().map(Result::unwrap).collect();
        assert_eq!(numbers, [256, 1]);
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_ends_the_fields() {
        assert_eq!(mistake(&[0x1a, 5, 1]), (2, "it ends too early"));
        assert_eq!(mistake(&[0x08]), (1, "it ends too early"));
        assert_eq!(mistake(&[0x0b, 0]), (1, "unknown kind of field"));
        assert_eq!(mistake(&[0xff; 11]), (10, "a number of more than ten bytes"));
        assert_eq!(mistake(&[0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).0, 11);
        assert_eq!(Message::of_file(&[0x0b, 0, 0, 0]).fields().count(), 1);
    }
}
