/// A language that a call can be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// Its code.
    pub code: String,
    /// What people call it.
    pub name: String,
}
