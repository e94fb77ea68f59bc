use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn tools() -> Arc<[ToolSpec]> {
    let tool =
        |name: &str| ToolSpec { name: name.into(), description: String::new(), parameters: Value::Null };
    ["find_order", "now"].map(tool).into()
}

/// What is said in all, and what is called, of a reply that comes in these pieces.
fn filtered(pieces: &[&str], habit: &Arc<Habit>) -> (String, Vec<(String, String)>) {
    let mut filter = Filter::new(tools(), habit.clone());
    pieces.iter().for_each(|piece| filter.push(piece));
    filter.finish(false);
    let (mut said, mut called) = (String::new(), Vec::new());
    while let Some(saying) = filter.next() {
        match saying {
            Saying::Text(text) => said += &text,
            Saying::Call(call) => called.push((call.name, call.arguments)),
            Saying::End => panic!("no end of the filter's"),
        }
    }
    (said, called)
}

fn whole(text: &str) -> (String, Vec<(String, String)>) {
    filtered(&[text], &Arc::default())
}

const THOUGHTS: &[(&str, &str)] = &[
    ("<think>\nThe user wants a date.</think>\nOn Monday.", "On Monday."),
    ("<think>\n\n</think>\n\nOn Monday.", "On Monday."),
    ("<thinking>hm, a date</thinking><reasoning>why not</reasoning>On Monday.", "On Monday."),
    ("<Think>hm</THINK >On Monday.", "On Monday."),
    ("<think>a < b, [x] and {y} `z`</thinking>On Monday.", "On Monday."),
    ("The user wants a date.\n</think>\n\nOn Monday.", "On Monday."),
    ("The user wants a date.</reasoning>On Monday.", "On Monday."),
    ("<think>The user wants a date. Let me see.", ""),
    ("[THINK]hm[/THINK]On Monday.", "On Monday."),
    ("◁think▷hm◁/think▷On Monday.", "On Monday."),
    ("<seed:think>hm</seed:think>On Monday.", "On Monday."),
    ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>On Monday.<|END_RESPONSE|>", "On Monday."),
    (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>On Monday.<|return|>",
        "On Monday.",
    ),
    ("On Monday.<think>enough?</think> At nine.", "On Monday. At nine."),
    ("<answer>On Monday.</answer>", "On Monday."),
];

const TOKENS: &[(&str, &str)] = &[
    ("<|im_start|>assistant\nOn Monday.<|im_end|>", "On Monday."),
    ("On Monday.<|eot_id|>", "On Monday."),
    ("On Monday.<|im_end|>\n<|im_start|>user\nAnd then?<|im_end|>", "On Monday."),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nOn Monday.<|eot_id|>", "On Monday."),
    ("<start_of_turn>model\nOn Monday.<end_of_turn>\n", "On Monday."),
    ("<s>On Monday.</s>", "On Monday."),
    ("On Monday.<｜end▁of▁sentence｜>", "On Monday."),
    ("On Monday.<|endoftext|>Question: and then?", "On Monday."),
    ("On Monday.<|user|>\nAnd then?", "On Monday."),
    ("On Monday.<|im_en", "On Monday."),
    ("<unused94>On Monday.", "On Monday."),
];

/// Each asks for order 12.
const CALLS: &[&str] = &[
    r#"{"name": "find_order", "parameters": {"id": 12}}"#,
    r#"{"name": "find_order", "arguments": {"id": 12}}"#,
    r#"{"name": "find_order", "arguments": "{\"id\": 12}"}"#,
    r#"{"type": "function", "function": {"name": "find_order", "arguments": {"id": 12}}}"#,
    r#"{"tool_calls": [{"function": {"name": "functions.find_order", "arguments": {"id": 12}}}]}"#,
    r#"[{"name": "find_order", "arguments": {"id": 12}}]"#,
    r#"{'name': 'find_order', 'arguments': {'id': 12}}"#,
    r#"{"name": "find_order", "arguments": {"id": 12}"#,
    "<|python_tag|>{\"name\": \"find_order\", \"parameters\": {\"id\": 12}}<|eom_id|>",
    "<|python_tag|>find_order(id=12)",
    "<tool_call>\n{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}\n</tool_call>",
    "<tool_call>\n{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}",
    "{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}\n</tool_call>",
    "<tool_call>\n<function=find_order>\n<parameter=id>\n12\n</parameter>\n</function>\n</tool_call>",
    "<tool_call>find_order\n<arg_key>id</arg_key>\n<arg_value>12</arg_value>\n</tool_call>",
    "```json\n{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}\n```",
    "```tool_code\nfind_order(id=12)\n```",
    "[TOOL_CALLS][{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}]",
    "[TOOL_CALLS]find_order[ARGS]{\"id\": 12}",
    "<function=find_order>{\"id\": 12}</function>",
    "<function_calls><invoke name=\"find_order\"><parameter name=\"id\">12</parameter></invoke></function_calls>",
    "<|tool_call|>[{\"name\": \"find_order\", \"arguments\": {\"id\": 12}}]<|/tool_call|>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>find_order\n```json\n{\"id\": 12}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "<｜DSML｜function_calls><｜DSML｜invoke name=\"find_order\"><｜DSML｜parameter name=\"id\" string=\"false\">12</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.find_order:0<|tool_call_argument_begin|>{\"id\": 12}<|tool_call_end|><|tool_calls_section_end|>",
    "<|channel|>commentary to=functions.find_order <|constrain|>json<|message|>{\"id\": 12}<|call|>",
    "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"find_order\", \"parameters\": {\"id\": 12}}]<|END_ACTION|>",
    "<|tool_call_start|>[find_order(id=12)]<|tool_call_end|>",
    "[find_order(id=12)]",
    "find_order(id=12)",
    "functions.find_order({\"id\": 12})",
];

/// Nothing of these is for a caller, and none is a call that can be made.
const NEITHER: &[&str] = &[
    r#"{"name": "book_table", "arguments": {"id": 12}}"#,
    "<tool_call>{\"name\": \"book_table\", \"arguments\": {}}</tool_call>",
    "<tool_call>I would look that up</tool_call>",
    r#"{"name": "find_order", "arguments": {"id": 1"#,
    "<tool_response>{\"state\": \"sent\"}</tool_response>",
    "🙂",
    " \n\t",
    "...",
];

/// Words as they are.
const PLAIN: &[&str] = &[
    "It is <b>bold</b>, 3 < 4 and 5 > 2.",
    "Press [1] or {2}, `x` or ```y```.",
    "The function f(x) [see below] costs {\"price\": 12}.",
    "a <- b, <|, <> and </p>",
    "{\"answer\": \"On Monday.\"}",
    "Das ist gut. <3",
    "Use [now] or (now).",
    "I know (now and then), snow(fall) and find_orders(id=12).",
    "It is now",
];

#[test]
fn thoughts_are_not_said() {
    for (text, expected) in THOUGHTS {
        assert_eq!(whole(text), ((*expected).into(), vec![]), "{text}");
    }
}

#[test]
fn tokens_of_templates_are_not_said_and_nothing_behind_the_end_is() {
    for (text, expected) in TOKENS {
        assert_eq!(whole(text), ((*expected).into(), vec![]), "{text}");
    }
}

#[test]
fn calls_in_writing_are_made() {
    for text in CALLS {
        let (said, called) = whole(text);
        assert_eq!((said.trim(), called.len()), ("", 1), "{text}: {called:?}");
        let (name, arguments) = &called[0];
        assert_eq!(
            (name.as_str(), arguments.replace(' ', "").as_str()),
            ("find_order", "{\"id\":12}"),
            "{text}"
        );
        let (said, called) = whole(&format!("Let me look that up. {text}"));
        assert_eq!((said.trim(), called.len()), ("Let me look that up.", 1), "{text}");
    }
}

#[test]
fn several_calls_in_writing_are_several() {
    let two = r#"<tool_call>{"name":"now","arguments":{}}</tool_call><tool_call>{"name":"find_order","arguments":{"id":1}}</tool_call>"#;
    let python = "<|python_start|>[now(), find_order(id=1, day='Monday, or so')]<|python_end|>";
    let names = |text| whole(text).1.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(two), ["now", "find_order"]);
    assert_eq!(names(python), ["now", "find_order"]);
    assert_eq!(whole(python).1[1].1, r#"{"day":"Monday, or so","id":1}"#);
}

#[test]
fn what_is_neither_words_nor_a_call_is_dropped() {
    for text in NEITHER {
        assert_eq!(whole(text), (String::new(), vec![]), "{text}");
    }
}

#[test]
fn a_call_that_was_cut_for_want_of_room_is_not_made() {
    let mut filter = Filter::new(tools(), Arc::default());
    filter.push(r#"<tool_call>{"name": "find_order", "arguments": {"id": "1"}"#);
    filter.finish(true);
    assert_eq!((filter.next(), filter.has_dropped_call()), (None, true));
}

#[test]
fn words_are_said_as_they_are() {
    for text in PLAIN {
        assert_eq!(whole(text), ((*text).into(), vec![]), "{text}");
    }
}

#[test]
fn a_service_that_only_ends_its_thoughts_is_waited_for_from_then_on() {
    let habit = Arc::default();
    filtered(&["The user wants a date.</think>On Monday."], &habit);
    let mut filter = Filter::new(tools(), habit.clone());
    filter.push("Now the user wants a time. ");
    assert!(!filter.is_in_doubt(), "time tells nothing here");
    assert_eq!(filter.next(), None);
    filter.push("</think>At nine.");
    assert_eq!(filter.next(), Some(Saying::Text("At nine.".into())));
    // One that does so no more is heard as before.
    assert_eq!(filtered(&["At nine."], &habit).0, "At nine.");
    let mut filter = Filter::new(tools(), habit);
    filter.push("At nine");
    assert!(filter.is_in_doubt());
}

#[test]
fn a_service_that_speaks_is_not_doubted() {
    let habit = Arc::default();
    let mut first = Filter::new(tools(), Arc::clone(&habit));
    first.push("Good");
    assert!(first.is_in_doubt() && first.next().is_none());
    first.trust();
    assert_eq!(first.next(), Some(Saying::Text("Good".into())));
    first.push(" day.");
    first.finish(false);
    let mut second = Filter::new(tools(), habit);
    second.push("Good");
    assert_eq!(second.next(), Some(Saying::Text("Good".into())));
}

fn pieces() -> Vec<&'static str> {
    let pairs = THOUGHTS.iter().chain(TOKENS).map(|(text, _)| *text);
    pairs.chain(CALLS.iter().chain(NEITHER).chain(PLAIN).copied()).collect()
}

#[test]
fn nothing_depends_on_where_a_text_is_cut() {
    for text in pieces() {
        let expected = whole(text);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(filtered(&letters, &Arc::default()), expected, "{text}");
        for (cut, _) in text.char_indices() {
            let found = filtered(&[&text[..cut], &text[cut..]], &Arc::default());
            assert_eq!(found, expected, "{text}, cut at {cut}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_depends_on_where_any_text_is_cut(
        parts in prop::collection::vec(
            prop_oneof![
                (0..pieces().len()).prop_map(|at| pieces()[at].to_owned()),
                (0..pieces().len(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(at, from, to)| {
                    let letters: Vec<char> = pieces()[at].chars().collect();
                    let (from, to) = (from.index(letters.len()), to.index(letters.len()));
                    letters[from.min(to)..from.max(to)].iter().collect()
                }),
                "[<>|/{}\\[\\]`\"' a-z\n]{0,8}",
            ],
            0..6,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let text = parts.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let cut: Vec<&str> = at.windows(2).map(|ends| &text[ends[0]..ends[1]]).collect();
        prop_assert_eq!(filtered(&cut, &Arc::default()), whole(&text));
    }
}
