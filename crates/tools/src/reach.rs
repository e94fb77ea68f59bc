/// How far what a tool does reaches, and with it what it means to call it twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It does something elsewhere: what was sent is not sent again for the same turn.
    #[default]
    Acts,
    /// It only asks elsewhere: it may ask again when the answer did not come.
    Asks,
    /// It does something to this call, where the last of two counts.
    Call,
}
