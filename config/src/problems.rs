use crate::loaded::Loaded;
use crate::problem::Problem;

/// All mistakes of a configuration: first those of the file by line, then the environment's, then the flags'.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("{}", lines(found))]
pub struct Problems {
    /// At least one.
    pub found: Vec<Problem>,
    /// What could be read, with defaults in the place of what could not: for those who look for more mistakes.
    pub readable: Box<Loaded>,
}

fn lines(found: &[Problem]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
