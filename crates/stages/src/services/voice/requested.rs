use super::pieces::Pieces;
use super::speech::Coding;

/// A voice that is asked for each clause by a request of its own.
pub(in crate::services) trait Requested: 'static {
    /// Its name, for errors.
    const NAME: &'static str;

    /// Begins a request for a text with a sound in it.
    fn ask(&self, text: &str) -> Box<dyn Pieces>;

    /// How its audio comes.
    fn coding(&self) -> Coding;

    /// Sets up a connection ahead of time.
    fn warm(&self);
}
