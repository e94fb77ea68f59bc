use super::tool_call::Round;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller.
    User,
    /// The bot.
    Assistant,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub role: Role,
    /// The words that were heard.
    pub text: String,
}

/// What the caller did that wants a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    /// Came on the line.
    Joined,
    /// Said this.
    Said(String),
    /// Pressed these keys.
    Pressed(String),
    /// Said nothing for the n-th time in a row, from 1.
    Silent(u8),
    /// Nothing new: a reply to what was said before is wanted.
    Nothing,
}

/// What is wanted of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// A reply to what the caller did.
    #[default]
    Reply,
    /// The history in short, and what was said before it: nothing that the caller hears.
    Summary,
}

/// A reply that is wanted.
#[derive(Clone, Debug)]
pub struct LlmRequest {
    /// What for.
    pub task: Task,
    /// Its number; a new request replaces the running one.
    pub id: u32,
    /// What the caller did.
    pub cue: Cue,
    /// What was said before the history, in short; empty as long as the history is all.
    pub summary: String,
    /// What was said before, oldest first; the cue is not in it.
    pub history: Vec<Said>,
    /// What this engine returned with its last accepted reply; empty at first.
    pub memo: String,
    /// The beginning of this reply, made by an engine that died: go on behind it.
    pub already: String,
    /// What tools have said, oldest first; those behind the cue are of this reply.
    pub rounds: Vec<Round>,
    /// The language that is spoken, as people call it; empty: the one that prompts are written in.
    pub language: String,
}

impl LlmRequest {
    /// A request in a conversation that begins.
    pub const fn new(id: u32, cue: Cue) -> Self {
        Self {
            task: Task::Reply,
            id,
            cue,
            summary: String::new(),
            history: Vec::new(),
            memo: String::new(),
            already: String::new(),
            rounds: Vec::new(),
            language: String::new(),
        }
    }

    /// A wish for a summary of what was said, the earlier summary included.
    pub fn summary(summary: String, history: Vec<Said>, memo: String) -> Self {
        let nothing = Self::new(0, Cue::Said(String::new()));
        Self { task: Task::Summary, summary, history, memo, ..nothing }
    }
}
