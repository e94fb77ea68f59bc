/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A token is set, and the request has none or another.
    #[error("this needs the header Authorization: Bearer with the server's token")]
    Token,
    /// No token is set, and the request asks for another machine.
    #[error("without RINGWAY_ADMIN_TOKEN only requests for localhost are answered, not for {0:?}")]
    Host(String),
    /// No token is set, and a proxy has forwarded the request.
    #[error("this request came through a proxy ({0}); behind a proxy: set RINGWAY_ADMIN_TOKEN")]
    Proxied(String),
    /// A page of another site asks.
    #[error("pages of {0:?} may not connect here; server.allowed_origins and server.public_url permit them")]
    Origin(String),
}

impl Denied {
    /// Every reason.
    pub const REASONS: [&str; 4] = ["token", "host", "proxy", "origin"];

    /// Its stable name in metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Host(_) => "host",
            Self::Proxied(_) => "proxy",
            Self::Origin(_) => "origin",
        }
    }
}
