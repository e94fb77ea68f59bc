use crate::Turn;
use crate::call_phase::CallPhase;
use crate::{Purpose, Speculation};
use ringway_frame::MediaTime;

/// Everything that happens by time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Windows are missing: that is silence.
    Gap,
    /// A pause is long enough to ask what was said.
    Ask,
    /// A pause is long enough for the model to begin on what was said.
    Speculate,
    /// A pause is long enough to be the end of the turn.
    EndOfTurn,
    /// The bot has waited long enough for a reason to stop.
    Verdict,
    /// A stage has kept the caller waiting for longer than it may.
    Late,
    /// The model keeps the caller waiting for longer than usual.
    Hedge,
    /// The caller has waited long enough for a sound.
    Filler,
    /// The caller has waited for longer than anybody would.
    GiveUp,
    /// The caller has said nothing for long enough.
    Prompt,
    /// The keys are an answer.
    Keys,
    /// The reply should have been heard by now.
    Playout,
    /// The last words should have been heard by now.
    LastWords,
    /// The carrier has sent nothing for too long.
    NoMedia,
    /// The longest call.
    MaxDuration,
}

impl Timer {
    pub(super) const ALL: [Self; 15] = [
        Self::Gap,
        Self::Ask,
        Self::Speculate,
        Self::EndOfTurn,
        Self::Verdict,
        Self::Late,
        Self::Hedge,
        Self::Filler,
        Self::GiveUp,
        Self::Prompt,
        Self::Keys,
        Self::Playout,
        Self::LastWords,
        Self::NoMedia,
        Self::MaxDuration,
    ];
}

impl Turn {
    /// When `timer` runs, if it does.
    pub(super) fn deadline(&self, timer: Timer) -> Option<MediaTime> {
        match (&self.phase, timer) {
            (CallPhase::Over, _) => None,
            (CallPhase::Closing { by, .. } | CallPhase::Apologising { by, .. }, Timer::LastWords) => {
                Some(*by)
            }
            (CallPhase::Live, timer) => self.live_deadline(timer),
            _ => None,
        }
    }

    /// When the call has been the longest one, in media time.
    pub(super) fn longest(&self) -> Option<MediaTime> {
        match self.phase {
            CallPhase::Waiting => Some(MediaTime::ZERO + self.config.max_duration),
            CallPhase::Live => Some(self.began + self.config.max_duration),
            CallPhase::Closing { .. } | CallPhase::Apologising { .. } | CallPhase::Over => None,
        }
    }

    fn live_deadline(&self, timer: Timer) -> Option<MediaTime> {
        match timer {
            Timer::Gap => self.speech.deadline(&self.config),
            Timer::Ask => self.ask_at(),
            Timer::Speculate => self.utterance.as_ref()?.speculate_at(&self.config),
            Timer::EndOfTurn => self.end_of_turn_at(),
            Timer::Verdict => self.verdict_at(),
            Timer::Late => self.late_at(),
            Timer::Hedge => self.hedge_at(),
            Timer::Filler => self.filler_at().into_iter().chain(self.tool_filler_at()).min(),
            Timer::GiveUp => self.give_up_at(),
            Timer::Prompt => self.silence.deadline(&self.config),
            Timer::Keys => self.keys.deadline(&self.config),
            Timer::Playout => self.playout_by(),
            // The longest call is one in media time.
            Timer::LastWords | Timer::MaxDuration => None,
            Timer::NoMedia => self.no_media_at(),
        }
    }

    /// Its time has come.
    pub(super) fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Gap => self.gap(),
            Timer::Ask => self.ask_about_pause(),
            Timer::Speculate => self.speculate(),
            Timer::EndOfTurn => self.end_turn(),
            Timer::Verdict => self.resume_in_doubt(),
            Timer::Late => self.hurry(),
            Timer::Hedge => self.hedge(),
            Timer::Filler if self.tool_filler_at().is_some_and(|at| at <= self.now) => self.say_tool_filler(),
            Timer::Filler => self.say_filler(),
            Timer::GiveUp => self.give_up(),
            Timer::Prompt => self.prompt(),
            Timer::Keys => {
                self.keys.pause();
                self.keys_pressed();
            }
            Timer::Playout => self.stop_waiting(),
            Timer::LastWords => self.last_words_over(),
            Timer::NoMedia => self.end(crate::EndReason::NoMedia),
            Timer::MaxDuration => self.max_duration(),
        }
    }

    fn ask_about_pause(&mut self) {
        if let Some(since) = self.utterance.as_ref().and_then(|utterance| utterance.silent_since()) {
            self.flush(Purpose::Speculation, since);
        }
    }

    /// In doubt the words decide, so they are asked for whatever the level of speculation.
    fn ask_at(&self) -> Option<MediaTime> {
        let utterance = self.utterance.as_ref().filter(|utterance| utterance.is_unasked())?;
        let wanted = self.speculation() >= Speculation::Stt || self.interruption.is_any();
        let may = wanted && !self.health.converses() && !self.speech.is_held();
        utterance.quiet_since().filter(|_| may).map(|since| since + self.transcribe_after())
    }

    fn end_of_turn_at(&self) -> Option<MediaTime> {
        let may = !self.interruption.is_any() && !self.speech.is_held();
        self.utterance.as_ref().filter(|_| may)?.end_of_turn_at(&self.config)
    }

    fn verdict_at(&self) -> Option<MediaTime> {
        let quiet = self.utterance.as_ref().and_then(|utterance| utterance.silent_since());
        self.interruption.deadline(quiet, &self.config)
    }

    fn no_media_at(&self) -> Option<MediaTime> {
        let timeout = self.config.media_timeout.filter(|_| self.health.hears() && !self.speech.is_muted())?;
        let last = self.speech.last_window().unwrap_or(self.started).max(self.started);
        Some(last.max(self.health.hearing_since()) + timeout)
    }
}
