//! A caller who talks to a dialogue, one session a turn, as if each had died after its reply.

use ringway_stages::dialogue::{Diagnostic, Dialogues};
use ringway_stages::llm::{Cue, LanguageModel, LlmCall, LlmEvent, LlmRequest, LlmSession, Next};
use ringway_stages::transfer::Destination;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The dialogues in `config/dialogue`.
pub fn shipped() -> &'static Dialogues {
    static SHIPPED: LazyLock<Dialogues> =
        LazyLock::new(|| Dialogues::load(&root().join("config/dialogue"), &|_| true).unwrap());
    &SHIPPED
}

/// Dialogues from texts by name, for a recogniser that does not know the word "xyzzy".
pub fn dialogues(texts: &[(&str, &str)]) -> Result<Dialogues, Vec<Diagnostic>> {
    let sources = texts.iter().map(|(name, text)| (*name, format!("{name}.toml"), *text));
    Dialogues::parse(sources, &|word| word != "xyzzy")
}

/// A dialogue named "test".
pub fn one(text: &str) -> Dialogues {
    dialogues(&[("test", text)]).unwrap()
}

/// Whom an operator has written down.
pub fn to(text: &str) -> Destination {
    Destination::written(text).unwrap()
}

/// The request of a fresh reply.
pub fn request(id: u32, cue: Cue, memo: &str) -> LlmRequest {
    LlmRequest { memo: memo.to_owned(), ..LlmRequest::new(id, cue) }
}

/// All of a reply.
pub fn drain(session: &mut dyn LlmSession) -> (String, Next, String) {
    let mut reply = String::new();
    loop {
        match session.poll_event(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(LlmEvent::Text { text, .. })) => reply += &text,
            Poll::Ready(Ok(LlmEvent::Slots { .. })) => {}
            Poll::Ready(Ok(LlmEvent::Done { next, memo, .. })) => return (reply, next, memo),
            other => panic!("{other:?}"),
        }
    }
}

pub struct Caller<'d> {
    dialogues: &'d Dialogues,
    dialogue: Option<String>,
    pub memo: String,
    pub next: Option<Next>,
}

impl<'d> Caller<'d> {
    pub fn of(dialogues: &'d Dialogues, dialogue: &str) -> Self {
        Self { dialogue: Some(dialogue.to_owned()), ..Self::without_dialogue(dialogues) }
    }

    pub fn without_dialogue(dialogues: &'d Dialogues) -> Self {
        Self { dialogues, dialogue: None, memo: String::new(), next: None }
    }

    pub fn joins(&mut self) -> String {
        self.does(Cue::Joined)
    }

    pub fn says(&mut self, text: &str) -> String {
        self.does(Cue::Said(text.to_owned()))
    }

    pub fn presses(&mut self, keys: &str) -> String {
        self.does(Cue::Pressed(keys.to_owned()))
    }

    pub fn is_silent(&mut self, times: u8) -> String {
        self.does(Cue::Silent(times))
    }

    /// Whether these words complete what is expected now.
    pub fn completes(&self, text: &str) -> bool {
        matches!(&self.next, Some(Next::Listen(expectation)) if expectation.completes(text))
    }

    pub fn keys(&self) -> Option<u8> {
        match &self.next {
            Some(Next::Listen(expectation)) => expectation.keys(),
            _ => None,
        }
    }

    fn does(&mut self, cue: Cue) -> String {
        let mut session =
            self.dialogues.open(LlmCall { dialogue: self.dialogue.clone(), ..LlmCall::default() }).unwrap();
        session.reply(request(1, cue, &self.memo)).unwrap();
        let (reply, next, memo) = drain(session.as_mut());
        self.memo = memo;
        self.next = Some(next);
        reply
    }
}

#[derive(Default)]
pub struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub fn wakes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
