//! Recogniser, model, and what is both and a voice besides.

use super::*;

impl Line {
    /// A caller who has said this, and what the model was asked then; its own words are far off.
    pub fn waiting(config: Config, words: &str) -> (Self, RequestId) {
        let mut line = Self::greeted(config);
        line.says(1_000, 1_800, words);
        line.run(900);
        line.model_delay = 60_000;
        line.run(2_100);
        let request = line.log.iter().rev().find_map(|(_, command)| match command {
            Command::Reply { request, .. } => Some(*request),
            _ => None,
        });
        (line, request.expect("the model was asked"))
    }

    pub(super) fn recognise(&mut self, stt: &Stt) {
        match *stt {
            Stt::Begin { utterance, from } => self.recogniser.running = Some((utterance, from.as_millis())),
            Stt::Flush { utterance, ask, until, .. } => {
                let Some((running, from)) = self.recogniser.running else { return };
                assert_eq!(running, utterance, "a flush of an utterance that does not run");
                let within = |said: &&Said| said.from + 100 >= from && said.from <= until.as_millis();
                let said: Vec<_> = self.caller.iter().filter(within).collect();
                let words: Vec<_> =
                    said.iter().map(|said| said.words.as_str()).filter(|it| !it.is_empty()).collect();
                let (text, complete) = (words.join(" "), said.last().is_some_and(|said| said.complete));
                self.understood.clone_from(&text);
                self.recogniser.ask = Some(ask);
                let delay = Duration::from_millis(self.recogniser.delay.unwrap_or(STT));
                self.schedule(self.now + delay, World::Answer { utterance, ask, text, complete });
            }
            Stt::Continue { .. } => self.recogniser.ask = None,
            Stt::Close { utterance, .. } | Stt::Drop { utterance }
                if self.recogniser.running.is_none_or(|(running, _)| running == utterance) =>
            {
                self.recogniser = Recogniser { delay: self.recogniser.delay, ..Recogniser::default() }
            }
            Stt::Close { .. } | Stt::Drop { .. } => {}
        }
    }

    pub(super) fn reply(&mut self, request: RequestId, caller: &CallerTurn, already: &str) {
        let (text, after) = (self.dialogue)(caller);
        let rest = text.strip_prefix(already).expect("a model goes on behind what it said").to_owned();
        let generation = self.generation(StageKind::Llm);
        let mut time = self.now + Duration::from_millis(self.model_delay);
        for token in rest.split_inclusive(' ') {
            let input = Input::Token { request, text: token.into() };
            self.schedule(time, World::Model { generation, input });
            time += Duration::from_millis(TOKEN);
        }
        let input = Input::ReplyEnd { request, after, memo: Memo(format!("after {caller:?}")) };
        self.schedule(time, World::Model { generation, input });
    }

    /// The second model is the quicker one: the first is cancelled.
    pub(super) fn ask_second(&mut self, request: RequestId) {
        let Some(delay) = self.second else { return };
        self.schedule(self.now, World::Input(Input::Hedged { request }));
        *self.generation.entry(StageKind::Llm).or_default() += 1;
        let (caller, already) = self.newest_cue();
        let first = std::mem::replace(&mut self.model_delay, delay);
        self.reply(request, &caller, &already);
        self.model_delay = first;
    }

    pub(super) fn newest_cue(&self) -> (CallerTurn, String) {
        let cue = |command: &Command| match command {
            Command::Reply { caller, already, .. } => Some((caller.clone(), already.clone())),
            _ => None,
        };
        self.log.iter().rev().find_map(|(_, command)| cue(command)).expect("a model was asked")
    }

    /// Speaks an answer a little faster than it is heard.
    pub(super) fn talk(
        &mut self,
        request: RequestId,
        (epoch, clause): (Epoch, ClauseId),
        caller: &CallerTurn,
        already: &str,
    ) {
        let (text, after) = (self.dialogue)(caller);
        let rest =
            text.strip_prefix(already).expect("it goes on behind what was heard").trim_start().to_owned();
        let generation = self.generation(StageKind::SpeechToSpeech);
        let mut time = self.now + Duration::from_millis(self.model_delay);
        self.schedule(time, World::Talk { generation, input: Input::Voiced { epoch } });
        let mut frames = 0;
        for token in rest.split_inclusive(' ') {
            let input = Input::Token { request, text: token.into() };
            self.schedule(time, World::Talk { generation, input });
            frames += FRAMES_A_CHAR * token.len() as u32;
            self.schedule(time, World::Made { generation, epoch, frames });
            time += Duration::from_millis(u64::from(FRAMES_A_CHAR) * 15 * token.len() as u64);
        }
        for input in [
            Input::ClauseEnd { epoch, clause, frames },
            Input::ReplyEnd { request, after, memo: Memo::default() },
        ] {
            self.schedule(time, World::Talk { generation, input });
        }
    }
}

pub(super) fn reply_to(cue: &CallerTurn) -> String {
    match cue {
        CallerTurn::Joined => "Hello, this is the booking line, what can I do for you".into(),
        CallerTurn::Said(words) => format!("You said {words}"),
        CallerTurn::Pressed(keys) => format!("You pressed {keys}"),
        CallerTurn::Silent(count) => format!("Are you there {count}"),
        CallerTurn::Nothing => "Well then".into(),
    }
}
