use serde::Deserialize;

/// How a language model's stream differs from what its vendor describes: as gateways, other servers and some models have
/// it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// It does not.
    #[default]
    None,
    /// Behind the word for the end the stream stays open, with a sign of life each second.
    Open,
    /// Behind the word for the end the connection breaks off.
    Broken,
    /// There is no word for the end.
    Unended,
    /// `null` and empty texts where something else is due, and counts that are floats.
    Nulls,
    /// Content is a list of parts.
    Parts,
    /// A call's name and id are in each piece of it, another id in each, and all of it comes once more.
    Repeats,
    /// A call's arguments are an object.
    Objects,
    /// Plain text by its type, a byte order mark, line ends of two bytes, comments.
    Plain,
    /// Thoughts stand before the words, between tags.
    Thinks,
    /// Of the tags, only the second one is there.
    Closes,
    /// Calls are written into the text; behind words stands a token of the chat template.
    Writes,
    /// There are no words: the reply was as long as it may be.
    Empty,
    /// The model says that it does not answer.
    Refuses,
    /// A call has a signature, which has to come back with its result.
    Signs,
}

impl Quirk {
    /// The quirk of the `number`-th request.
    pub fn of(quirks: &[Self], number: u64) -> Self {
        let at = number.checked_rem(quirks.len() as u64).unwrap_or_default();
        quirks.get(usize::try_from(at).unwrap_or_default()).copied().unwrap_or_default()
    }
}
