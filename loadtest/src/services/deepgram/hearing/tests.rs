use super::*;

/// Seconds of speech (positive) and silence (negative), in turn, in pieces of 20 ms.
fn hear(query: &str, texts: &[&str], parts: &[f64]) -> (Hearing, Vec<Heard>) {
    let options = Options::read(&format!("encoding=linear16&sample_rate=8000&{query}")).unwrap();
    let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    let mut hearing = Hearing::new(options, &texts);
    let mut heard = Vec::new();
    parts.iter().for_each(|part| say(&mut hearing, *part, &mut heard));
    (hearing, heard)
}

fn say(hearing: &mut Hearing, seconds: f64, heard: &mut Vec<Heard>) {
    let sample: i16 = if seconds > 0.0 { 8_000 } else { 0 };
    let frame = sample.to_le_bytes().repeat(160);
    (0..(seconds.abs() * 50.0) as usize).for_each(|_| hearing.audio(&frame, heard));
}

fn results(heard: &[Heard]) -> Vec<(String, bool, bool, bool)> {
    let results = heard.iter().filter_map(|heard| match heard {
        Heard::Result(result) => Some(result),
        _ => None,
    });
    let text = |result: &Transcript| {
        result.words.iter().map(|word| word.word.as_str()).collect::<Vec<_>>().join(" ")
    };
    results.map(|r| (text(r), r.is_final, r.speech_final, r.from_finalize)).collect()
}

fn finals(texts: &[&str]) -> Vec<(String, bool, bool, bool)> {
    texts.iter().map(|text| ((*text).to_owned(), true, true, false)).collect()
}

#[test]
fn silence_and_clicks_are_no_speech() {
    let (_, heard) = hear("vad_events=true&interim_results=true", &["hi"], &[-1.0, 0.02, -1.0]);
    assert_eq!(heard, []);
}

#[test]
fn each_utterance_is_the_next_text_and_then_the_first_again() {
    let (_, heard) = hear("endpointing=300", &["one", "and two"], &[0.5, -0.4, 0.5, -0.4, 0.5, -0.4]);
    assert_eq!(results(&heard), finals(&["one", "and two", "one"]));
}

#[test]
fn a_pause_shorter_than_endpointing_is_inside_of_speech() {
    let (_, heard) = hear("endpointing=500", &["one", "two"], &[0.5, -0.4, 0.5, -0.6]);
    assert_eq!(results(&heard), finals(&["one"]));
}

#[test]
fn without_endpointing_nothing_ends_speech_but_being_asked() {
    let (mut hearing, mut heard) = hear("endpointing=false", &["one two"], &[0.5, -2.0]);
    assert_eq!(results(&heard), []);
    hearing.finalize(&mut heard);
    assert_eq!(results(&heard), [("one two".to_owned(), true, false, true)]);
}

#[test]
fn the_default_endpointing_does_not_end_speech_inside_of_words() {
    let (_, heard) = hear("", &["one", "two"], &[0.5, -0.08, 0.5, -0.12]);
    assert_eq!(results(&heard), finals(&["one"]));
}

#[test]
fn words_come_while_they_are_said_where_that_is_wanted() {
    let (_, heard) = hear("interim_results=true&endpointing=300", &["one two three"], &[1.2, -0.4]);
    let interim = |text: &str| (text.to_owned(), false, false, false);
    assert_eq!(
        results(&heard)[..2],
        [interim("one"), interim("one two three")],
        "half a second after the onset, and again after as long"
    );
    assert_eq!(results(&heard)[2..], finals(&["one two three"]));
}

#[test]
fn a_long_speech_is_told_for_good_in_pieces_that_join_to_its_text() {
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen";
    let (_, heard) = hear("endpointing=300", &[text], &[7.0, -0.4]);
    let results = results(&heard);
    let (last, before) = results.split_last().unwrap();
    assert_eq!(before.len(), 2);
    assert!(before.iter().all(|(_, is_final, speech_final, _)| *is_final && !speech_final));
    assert!(last.1 && last.2);
    let joined: Vec<_> =
        results.iter().map(|(words, ..)| words.as_str()).filter(|words| !words.is_empty()).collect();
    assert_eq!(joined.join(" "), text);
}

#[test]
fn speech_may_end_with_a_result_without_words() {
    let (_, heard) = hear("endpointing=300", &["one two"], &[3.5, -0.4]);
    assert_eq!(
        results(&heard),
        [("one two".to_owned(), true, false, false), (String::new(), true, true, false)]
    );
}

#[test]
fn results_cover_the_audio_without_gaps_and_words_lie_in_them() {
    let (hearing, heard) = hear("endpointing=300", &["one two three four"], &[-0.5, 4.0, -1.0, 1.0, -0.4]);
    let mut end = Duration::ZERO;
    for heard in &heard {
        let Heard::Result(result) = heard else { panic!("{heard:?}") };
        assert_eq!(result.start, end);
        end = result.start + result.duration;
        for word in &result.words {
            assert!(word.start < word.end && word.start >= result.start && word.end <= end, "{result:?}");
        }
    }
    assert!(end <= hearing.duration() && hearing.duration() == Duration::from_millis(6_900));
}

#[test]
fn finalize_tells_what_is_there_and_nothing_twice() {
    let (mut hearing, mut heard) = hear("endpointing=300", &["one two"], &[0.5]);
    hearing.finalize(&mut heard);
    hearing.finalize(&mut heard);
    assert_eq!(results(&heard), [("one two".to_owned(), true, false, true)]);
    // What was quiet since is told to be empty.
    say(&mut hearing, -0.5, &mut heard);
    hearing.finalize(&mut heard);
    assert_eq!(results(&heard)[1..], [(String::new(), true, false, true)]);
}

#[test]
fn events_are_told_where_they_are_wanted_with_their_times() {
    let query = "interim_results=true&endpointing=300&utterance_end_ms=1000&vad_events=true";
    let (_, heard) = hear(query, &["one"], &[-0.5, 0.4, -1.2]);
    assert_eq!(heard[0], Heard::SpeechStarted { at: Duration::from_millis(500) });
    let end = Heard::UtteranceEnd { last_word_end: Duration::from_millis(900) };
    assert_eq!(heard.iter().filter(|heard| **heard == end).count(), 1);
    assert_eq!(heard.last(), Some(&end));
    let (_, heard) = hear("endpointing=300", &["one"], &[-0.5, 0.4, -1.2]);
    assert_eq!((heard.len(), results(&heard)), (1, finals(&["one"])));
}

#[test]
fn audio_may_come_in_pieces_of_any_length() {
    let query = "encoding=mulaw&interim_results=true&endpointing=300&vad_events=true";
    let audio: Vec<u8> = [vec![0xff; 4_000], vec![0x0f; 8_000], vec![0xff; 4_000]].concat();
    let hear = |piece: usize| {
        let mut hearing = Hearing::new(Options::read(query).unwrap(), &["one two".to_owned()]);
        let mut heard = Vec::new();
        audio.chunks(piece).for_each(|piece| hearing.audio(piece, &mut heard));
        heard
    };
    assert_eq!(hear(160).len(), 4);
    assert_eq!(hear(160), hear(1));
    assert_eq!(hear(160), hear(16_000));
}
