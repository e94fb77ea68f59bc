/// Why connections to a service cannot even be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// No certificate authority is known, so that nobody can be trusted.
    #[error("{host}: no certificate authorities are installed (the Debian package ca-certificates has them)")]
    NoAuthorities {
        /// Who was to be trusted.
        host: String,
    },
    /// A host without a name that a certificate could be for.
    #[error("{host:?} is no name that a certificate could be for")]
    Name {
        /// It.
        host: String,
    },
    /// A prompt with a mistake.
    #[error(transparent)]
    Template(#[from] crate::prompt::TemplateError),
    /// A key with characters that no header takes.
    #[error("the key of {host} has characters that no header takes")]
    Key {
        /// Whose.
        host: String,
    },
}
