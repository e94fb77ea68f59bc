use crate::ClauseId;
use crate::speech_form::Places;
use ringway_frame::{Epoch, FRAME};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::time::Duration;

/// The ledger of one reply: which of its words lie in which frames, and how many frames were heard.
///
/// A reply is one strand of frames, and one more for each voice that died while it spoke.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    strands: Vec<Strand>,
    /// Who hears it says that no more frames were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Strand {
    epoch: Epoch,
    played: u32,
    sounding: bool,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    clause: ClauseId,
    words: Words,
    /// Where what the voice says is written.
    #[serde(default, skip_serializing_if = "Places::is_empty")]
    places: Places,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Mark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<u32>,
    /// Its text grows while it sounds.
    grows: bool,
}

/// What an entry speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Words {
    /// These bytes of the reply's text.
    Reply(Range<usize>),
    /// Something to bridge the wait; no part of the reply.
    Filler(String),
    /// Keys of a telephone; nothing that is said.
    Keys(String),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    upto: usize,
    frames: u32,
}

impl Ledger {
    /// `clause` speaks `words` after all before it, as they are written.
    pub(crate) fn speak(&mut self, epoch: Epoch, clause: ClauseId, words: Words) {
        self.speak_as(epoch, clause, words, Places::default());
    }

    /// The same in another form, whose bytes are written at these places.
    pub(crate) fn speak_as(&mut self, epoch: Epoch, clause: ClauseId, words: Words, places: Places) {
        if self.strands.last().is_none_or(|strand| strand.epoch != epoch) {
            self.strands.push(Strand { epoch, played: 0, sounding: false, entries: Vec::new() });
        }
        let strand = self.strands.last_mut().expect("just pushed if there was none");
        strand.entries.push(Entry { clause, words, places, marks: Vec::new(), end: None, grows: false });
    }

    /// `clause` speaks the reply's text from byte `from` on, as it comes.
    pub(crate) fn answer(&mut self, epoch: Epoch, clause: ClauseId, from: usize) {
        self.speak(epoch, clause, Words::Reply(from..from));
        if let Some(entry) = self.newest() {
            entry.grows = true;
        }
    }

    /// The text of what is spoken reaches to byte `upto` now.
    pub(crate) fn grow(&mut self, upto: usize) {
        if let Some(Entry { words: Words::Reply(range), grows: true, .. }) = self.newest() {
            range.end = upto;
        }
    }

    /// What nobody can say, up to byte `upto`, belongs to the newest clause; `false`: there is none.
    pub(crate) fn lengthen(&mut self, upto: usize) -> bool {
        let newest = self.newest().filter(|entry| matches!(entry.words, Words::Reply(_)));
        if let Some(Entry { words: Words::Reply(range), .. }) = newest {
            range.end = range.end.max(upto);
            return true;
        }
        false
    }

    /// What is spoken is over: of the reply's text only what is before byte `heard` is left.
    pub(crate) fn break_off(&mut self, heard: usize) {
        for strand in &mut self.strands {
            strand.break_off(heard);
        }
    }

    /// Who hears it says that no more of its audio was heard, nor will be.
    pub(crate) fn truncate(&mut self, until: Duration) {
        let frames = u32::try_from(until.as_nanos() / FRAME.as_nanos()).unwrap_or(u32::MAX);
        self.most = Some(self.most.map_or(frames, |most| most.min(frames)));
    }

    /// Frames of this epoch that were heard.
    pub(crate) fn frames_heard(&self, epoch: Epoch) -> u32 {
        self.strands.iter().find(|strand| strand.epoch == epoch).map_or(0, |strand| strand.played)
    }

    /// The text of `clause` up to `upto` is within the first `frames` frames. `text` is the reply's.
    pub(crate) fn word(&mut self, epoch: Epoch, clause: ClauseId, upto: u32, frames: u32, text: &str) {
        let Some(entry) = self.entry(epoch, clause) else { return };
        let upto = entry.places.written(upto as usize);
        if matches!(&entry.words, Words::Reply(range) if !text[range.clone()].is_char_boundary(upto)) {
            return;
        }
        let last = entry.marks.last().copied().unwrap_or(Mark { upto: 0, frames: 0 });
        if upto > last.upto && upto <= entry.words.len() && frames >= last.frames {
            entry.marks.push(Mark { upto, frames });
        }
    }

    /// What this clause speaks.
    pub(crate) fn words_of(&mut self, epoch: Epoch, clause: ClauseId) -> Option<Words> {
        Some(self.entry(epoch, clause)?.words.clone())
    }

    /// The clause is within the first `frames` frames.
    pub(crate) fn clause_end(&mut self, epoch: Epoch, clause: ClauseId, frames: u32) {
        if let Some(entry) = self.entry(epoch, clause) {
            entry.end = entry.end.or(Some(frames));
        }
    }

    /// The first `frames` frames of `epoch` were heard. Says whether that is news.
    pub(crate) fn played(&mut self, epoch: Epoch, frames: u32) -> bool {
        let Some(strand) = self.strand(epoch) else { return false };
        let news = frames > strand.played;
        strand.played = strand.played.max(frames);
        strand.sounding |= frames > 0;
        news
    }

    /// The first frame of `epoch` went out.
    pub(crate) fn sounding(&mut self, epoch: Epoch) {
        if let Some(strand) = self.strand(epoch) {
            strand.sounding = true;
        }
    }

    /// Whether anything at all has sounded.
    pub(crate) fn has_sounded(&self) -> bool {
        self.strands.iter().any(|strand| strand.sounding)
    }

    /// Whether any of the reply has sounded; a filler is none of it.
    pub(crate) fn is_audible(&self) -> bool {
        self.strands.iter().any(Strand::is_audible)
    }

    /// Whether the voice has made the first sound of the reply, having made sound in epoch `voiced`; `None`: it was given
    /// none of it. What waits behind a filler that sounds is made.
    pub(crate) fn has_first_sound(&self, voiced: Option<Epoch>) -> Option<bool> {
        self.strands.iter().find_map(|strand| strand.has_first_sound(voiced == Some(strand.epoch)))
    }

    /// Whether something was spoken in this epoch.
    pub(crate) fn speaks_in(&self, epoch: Epoch) -> bool {
        self.strands.last().is_some_and(|strand| strand.epoch == epoch)
    }

    /// Whether something was spoken into it.
    pub(crate) fn is_empty(&self) -> bool {
        self.strands.is_empty()
    }

    /// Bytes of the reply's `text` that were heard, at the end of a word.
    pub(crate) fn heard(&self, text: &str) -> usize {
        let sounded = self.strands.iter().rposition(|strand| strand.played > 0);
        let (mut heard, mut left) = (0, self.most);
        for (index, strand) in self.strands.iter().enumerate() {
            // Frames are played in order, so a later strand that sounds proves the earlier ones.
            let played = if sounded.is_some_and(|last| index < last) { u32::MAX } else { strand.played };
            let played = left.map_or(played, |left| played.min(left));
            left = left.map(|left| left.saturating_sub(strand.made().unwrap_or(strand.played)));
            for (entry, begin) in strand.entries.iter().zip(strand.begins()) {
                let Words::Reply(range) = &entry.words else { continue };
                let upto = entry.heard(begin, played, &text[range.clone()]);
                heard = if upto > 0 { range.start + upto } else { heard };
                if upto < range.len() {
                    return heard;
                }
            }
        }
        heard
    }

    /// The filler, if it was heard.
    pub(crate) fn heard_filler(&self) -> Option<&str> {
        let strand = self.strands.first()?;
        let entry = strand.entries.first()?;
        match &entry.words {
            Words::Filler(text)
                if entry.is_heard(self.most.map_or(strand.played, |most| strand.played.min(most))) =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    /// Whether all that was spoken has been heard. A strand of which nothing is left to say proves nothing.
    pub(crate) fn is_heard_out(&self) -> bool {
        let last = self.strands.iter().rfind(|strand| !strand.entries.is_empty());
        last.is_none_or(|strand| strand.made().is_some_and(|made| strand.played >= made))
    }

    /// How much has been made whole and not been heard; `None` while something is still being made.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = |strand: &Strand| Some(FRAME * strand.made()?.saturating_sub(strand.played));
        self.strands.iter().map(left).sum()
    }

    /// Whether all that was spoken has been made.
    pub(crate) fn is_made(&self) -> bool {
        self.strands.last().is_none_or(|strand| strand.made().is_some())
    }

    /// What the voice was given and has not made whole.
    pub(crate) fn owed(&self) -> usize {
        let owed = |strand: &Strand| strand.entries.iter().filter(|entry| entry.end.is_none()).count();
        self.strands.last().map_or(0, owed)
    }

    /// The clause that sounds now or next.
    pub(crate) fn current(&self) -> Option<(Epoch, ClauseId)> {
        let strand = self.strands.last()?;
        let unheard = |entry: &&Entry| entry.end.is_none_or(|end| end > strand.played);
        strand.entries.iter().find(unheard).map(|entry| (strand.epoch, entry.clause))
    }

    /// Whether that clause was heard out.
    pub(crate) fn is_clause_heard(&self, (epoch, clause): (Epoch, ClauseId)) -> bool {
        let strand = self.strands.iter().find(|strand| strand.epoch == epoch);
        let entry = |strand: &&Strand| {
            strand.entries.iter().any(|entry| entry.clause == clause && entry.is_heard(strand.played))
        };
        strand.is_some_and(|strand| entry(&strand))
    }

    /// The voice died: what of the reply is not within the frames that it made, from the first such word on. Keys that
    /// it may have begun to press are not among it: nobody presses half of them twice.
    pub(crate) fn unmade(&mut self) -> Vec<Words> {
        let Some(strand) = self.strands.last_mut() else { return Vec::new() };
        let Some(first) = strand.entries.iter().position(|entry| entry.end.is_none()) else {
            return Vec::new();
        };
        let lost: Vec<Entry> = strand.entries.drain(first..).collect();
        let mut again = Vec::new();
        for (index, entry) in lost.into_iter().enumerate() {
            let range = match entry.words {
                Words::Reply(ref range) => range,
                Words::Keys(_) if index > 0 => {
                    again.push(entry.words);
                    continue;
                }
                Words::Keys(_) | Words::Filler(_) => continue,
            };
            let made = entry.marks.last().copied();
            let from = range.start + made.map_or(0, |mark| mark.upto);
            again.extend((from < range.end).then_some(Words::Reply(from..range.end)));
            if let Some(Mark { frames, .. }) = made {
                let words = Words::Reply(range.start..from);
                strand.entries.push(Entry { words, end: Some(frames), ..entry });
            }
        }
        again
    }

    /// Frames that were not heard are gone: what of the reply's `text` is in them is to be made again, in this epoch. What
    /// is left out of it nobody makes.
    pub(crate) fn lose_unheard(
        &mut self,
        text: &str,
        epoch: Epoch,
        left_out: impl Fn(&Range<usize>) -> bool,
    ) {
        let heard = self.heard(text);
        let mut again = Vec::new();
        for strand in &mut self.strands {
            strand.lose_unheard(heard, &mut again);
        }
        let is_left_out = |entry: &Entry| matches!(&entry.words, Words::Reply(piece) if left_out(piece));
        again.retain(|entry| !is_left_out(entry));
        if !again.is_empty() && self.most.is_none() {
            self.strands.push(Strand { epoch, played: 0, sounding: false, entries: again });
        }
    }

    /// Whether its words are pieces of this text.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.strands.iter().flat_map(|strand| &strand.entries).all(|entry| entry.fits(text))
    }

    fn newest(&mut self) -> Option<&mut Entry> {
        self.strands.last_mut()?.entries.last_mut()
    }

    fn strand(&mut self, epoch: Epoch) -> Option<&mut Strand> {
        self.strands.iter_mut().find(|strand| strand.epoch == epoch)
    }

    fn entry(&mut self, epoch: Epoch, clause: ClauseId) -> Option<&mut Entry> {
        self.strand(epoch)?.entries.iter_mut().find(|entry| entry.clause == clause)
    }
}

impl Strand {
    /// Of the reply's text, what is behind byte `heard` was not.
    fn lose_unheard(&mut self, heard: usize, again: &mut Vec<Entry>) {
        let played = self.played;
        for mut entry in std::mem::take(&mut self.entries) {
            let made = entry.end.is_some_and(|end| end <= played);
            match &mut entry.words {
                Words::Reply(range) if range.end > heard => {
                    let rest = range.start.max(heard)..range.end;
                    if range.start < heard {
                        let mut begun = entry.clone();
                        begun.cut(heard, played);
                        self.entries.push(begun);
                    }
                    again.push(entry.anew(Words::Reply(rest)));
                    continue;
                }
                // Nobody presses half of them twice.
                Words::Keys(keys) if !made && !again.is_empty() => {
                    let keys = Words::Keys(std::mem::take(keys));
                    again.push(entry.anew(keys));
                    continue;
                }
                Words::Filler(_) | Words::Keys(_) if !made => continue,
                _ => {}
            }
            entry.end_at(played);
            self.entries.push(entry);
        }
    }

    fn break_off(&mut self, heard: usize) {
        let played = self.played;
        self.entries.iter_mut().for_each(|entry| entry.cut(heard, played));
    }

    /// Frames of the whole strand, once they are known.
    fn made(&self) -> Option<u32> {
        self.entries.last().map_or(Some(0), |entry| entry.end)
    }

    /// The frame at which each entry begins, as far as known.
    fn begins(&self) -> impl Iterator<Item = Option<u32>> {
        std::iter::once(Some(0)).chain(self.entries.iter().map(|entry| entry.end))
    }

    /// Where the first entry that is no filler is.
    fn first(&self) -> Option<usize> {
        self.entries.iter().position(|entry| !matches!(entry.words, Words::Filler(_)))
    }

    fn has_first_sound(&self, voiced: bool) -> Option<bool> {
        let first = self.first()?;
        let entry = &self.entries[first];
        let begun = entry.end.is_some() || !entry.marks.is_empty();
        Some(match self.begins().nth(first).flatten() {
            Some(begin) => begun || self.played < begin || (begin == 0 && voiced),
            None => false,
        })
    }

    fn is_audible(&self) -> bool {
        match self.first().and_then(|first| self.begins().nth(first)).flatten() {
            Some(0) => self.sounding,
            Some(begin) => self.played > begin,
            None => false,
        }
    }
}

impl Entry {
    /// Of the reply's text, what is behind byte `heard` is no part of it, and no frame behind `played` is.
    fn cut(&mut self, heard: usize, played: u32) {
        let Words::Reply(range) = &mut self.words else { return };
        *range = range.start.min(heard)..range.end.min(heard);
        let left = range.len();
        self.marks.retain(|mark| mark.upto <= left);
        self.end_at(played);
    }

    fn end_at(&mut self, played: u32) {
        self.end = Some(self.end.map_or(played, |end| end.min(played)));
    }

    /// The same clause, not yet made, with these words.
    fn anew(self, words: Words) -> Self {
        Self { words, marks: Vec::new(), end: None, ..self }
    }

    fn fits(&self, text: &str) -> bool {
        let Words::Reply(range) = &self.words else { return true };
        let piece = text.get(range.clone());
        piece.is_some_and(|piece| self.marks.iter().all(|mark| piece.is_char_boundary(mark.upto)))
    }

    fn is_heard(&self, played: u32) -> bool {
        self.end.is_some_and(|end| played >= end)
    }

    /// Bytes of the clause `text` that were heard when `played` frames were.
    fn heard(&self, begin: Option<u32>, played: u32, text: &str) -> usize {
        if self.is_heard(played) {
            return text.len();
        }
        if self.marks.is_empty() {
            return self.estimated(begin, played, text);
        }
        let upto = self.marks.iter().rev().find(|mark| mark.frames <= played).map_or(0, |mark| mark.upto);
        word_end(text, upto)
    }

    /// A voice that tells no words: speech is taken to be even over the clause, and to have the usual pace as long as
    /// its end is not known but its words are.
    fn estimated(&self, begin: Option<u32>, played: u32, text: &str) -> usize {
        let Some(begin) = begin else { return 0 };
        let usual = || self.grows.then(|| begin.saturating_add(text.len() as u32 * PACE.0 / PACE.1));
        let Some(end) = self.end.or_else(usual) else { return 0 };
        if played <= begin || end <= begin {
            return 0;
        }
        let share = (text.len() as u64 * u64::from(played - begin) / u64::from(end - begin)) as usize;
        word_end(text, share.min(text.len()))
    }
}

impl Words {
    fn len(&self) -> usize {
        match self {
            Self::Reply(range) => range.len(),
            Self::Filler(text) => text.len(),
            Self::Keys(_) => 0,
        }
    }
}

/// Frames for so many bytes of text: 15 bytes a second.
const PACE: (u32, u32) = (10, 3);

/// The last end of a word in `text` that is not behind `upto`.
fn word_end(text: &str, upto: usize) -> usize {
    (0..=upto.min(text.len())).rev().find(|at| is_word_end(text, *at)).unwrap_or(0)
}

fn is_word_end(text: &str, at: usize) -> bool {
    let Some((before, behind)) = text.split_at_checked(at) else { return false };
    let within = |c: char| c.is_alphanumeric();
    let goes_on = behind.trim_start_matches(['\'', '’']).starts_with(within);
    let ended = !goes_on || !before.trim_end_matches(['\'', '’']).ends_with(within);
    ended && !before.ends_with(char::is_whitespace)
}

#[cfg(test)]
mod tests;
