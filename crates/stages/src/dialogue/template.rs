use super::diagnostic::Place;
use std::collections::BTreeMap;

/// What the caller has told: values by name.
pub(super) type Slots = BTreeMap<String, String>;

/// A text with slots in it: `"{day} at {hour}"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) place: Place,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot {
        name: String,
        /// Said digit by digit.
        digits: bool,
    },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("a {{ has no }}")]
    Unclosed,
    #[error("{{{0}}} is no slot: a name is small letters, digits and _, and may be followed by :digits")]
    BadSlot(String),
}

impl Template {
    /// Parses a text; `{{` stands for a brace.
    pub(super) fn parse(text: &str, place: Place) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            plain += before;
            if let Some(after) = after.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let (slot, after) = after.split_once('}').ok_or(TemplateError::Unclosed)?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(slot_piece(slot)?);
            rest = after;
        }
        plain += rest;
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { place, pieces })
    }

    /// Nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(text) if text.trim().is_empty()))
    }

    /// The names of its slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with a gap for each slot.
    pub(super) fn with_gaps(&self) -> String {
        let plain = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Slot { .. } => GAP.to_string(),
        };
        self.pieces.iter().map(plain).collect()
    }

    /// The text with the slots filled in.
    pub(super) fn render(&self, slots: &Slots) -> String {
        self.pieces.iter().map(|piece| piece.render(slots)).collect()
    }
}

impl Piece {
    fn render(&self, slots: &Slots) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Slot { name, digits } => {
                let value = slots.get(name).map_or("", String::as_str);
                if *digits { spell(value) } else { value.to_owned() }
            }
        }
    }
}

/// A name that a slot may have.
pub(super) fn is_slot_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn slot_piece(slot: &str) -> Result<Piece, TemplateError> {
    let (name, digits) = match slot.split_once(':') {
        Some((name, "digits")) => (name, true),
        Some(_) => return Err(TemplateError::BadSlot(slot.to_owned())),
        None => (slot, false),
    };
    if !is_slot_name(name) {
        return Err(TemplateError::BadSlot(slot.to_owned()));
    }
    Ok(Piece::Slot { name: name.to_owned(), digits })
}

fn spell(value: &str) -> String {
    value.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// Stands in [`Dialogues::texts`](crate::dialogue::Dialogues::texts) for what is known only in a call.
pub const GAP: char = '\u{fffc}';

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        let slots = Slots::from([("day".into(), "monday".into()), ("pin".into(), "042".into())]);
        Template::parse(text, Place::default()).unwrap().render(&slots)
    }

    #[test]
    fn slots_are_filled_in() {
        assert_eq!(render("on {day}, pin {pin:digits}."), "on monday, pin 0 4 2.");
        assert_eq!(render("{day}"), "monday");
        assert_eq!(render("a {{brace} and } alone"), "a {brace} and } alone");
        assert_eq!(render("{unknown}"), "");
    }

    #[test]
    fn a_text_that_is_no_template_is_refused() {
        for text in ["{", "{day", "{Day}", "{day:words}", "{}", "{1}"] {
            assert!(Template::parse(text, Place::default()).is_err(), "{text}");
        }
    }
}
