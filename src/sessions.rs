//! Who may bring a transport to a call: whoever has the token of its session.

use crate::refusals;
use ringway_frame::CallId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call that takes a transport, and where it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The call.
    pub call: CallId,
    /// The media core that owns it, by its number.
    pub core: usize,
    /// Its leg that the token is for; 0 is the caller's.
    pub leg: u32,
}

/// All sessions, by their tokens. A lock, since calls on all cores begin and end by themselves; it is taken when one does,
/// and when a transport comes.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<Token, Session>>);

/// What proves that a peer belongs to a call: 122 random bits, as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(String);

/// Keeps a session known for as long as its call is there.
#[derive(Debug)]
pub struct Open {
    token: Token,
    of: Arc<Sessions>,
}

impl Token {
    fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// As it is told to the peer that it is for, and to nobody else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sessions {
    /// A session of this call, with a token of its own.
    pub fn open(self: &Arc<Self>, session: Session) -> Open {
        let token = Token::random();
        self.all().insert(token.clone(), session);
        Open { token, of: self.clone() }
    }

    /// The session of this token. A wrong one is counted: guessing takes far longer than any call lasts.
    pub fn find(&self, token: &str) -> Option<Session> {
        let found = self.all().get(&Token(token.to_owned())).copied();
        if found.is_none() {
            refusals::count("unknown_session");
        }
        found
    }

    /// The caller's session of this call, while it is in progress.
    pub fn of(&self, call: CallId) -> Option<(Token, Session)> {
        let callers = |session: &Session| session.call == call && session.leg == 0;
        self.all()
            .iter()
            .find(|(_, session)| callers(session))
            .map(|(token, session)| (token.clone(), *session))
    }

    /// Whether the call has this leg.
    pub fn has(&self, call: CallId, leg: u32) -> bool {
        self.of_leg(call, leg).is_some()
    }

    /// The session of this leg of the call.
    pub fn of_leg(&self, call: CallId, leg: u32) -> Option<Session> {
        self.all().values().find(|session| session.call == call && session.leg == leg).copied()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Token, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// What its peer is told.
    pub fn token(&self) -> &Token {
        &self.token
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.of.all().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_token_for_as_long_as_its_call_is_there() {
        let sessions = Arc::<Sessions>::default();
        let of = |bits| Session { call: CallId::from_bits(bits), core: 0, leg: 0 };
        let (one, two) = (sessions.open(of(1)), sessions.open(of(2)));
        assert_eq!(sessions.find(two.token().as_str()), Some(of(2)));
        assert_eq!(sessions.of(of(1).call), Some((one.token().clone(), of(1))));
        let token = one.token().clone();
        drop(one);
        assert_eq!((sessions.find(token.as_str()), sessions.of(of(1).call)), (None, None));
        assert_eq!(two.token().as_str().len(), 32);
    }
}
