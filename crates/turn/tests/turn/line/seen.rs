use super::{Line, said};
use ringway_frame::MediaTime;
use ringway_turn::{CallerTurn, Command, Event, RequestId};

impl Line {
    // What the tests look at.

    pub fn events(&self) -> impl Iterator<Item = (u64, &Event)> {
        self.log.iter().filter_map(|(time, command)| match command {
            Command::Event(event) => Some((time.as_millis(), event)),
            _ => None,
        })
    }

    pub fn when(&self, wanted: impl Fn(&Command) -> bool) -> Option<u64> {
        self.log.iter().find(|(_, command)| wanted(command)).map(|(time, _)| time.as_millis())
    }

    pub fn count(&self, wanted: impl Fn(&Command) -> bool) -> usize {
        self.log.iter().filter(|(_, command)| wanted(command)).count()
    }

    /// What the model was asked, in order, speculation included.
    pub fn asked(&self) -> Vec<CallerTurn> {
        let asked = |command: &Command| match command {
            Command::Reply { caller, .. } => Some(caller.clone()),
            _ => None,
        };
        self.log.iter().filter_map(|(_, command)| asked(command)).collect()
    }

    /// When the model was asked for the last time.
    pub fn last_asked(&self) -> MediaTime {
        let asked = self.log.iter().rfind(|(_, command)| matches!(command, Command::Reply { .. }));
        asked.expect("it was asked").0
    }

    /// The newest request.
    pub fn running(&self) -> Option<RequestId> {
        let request = |command: &Command| match command {
            Command::Reply { request, .. } => Some(*request),
            _ => None,
        };
        self.log.iter().rev().find_map(|(_, command)| request(command))
    }

    pub fn spoken<'a>(&'a self) -> Vec<&'a str> {
        let text = |command: &'a Command| {
            if let Command::Speak { text, .. } = command { Some(text.as_str()) } else { None }
        };
        self.log.iter().filter_map(|(_, command)| text(command)).collect()
    }

    /// The context as `who: text` lines.
    pub fn context(&self) -> Vec<String> {
        said(self.turn.context())
    }

    /// Milliseconds from `from` to the first sound after it.
    pub fn answered_after(&self, from: u64) -> u64 {
        self.sound.iter().map(|(time, _)| *time).find(|time| *time > from).expect("an answer") - from
    }

    pub fn sounds_between(&self, from: u64, until: u64) -> bool {
        self.sound.iter().any(|(time, _)| (from..until).contains(time))
    }
}
