//! The voice, what plays it, and services that take the place of others.

use super::*;

impl Line {
    /// The stage is rebuilt in the call's language.
    pub(super) fn follow(&mut self, stage: StageKind) {
        self.schedule(self.now, World::Lost(stage));
        self.schedule(self.now + FOLLOWS, World::Ready(stage));
        self.schedule(self.now + FOLLOWS, World::Input(Input::StageFollowed { stage }));
    }

    pub(super) fn substitute(&mut self, stage: StageKind) {
        match stage {
            StageKind::Vad => {}
            StageKind::Stt => self.recogniser.delay = None,
            StageKind::Llm => self.model_delay = LLM,
            StageKind::Tts => self.voice_delay = TTS,
            StageKind::SpeechToSpeech => {}
        }
        self.schedule(self.now, World::Lost(stage));
        self.schedule(self.now, World::Ready(stage));
    }

    pub(super) fn speak(&mut self, epoch: Epoch, clause: ringway_turn::ClauseId, text: &str) {
        let generation = self.generation(StageKind::Tts);
        let mut time = (self.now + Duration::from_millis(self.voice_delay)).max(self.voice_free);
        let begin = self.planned(epoch);
        self.schedule(time, World::Voice { generation, input: Input::Voiced { epoch } });
        let mut upto = 0;
        for word in text.split_inclusive(' ').filter(|_| self.word_marks).collect::<Vec<_>>() {
            upto += word.len();
            time += Duration::from_millis(2 * word.len() as u64);
            let end = upto - (word.len() - word.trim_end().len());
            let frames = begin + FRAMES_A_CHAR * end as u32;
            let input = Input::Word { epoch, clause, upto: end as u32, frames };
            self.schedule(time, World::Voice { generation, input });
        }
        let frames = begin + FRAMES_A_CHAR * text.len() as u32;
        self.schedule(time, World::Voice { generation, input: Input::ClauseEnd { epoch, clause, frames } });
        self.voice_free = time;
        self.playout.planned.insert(epoch, frames);
    }

    pub(super) fn planned(&self, epoch: Epoch) -> u32 {
        self.playout.planned.get(&epoch).copied().unwrap_or(0)
    }

    pub(super) fn made(&mut self, input: &Input) {
        let (Input::Word { epoch, frames, .. } | Input::ClauseEnd { epoch, frames, .. }) = input else {
            return;
        };
        self.playout.made.insert(*epoch, *frames);
    }

    pub(super) fn play(&mut self) {
        if self.detached {
            return;
        }
        let Some((epoch, frames)) = self.playout.next() else { return };
        self.sound.push((self.now.as_millis(), epoch));
        if frames == 1 {
            self.feed(Input::Sounding { epoch });
        }
        self.feed(Input::Played { epoch, frames });
    }
}
