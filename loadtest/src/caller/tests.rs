use super::*;
use crate::repertoire::Repertoire;
use crate::scenario::tests::scenario;

/// A bot in virtual time: answers 300 ms after the caller's last loud frame, in frames of 20 ms.
struct Bot {
    /// Loud frames of an answer; zero never answers.
    answer: usize,
    /// Sends `clear` when the caller has been loud over it for so many frames.
    clears_after: Option<usize>,
    speaking: usize,
    /// Loud frames of the caller over the bot's own.
    interrupted: usize,
    answer_at: Option<MediaTime>,
}

const ANSWER_AFTER: Duration = Duration::from_millis(300);

impl Bot {
    fn answering(answer: usize) -> Self {
        Self { answer, clears_after: None, speaking: 0, interrupted: 0, answer_at: None }
    }

    fn greeting(self, frames: usize) -> Self {
        Self { speaking: frames, ..self }
    }

    fn clearing_after(self, frames: usize) -> Self {
        Self { clears_after: Some(frames), ..self }
    }

    fn step(&mut self, now: MediaTime, spoken: &Spoken, caller: &mut Caller, tally: &mut Tally) {
        if spoken.is_loud && self.speaking > 0 {
            self.interrupted += 1;
            if self.clears_after == Some(self.interrupted) {
                (self.speaking, self.interrupted) = (0, 0);
                caller.clear(now, tally);
            }
        }
        if spoken.is_last_loud && self.answer > 0 {
            self.answer_at = Some(now + ANSWER_AFTER);
        }
        if self.answer_at.take_if(|at| now >= *at).is_some() {
            self.speaking = self.answer;
        }
        if self.speaking > 0 {
            self.speaking -= 1;
            caller.hear(now, Duration::ZERO, FRAME, true, tally);
        }
    }
}

/// A call of so many seconds by this scenario; what was measured, when something loud was said, and what was done.
fn call_by(
    scenario: Scenario,
    lengths: &[usize],
    mut bot: Bot,
    seconds: u64,
) -> (Tally, Vec<MediaTime>, Vec<Act>) {
    let voice = Rc::new(Repertoire::of_tones(lengths).into_voice().unwrap());
    let mut caller = Caller::new(Rc::new(scenario), voice, Rng::with_seed(7), MediaTime::ZERO);
    let (mut tally, mut loud, mut acts) = (Tally::new(), Vec::new(), Vec::new());
    for frame in 1..seconds * 50 {
        let now = MediaTime::from_millis(frame * 20);
        let spoken = caller.tick(now, &mut tally);
        acts.extend(std::iter::from_fn(|| caller.act()));
        if spoken.is_loud {
            loud.push(now);
        }
        bot.step(now, &spoken, &mut caller, &mut tally);
    }
    (tally, loud, acts)
}

/// A call by a scenario that comes along.
fn call(name: &str, lengths: &[usize], bot: Bot, seconds: u64) -> (Tally, Vec<MediaTime>) {
    let scenario = Scenario::open(name, &mut Repertoire::of_tones(lengths)).unwrap();
    let (tally, loud, _) = call_by(scenario, lengths, bot, seconds);
    (tally, loud)
}

#[test]
fn an_answer_is_timed_from_the_end_of_the_last_loud_frame_said() {
    let (tally, _) = call("chat", &[30], Bot::answering(50), 60);
    assert!(tally.answer.count() > 10, "{}", tally.answer.count());
    assert_eq!(tally.answer.max().map(|max| max.as_millis()), Some(300));
    assert_eq!((tally.missing, tally.early, tally.underruns, tally.paused), (0, 0, 0, 0));
}

#[test]
fn the_greeting_is_heard_out() {
    let (_, loud) = call("chat", &[30], Bot::answering(50).greeting(100), 10);
    let quiet = MediaTime::from_millis(2_000 + 500);
    assert!(loud[0] >= quiet && loud[0] <= quiet + FRAME * 4, "{}", loud[0]);
}

#[test]
fn without_a_greeting_the_caller_begins() {
    let (_, loud) = call("chat", &[30], Bot::answering(50), 10);
    assert_eq!(loud[0], MediaTime::from_millis(3_000));
}

#[test]
fn an_answer_that_never_comes_is_missing_and_the_caller_goes_on() {
    let (tally, loud) = call("chat", &[30], Bot::answering(0), 60);
    assert_eq!(tally.answer.count(), 0);
    assert!((7..=10).contains(&tally.missing), "{}", tally.missing);
    assert!(loud.len() >= 30 * 7);
}

#[test]
fn barge_in_is_timed_from_the_start_of_the_first_loud_frame() {
    let (tally, _) = call("barge_in", &[40], Bot::answering(100).clearing_after(6), 60);
    assert!(tally.barge_in.count() >= 5, "{}", tally.barge_in.count());
    // The bot's last frame before the clear comes with the fifth loud frame, which ends 100 ms behind the start.
    assert_eq!(tally.barge_in.max().map(|max| max.as_millis()), Some(100));
    assert_eq!((tally.ignored, tally.early), (0, 0));
}

#[test]
fn a_bot_that_does_not_listen_ignores_and_is_early() {
    let (tally, _) = call("barge_in", &[40], Bot::answering(400), 60);
    assert_eq!(tally.barge_in.count(), 0);
    assert!(tally.ignored > 0 && tally.early > 0, "{tally:?}");
}

#[test]
fn the_same_seed_says_the_same() {
    let said = || call("barge_in", &[20, 30, 40], Bot::answering(80).clearing_after(5), 30).1;
    assert_eq!(said(), said());
}

const NOISE: &str = r#"
opening = ["await_greeting"]
round = ["say", "await_answer", { cough = { after = "300ms" } }, "hear_out", { think = "500ms" }]
"#;

#[test]
fn a_bot_that_coughs_do_not_stop_goes_on() {
    let (tally, ..) = call_by(scenario(NOISE), &[10], Bot::answering(100), 60);
    assert!(tally.went_on >= 10, "{tally:?}");
    assert_eq!((tally.words_cut, tally.barge_in.count(), tally.early), (0, 0, 0));
}

#[test]
fn a_bot_that_a_cough_stops_cuts_its_words() {
    let (tally, ..) = call_by(scenario(NOISE), &[10], Bot::answering(100).clearing_after(4), 60);
    assert!(tally.words_cut >= 10, "{tally:?}");
    assert_eq!(tally.went_on, 0);
}

#[test]
fn a_bot_that_speaks_into_a_sentence_cuts_in() {
    let bot = Bot { answer_at: Some(MediaTime::from_millis(300)), ..Bot::answering(20) };
    let (tally, ..) = call_by(scenario("round = [\"say\", \"await_answer\", \"hear_out\"]"), &[50], bot, 10);
    assert_eq!((tally.cut_in, tally.early), (1, 0));
    assert!(tally.answer.count() >= 2);
}

#[test]
fn keys_are_pressed_one_after_the_other_and_their_answer_is_timed() {
    let keys = scenario("round = [{ dtmf = \"1#\" }, \"await_answer\", \"hear_out\", { think = \"1s\" }]");
    let bot = Bot { answer: 50, answer_at: Some(MediaTime::from_millis(500)), ..Bot::answering(50) };
    let (tally, loud, acts) = call_by(keys, &[10], bot, 5);
    assert_eq!(acts[..2], [Act::Press('1'), Act::Press('#')]);
    assert_eq!(loud, []);
    assert_eq!((tally.key_answer.count(), tally.answer.count()), (1, 0));
    assert!(tally.key_answer.max().is_some_and(|max| max.as_millis() < 500));
}

#[test]
fn words_that_sound_already_are_no_answer_to_a_key() {
    let keys = scenario("opening = [{ think = \"1s\" }, { dtmf = \"1\" }, \"await_answer\", \"hear_out\"]");
    let (tally, _, acts) = call_by(keys, &[10], Bot::answering(0).greeting(100), 10);
    assert_eq!(acts, [Act::Press('1'), Act::HangUp { abrupt: false }]);
    assert_eq!((tally.key_answer.count(), tally.missing), (0, 0));
}

#[test]
fn a_caller_hangs_up_mid_word_and_says_no_more() {
    let rude = scenario("round = [{ hang_up = { after = \"200ms\", abrupt = true } }]");
    let (_, loud, acts) = call_by(rude, &[50], Bot::answering(50), 5);
    assert_eq!(acts, [Act::HangUp { abrupt: true }]);
    assert!((9..=11).contains(&loud.len()), "{}", loud.len());
}

#[test]
fn steps_are_repeated_as_often_as_they_say() {
    let steps = "opening = [{ repeat = { times = 3, steps = [\"say\", { think = \"200ms\" }] } }]";
    let (_, loud, acts) = call_by(scenario(steps), &[10], Bot::answering(0), 10);
    assert_eq!((loud.len(), acts), (30, vec![Act::HangUp { abrupt: false }]));
}

#[test]
fn an_answer_that_was_awaited_while_the_socket_stood_still_does_not_count() {
    let stalls = scenario("round = [\"say\", { stall = \"500ms\" }, \"await_answer\", { think = \"1s\" }]");
    let mut caller = {
        let voice = Rc::new(Repertoire::of_tones(&[5]).into_voice().unwrap());
        Caller::new(Rc::new(stalls), voice, Rng::with_seed(7), MediaTime::ZERO)
    };
    let mut tally = Tally::new();
    let mut now = MediaTime::ZERO;
    while caller.act().is_none() {
        now += FRAME;
        caller.tick(now, &mut tally);
    }
    now += Duration::from_millis(500);
    caller.recovered(now);
    caller.hear(now, Duration::ZERO, FRAME, true, &mut tally);
    assert_eq!((tally.answer.count(), tally.missing, tally.underruns), (0, 0, 0));
}
