//! What was heard of a reply.

use super::*;

const TEXT: &str = "Your table is booked. See you then.";
const FIRST: Epoch = Epoch::new(1);

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.speak(FIRST, ClauseId::new(0), Words::Reply(0..21));
    ledger.speak(FIRST, ClauseId::new(1), Words::Reply(22..35));
    ledger
}

fn heard(ledger: &Ledger) -> &'static str {
    &TEXT[..ledger.heard(TEXT)]
}

#[test]
fn words_are_heard_when_their_last_frame_is() {
    let mut ledger = ledger();
    for (upto, frames) in [(4, 10), (10, 25), (13, 30), (21, 60)] {
        ledger.word(FIRST, ClauseId::new(0), upto, frames, TEXT);
    }
    for (played, text) in [(9, ""), (10, "Your"), (24, "Your"), (25, "Your table"), (59, "Your table is")] {
        ledger.played(FIRST, played);
        assert_eq!(heard(&ledger), text, "{played}");
    }
}

#[test]
fn a_clause_without_word_marks_is_estimated_down_to_a_word_end() {
    let mut ledger = ledger();
    ledger.played(FIRST, 50);
    assert_eq!(heard(&ledger), "");
    ledger.clause_end(FIRST, ClauseId::new(0), 100);
    assert_eq!(heard(&ledger), "Your table");
    ledger.played(FIRST, 100);
    assert_eq!(heard(&ledger), "Your table is booked.");
}

#[test]
fn nothing_is_heard_behind_a_clause_that_was_not_heard_out() {
    let mut ledger = ledger();
    ledger.clause_end(FIRST, ClauseId::new(1), 40);
    ledger.played(FIRST, 40);
    assert_eq!(heard(&ledger), "");
}

#[test]
fn marks_out_of_order_or_beyond_the_text_are_ignored() {
    let mut ledger = ledger();
    ledger.word(FIRST, ClauseId::new(0), 400, 1, TEXT);
    ledger.word(FIRST, ClauseId::new(0), 4, 10, TEXT);
    ledger.word(FIRST, ClauseId::new(0), 10, 5, TEXT);
    ledger.word(FIRST, ClauseId::new(9), 10, 5, TEXT);
    ledger.played(FIRST, 9);
    assert_eq!(heard(&ledger), "");
    ledger.played(FIRST, 10);
    assert_eq!(heard(&ledger), "Your");
}

#[test]
fn a_dead_voice_leaves_what_it_had_not_made() {
    let mut ledger = ledger();
    ledger.word(FIRST, ClauseId::new(0), 10, 25, TEXT);
    let again = ledger.unmade();
    assert_eq!(again, [Words::Reply(10..21), Words::Reply(22..35)]);
    ledger.speak(Epoch::new(2), ClauseId::new(2), Words::Reply(11..21));
    ledger.clause_end(Epoch::new(2), ClauseId::new(2), 40);
    ledger.played(FIRST, 20);
    assert_eq!(heard(&ledger), "");
    ledger.played(Epoch::new(2), 40);
    assert_eq!(heard(&ledger), "Your table is booked.");
    assert!(ledger.is_heard_out());
}

#[test]
fn a_clause_that_was_heard_in_part_keeps_no_words_beyond_it() {
    let mut ledger = ledger();
    for (upto, frames) in [(4, 10), (10, 25), (21, 60)] {
        ledger.word(FIRST, ClauseId::new(0), upto, frames, TEXT);
    }
    ledger.played(FIRST, 30);
    ledger.lose_unheard(TEXT, Epoch::new(2), |_| false);
    assert!(ledger.fits(TEXT));
    assert_eq!(heard(&ledger), "Your table");
    ledger.clause_end(Epoch::new(2), ClauseId::new(0), 35);
    ledger.played(Epoch::new(2), 35);
    assert_eq!(heard(&ledger), "Your table is booked.");
}

#[test]
fn keys_are_pressed_again_only_if_none_of_them_can_have_been() {
    let keys = Words::Keys("12".into());
    let ledger = || {
        let mut ledger = Ledger::default();
        ledger.speak(FIRST, ClauseId::new(0), Words::Reply(0..21));
        ledger.speak(FIRST, ClauseId::new(1), keys.clone());
        ledger
    };
    assert_eq!(ledger().unmade(), [Words::Reply(0..21), keys.clone()]);
    let mut ledger = ledger();
    ledger.clause_end(FIRST, ClauseId::new(0), 40);
    assert_eq!(ledger.unmade(), []);
}

#[test]
fn an_answer_that_is_broken_off_again_and_again_keeps_what_was_heard() {
    let text = "Your table is booked.";
    let mut ledger = Ledger::default();
    ledger.answer(FIRST, ClauseId::new(0), 0);
    ledger.grow(text.len());
    ledger.played(FIRST, 40);
    let heard = ledger.heard(text);
    assert_eq!(&text[..heard], "Your table");
    ledger.break_off(heard);
    // The next one dies before it has said a word: its text would begin behind a blank that is gone.
    ledger.answer(Epoch::new(2), ClauseId::new(1), heard + 1);
    ledger.break_off(heard);
    assert_eq!(ledger.heard(&text[..heard]), heard);
    assert!(ledger.is_heard_out());
}

#[test]
fn the_first_sound_is_the_replys_own() {
    let epoch = Epoch::ZERO.next();
    let mut ledger = Ledger::default();
    ledger.speak(epoch, ClauseId::new(0), Words::Filler("One moment.".into()));
    assert_eq!(ledger.has_first_sound(Some(epoch)), None);
    ledger.speak(epoch, ClauseId::new(1), Words::Reply(0..5));
    assert_eq!(ledger.has_first_sound(Some(epoch)), Some(false), "the filler is being made");
    ledger.clause_end(epoch, ClauseId::new(0), 10);
    assert_eq!(ledger.has_first_sound(Some(epoch)), Some(true), "the filler sounds");
    ledger.played(epoch, 10);
    assert_eq!(ledger.has_first_sound(Some(epoch)), Some(false), "the voice keeps the caller waiting");
    ledger.clause_end(epoch, ClauseId::new(1), 30);
    assert_eq!(ledger.has_first_sound(None), Some(true));
}

#[test]
fn a_filler_is_not_the_reply() {
    let mut ledger = Ledger::default();
    ledger.speak(FIRST, ClauseId::new(0), Words::Filler("One moment.".into()));
    ledger.speak(FIRST, ClauseId::new(1), Words::Reply(0..21));
    ledger.sounding(FIRST);
    ledger.clause_end(FIRST, ClauseId::new(0), 40);
    ledger.played(FIRST, 40);
    assert!(ledger.has_sounded() && !ledger.is_audible());
    assert_eq!((heard(&ledger), ledger.heard_filler()), ("", Some("One moment.")));
    ledger.played(FIRST, 41);
    assert!(ledger.is_audible());
}

#[test]
fn no_word_is_cut_in_two() {
    for (text, upto, end) in
        [("don't go", 4, 0), ("two words", 6, 3), ("über alles", 1, 0), ("ok", 2, 2), ("a b", 2, 1)]
    {
        assert_eq!(word_end(text, upto), end, "{text} {upto}");
    }
}
