/// What stands below one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The headings above it, the highest first, separated by `>`; may be empty.
    pub heading: String,
    /// Its text; paragraphs, and items of lists, are lines.
    pub text: String,
}
