/// Where each part of a call stands: a row of the [table of states](crate#states).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct States {
    /// The call.
    pub call: &'static str,
    /// The caller's utterance.
    pub caller: &'static str,
    /// The caller speaking over the bot.
    pub interruption: &'static str,
    /// The bot's reply.
    pub reply: &'static str,
    /// Keys and typed text on their way to an answer.
    pub keys: &'static str,
}
