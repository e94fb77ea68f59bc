use super::pieces::Pieces;
use super::speech::{Coding, Spares};

/// A voice that is asked for each clause by a request of its own.
pub(in crate::services) trait Requested: 'static {
    /// Its name, for errors.
    const NAME: &'static str;

    /// Begins a request for a text with a sound in it.
    fn ask(&self, text: &str) -> Box<dyn Pieces>;

    /// How its audio comes.
    fn coding(&self) -> Coding;

    /// Resamplers that its calls share.
    fn spares(&self) -> &Spares;

    /// Sets up a connection ahead of time.
    fn warm(&self);
}
