use crate::sentence::Rules;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far ahead of the end of a turn work may begin; all of it is thrown away if the caller goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speculation {
    /// Nothing before the turn is over: every service's time is added to the hang-over.
    Off,
    /// The transcript is asked for. Costs a recognition for each pause inside a sentence.
    Stt,
    /// And the language model is asked. Costs a request for each such pause.
    Llm,
    /// And the first clauses are spoken, unheard. Costs their synthesis.
    #[default]
    Tts,
}

/// All policy of a call. Durations are written as `"200ms"`, `"2s"`, `"30m"`; `"off"` where one may be absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Silence that ends a turn whose transcript answers what the dialogue expects. Default 200 ms; shorter answers
    /// sooner and cuts more callers off in the middle.
    #[serde(with = "crate::humane")]
    pub hang_over_complete: Duration,
    /// Silence that ends any other turn. Default 700 ms, for the same trade.
    #[serde(with = "crate::humane")]
    pub hang_over_open: Duration,
    /// The longest silence that is waited for, however unlikely a turn model finds the end. Default 2 s.
    #[serde(with = "crate::humane")]
    pub hang_over_max: Duration,
    /// One hang-over for all turns, whatever the transcript and a turn model say, for benchmarks. Default off.
    #[serde(with = "crate::humane::option")]
    pub hang_over_fixed: Option<Duration>,

    /// Probability at which a window begins speech. Default 0.5; lower hears softer voices and more noise.
    pub speech_start: f32,
    /// Probability below which speech has stopped. Default 0.35; the distance to `speech_start` is what keeps one
    /// wavering syllable from being two.
    pub speech_end: f32,
    /// How far the end of speech is dated back to where the energy fell. Default 200 ms; more answers sooner but
    /// takes soft word ends for silence.
    #[serde(with = "crate::humane")]
    pub backdate_max: Duration,
    /// Speech shorter than this without a word is noise and is not even recognised. Default 60 ms.
    #[serde(with = "crate::humane")]
    pub noise_below: Duration,
    /// Time without windows that counts as silence. Default 100 ms; longer waits out worse networks and answers
    /// later to callers whose codec stops sending in pauses.
    #[serde(with = "crate::humane")]
    pub window_gap: Duration,
    /// How long a turn waits for voice activity detection to come back before silence by the clock counts again.
    /// Default 1 s, three times what a restart takes.
    #[serde(with = "crate::humane")]
    pub vad_grace: Duration,
    /// The longest time without any window before the call is ended. Default 10 s; it holds for carriers, which always
    /// send, not for browsers, whose microphone may be off.
    #[serde(with = "crate::humane::option")]
    pub media_timeout: Option<Duration>,

    /// Speech over the bot that makes it stop for good. Default 200 ms; less stops for coughs.
    #[serde(with = "crate::humane")]
    pub barge_in_after: Duration,
    /// Words over the bot that make it stop for good at once. Default 1; backchannels do not count.
    pub barge_in_words: u32,
    /// How long speech may go on as nothing but backchannels. Default 1 s.
    #[serde(with = "crate::humane")]
    pub backchannel_max: Duration,
    /// How long after short speech the paused bot waits for its words. Default 400 ms; the words still count when
    /// they come later.
    #[serde(with = "crate::humane")]
    pub verdict_within: Duration,
    /// The longest pause of the bot without a verdict. Default 2 s.
    #[serde(with = "crate::humane")]
    pub pause_max: Duration,
    /// Words that mean "go on", in lower case.
    pub backchannels: Vec<String>,
    /// Phrases that the recogniser hears in noise, such as "Thank you.": an utterance of nothing else counts as one
    /// without words. Case and punctuation do not matter. Default none, since callers say them too.
    pub ignored_phrases: Vec<String>,
    /// Speech at least this long in which no word was understood is answered too ("Sorry?"). Default 500 ms;
    /// shorter answers more noises.
    #[serde(with = "crate::humane")]
    pub unclear_after: Duration,

    /// What may begin before the turn is over. Default all of it.
    pub speculation: Speculation,
    /// The silence at which it begins. Default 60 ms; more wastes less and hides less.
    #[serde(with = "crate::humane")]
    pub speculate_after: Duration,
    /// The silence at which the recogniser is asked already. Default none: at `speculate_after`; sooner answers sooner and
    /// asks more often in vain, which a recogniser that has listened all the time may not mind.
    #[serde(with = "crate::humane::option")]
    pub transcribe_after: Option<Duration>,
    /// Whether the energy alone may tell that silence. Default true; false waits until the model is sure, some
    /// 90 ms later, and spares the transcripts that long consonants ask for.
    pub speculate_by_energy: bool,
    /// How old the recogniser's guess may be at that silence for the model to begin on it; when other words turn out to
    /// have been said, its work is thrown away. Default 300 ms; none waits for the words that stand.
    #[serde(with = "crate::humane::option")]
    pub speculate_on_guess: Option<Duration>,

    /// The language that replies are cut into sentences by, until a call goes over to another: which full stops are those
    /// of abbreviations and ordinals. Default `call.language`.
    pub language: Option<String>,
    /// A reply's first clause may end at a comma after this many bytes. Default 12; more sounds smoother, later.
    pub clause_min_first: usize,
    /// A later clause may end at a comma after this many bytes. Default 40.
    pub clause_min: usize,
    /// A clause is cut at a blank before it is longer than this many bytes. Default 200.
    pub clause_max: usize,

    /// Silence after which the caller is asked whether they are there. Default 7 s.
    #[serde(with = "crate::humane")]
    pub silence_prompt_after: Duration,
    /// How often, before the call is ended. Default 2.
    pub silence_prompts: u8,
    /// The longest call. Default 30 min.
    #[serde(with = "crate::humane")]
    pub max_duration: Duration,

    /// Time from the end of the caller's turn within which the answer is to begin. A stage that keeps the caller
    /// waiting for longer than `late_share` of it is late, and gives way to the next service of its chain where there
    /// is one; "off": services may take as long as their own limits permit. Default 800 ms.
    #[serde(with = "crate::humane::option")]
    pub answer_budget: Option<Duration>,
    /// The share of `answer_budget` that one stage may use before its first result. Default 0.75; less switches sooner,
    /// and away from services that would have answered.
    pub late_share: f32,
    /// Whether a language model whose first word is later than those of 95 of 100 of its requests is asked a second time:
    /// the next service of its chain that does well, or the same in a chain of one. The first of both counts. At most a
    /// twentieth of all requests. Default false: true answers sooner at worst, and costs up to 5 % more requests.
    pub hedge: bool,
    /// Time from the end of the caller's turn without a sound after which a filler is spoken, at most once a turn.
    /// Default 2.5 s.
    #[serde(with = "crate::humane::option")]
    pub filler_after: Option<Duration>,
    /// The same when a stage has said that it is overloaded. Default 1 s.
    #[serde(with = "crate::humane")]
    pub filler_when_busy: Duration,
    /// The filler. Default "One moment."
    pub filler: String,
    /// Time from the end of the caller's turn without any of the answer after which the apology is played and the call
    /// is transferred or ended. Default 20 s.
    #[serde(with = "crate::humane::option")]
    pub give_up_after: Option<Duration>,
    /// The number that the caller is transferred to after an apology; without it the call ends.
    pub transfer_on_failure: Option<String>,

    /// Pause between keys that ends an answer. Default 2 s.
    #[serde(with = "crate::humane")]
    pub key_pause: Duration,
    /// The key that ends an answer. Default '#'.
    #[serde(deserialize_with = "crate::key::deserialize")]
    pub key_end: char,

    /// How long past its length an utterance may go unreported by the playout before it counts as over.
    /// Default 1 s.
    #[serde(with = "crate::humane")]
    pub playout_grace: Duration,
    /// The longest time for last words (an apology, or the clause running when the longest call is reached).
    /// Default 8 s.
    #[serde(with = "crate::humane")]
    pub last_words_max: Duration,
    /// How many messages the context keeps, the newest. Default 200; each is sent with each request.
    pub context_messages: usize,
    /// How many tokens of history the context keeps: the summary, the messages, and what tools said. Default 3000, which
    /// leaves room for prompt and reply in a model that sees 4,096; 0 sets no bound.
    pub context_tokens: u32,
    /// Whether the oldest turns become a summary before they are forgotten: a request to the language model in the
    /// background. Default true; a server that works on one request at a time answers the caller behind it.
    pub summarise: bool,
    /// How long a summary may take. Default 20 s.
    #[serde(with = "crate::humane")]
    pub summary_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hang_over_complete: Duration::from_millis(200),
            hang_over_open: Duration::from_millis(700),
            hang_over_max: Duration::from_secs(2),
            hang_over_fixed: None,
            speech_start: 0.5,
            speech_end: 0.35,
            backdate_max: Duration::from_millis(200),
            noise_below: Duration::from_millis(60),
            window_gap: Duration::from_millis(100),
            vad_grace: Duration::from_secs(1),
            media_timeout: Some(Duration::from_secs(10)),
            barge_in_after: Duration::from_millis(200),
            barge_in_words: 1,
            backchannel_max: Duration::from_secs(1),
            verdict_within: Duration::from_millis(400),
            pause_max: Duration::from_secs(2),
            backchannels: BACKCHANNELS.map(str::to_owned).into(),
            ignored_phrases: Vec::new(),
            unclear_after: Duration::from_millis(500),
            speculation: Speculation::default(),
            speculate_after: Duration::from_millis(60),
            transcribe_after: None,
            speculate_by_energy: true,
            speculate_on_guess: Some(Duration::from_millis(300)),
            language: None,
            clause_min_first: 12,
            clause_min: 40,
            clause_max: 200,
            silence_prompt_after: Duration::from_secs(7),
            silence_prompts: 2,
            max_duration: Duration::from_secs(30 * 60),
            answer_budget: Some(Duration::from_millis(800)),
            late_share: 0.75,
            hedge: false,
            filler_after: Some(Duration::from_millis(2_500)),
            filler_when_busy: Duration::from_secs(1),
            filler: "One moment.".to_owned(),
            give_up_after: Some(Duration::from_secs(20)),
            transfer_on_failure: None,
            key_pause: Duration::from_secs(2),
            key_end: '#',
            playout_grace: Duration::from_secs(1),
            last_words_max: Duration::from_secs(8),
            context_messages: 200,
            context_tokens: 3_000,
            summarise: true,
            summary_within: Duration::from_secs(20),
        }
    }
}

/// A value that makes no sense, alone or beside another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    /// The field.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Config {
    /// How long a stage may keep the caller waiting for its first result.
    pub fn late_after(&self) -> Option<Duration> {
        self.answer_budget.map(|budget| budget.mul_f64(self.late_share.into()))
    }

    /// Where sentences end in the language that calls begin in.
    pub(crate) fn rules(&self) -> Rules {
        Rules::of(self.language.as_deref().unwrap_or("en"))
    }

    /// All mistakes at once; empty when there is none.
    pub fn problems(&self) -> Vec<ConfigError> {
        let probability = 0.0..=1.0;
        let rules = [
            (probability.contains(&self.speech_start), "speech_start", "must be within 0 and 1"),
            (probability.contains(&self.speech_end), "speech_end", "must be within 0 and 1"),
            (self.speech_end <= self.speech_start, "speech_end", "must not be above speech_start"),
            (
                self.hang_over_complete <= self.hang_over_open,
                "hang_over_complete",
                "must not be above hang_over_open",
            ),
            (self.hang_over_open <= self.hang_over_max, "hang_over_open", "must not be above hang_over_max"),
            (!self.window_gap.is_zero(), "window_gap", "must not be zero"),
            (self.barge_in_words > 0, "barge_in_words", "must not be zero"),
            (self.clause_min_first <= self.clause_max, "clause_min_first", "must not be above clause_max"),
            (self.clause_min <= self.clause_max, "clause_min", "must not be above clause_max"),
            (self.clause_max >= SHORTEST_CLAUSE_MAX, "clause_max", "must be at least 16"),
            (!self.silence_prompt_after.is_zero(), "silence_prompt_after", "must not be zero"),
            (!self.max_duration.is_zero(), "max_duration", "must not be zero"),
            (!self.filler.trim().is_empty() || self.filler_after.is_none(), "filler", "must not be empty"),
            ((0.0..=1.0).contains(&self.late_share), "late_share", "must be within 0 and 1"),
            (self.context_messages > 0, "context_messages", "must not be zero"),
            (
                self.context_tokens == 0 || self.context_tokens >= FEWEST_TOKENS,
                "context_tokens",
                "must be 0 or at least 200",
            ),
        ];
        rules
            .iter()
            .filter(|(holds, ..)| !holds)
            .map(|&(_, key, reason)| ConfigError { key, reason })
            .collect()
    }
}

const BACKCHANNELS: [&str; 15] =
    ["mhm", "mhmm", "huh", "mm", "mmm", "mm-hmm", "hm", "hmm", "uh", "uh-huh", "um", "ah", "aha", "oh", "eh"];

const SHORTEST_CLAUSE_MAX: usize = 16;

/// A turn or two.
const FEWEST_TOKENS: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Config::default().problems(), []);
    }

    #[test]
    fn reads_back_what_it_writes() {
        let config = Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() };
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let config = Config {
            speech_end: 0.9,
            hang_over_open: Duration::from_secs(9),
            barge_in_words: 0,
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["speech_end", "hang_over_open", "barge_in_words"]);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<Config>("hang_over = \"200ms\"").unwrap_err();
        assert!(error.to_string().contains("unknown field `hang_over`"), "{error}");
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        assert!(toml::from_str::<Config>("hang_over_open = \"700\"").is_err());
        assert_eq!(toml::from_str::<Config>("filler_after = \"off\"").unwrap().filler_after, None);
    }
}
