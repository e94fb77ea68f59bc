//! Files that declare tools.

use ringway_tools::ToolsFile;
use std::path::Path;

fn mistakes(text: &str) -> Vec<String> {
    let variable = |name: &str| (name == "KEY").then(|| "secret".to_owned());
    let found = ToolsFile::parse(Path::new("t.toml"), text, &variable).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = r#"[http.find]
description = "Finds."
url = "https://shop.example/{id}"
method = "FETCH"

[http.other]
description = "Other."
url = "ftp://shop.example/"
colour = "red"

[http.third]
description = "Third."
url = "https://shop.example/{id}"
headers = { Authorization = "Bearer ${NONE}" }

[mcp.nobody]
timeout = "1s"
"#;
    assert_eq!(
        mistakes(text),
        [
            "t.toml:3: http.find.url: no property of parameters is named \"id\"",
            "t.toml:4: http.find.method: must be one of GET, POST, PUT, PATCH, DELETE",
            "t.toml:8: http.other.url: must begin with http://, https://, ws://, wss:// or tcp://",
            "t.toml:9: http.other.colour: unknown key; there are: description, url, method, parameters, headers, sign, \
             answer_limit, timeout, filler, filler_after, on_barge_in",
            "t.toml:13: http.third.url: no property of parameters is named \"id\"",
            "t.toml:14: http.third.headers.Authorization: the variable \"NONE\" is not set",
            "t.toml:16: mcp.nobody.command: there must be either a command or a url",
        ]
    );
}

#[test]
fn mistakes_of_form_and_of_sense_in_several_tools_are_told_at_once() {
    let text = r#"[http.a]
url = 5
timeout = "soon"
answer_limit = "much"
headers = { X = 5, "no name" = "x" }

[built_in.fly]
[built_in.transfer]
on_barge_in = "stop"
filler = ["x"]

[htpp.b]
url = "https://shop.example/"
"#;
    let told = [
        "t.toml:1: http.a.description: must be given",
        "t.toml:2: http.a.url: must be a string",
        "t.toml:3: http.a.timeout: must be a duration such as \"200ms\", \"1.5s\" or \"30m\"",
        "t.toml:4: http.a.answer_limit: must be a whole number",
        "t.toml:5: http.a.headers.X: must be a string",
        "t.toml:5: http.a.headers.no name: is no name that a header can have",
        "t.toml:7: built_in.fly: there is no built-in tool of this name; there are: transfer, hang_up, send_dtmf, set_slot, \
         look_up, switch_language",
        "t.toml:9: built_in.transfer.on_barge_in: must be \"cancel\" or \"finish\"",
        "t.toml:10: built_in.transfer.filler: must be a string",
        "t.toml:12: htpp: unknown key; there are: http, mcp, built_in",
    ];
    assert_eq!(mistakes(text), told);
}

#[test]
fn what_a_broken_line_may_have_held_is_not_missed() {
    let text = "[http.a]\ndescription = \"A\nurl = \"https://shop.example/\"\nmethod = \"FETCH\"\n";
    let told = mistakes(text);
    assert!(told[0].starts_with("t.toml:2: "), "{told:?}");
    assert_eq!(told[1..], ["t.toml:4: http.a.method: must be one of GET, POST, PUT, PATCH, DELETE"]);
}

#[test]
fn a_host_cannot_be_an_argument() {
    let told = mistakes("[http.a]\ndescription = \"A\"\nurl = \"https://{x}.example/\"\n");
    assert_eq!(told, ["t.toml:3: http.a.url: a host cannot be an argument"]);
}

#[test]
fn a_language_to_switch_to_is_missed_at_the_tool() {
    let text = "[built_in.hang_up]\n[built_in.switch_language]\n";
    let file = ToolsFile::parse(Path::new("t.toml"), text, &|_| None).unwrap();
    let told = file.speaking(Vec::new()).unwrap_err().to_string();
    assert!(told.starts_with("t.toml:2: built_in.switch_language: "), "{told}");
}

#[test]
fn a_secret_in_the_place_of_its_variables_name_is_not_repeated() {
    for text in [
        "[http.a]\ndescription = \"A\"\nurl = \"https://h/\"\nsign = { secret = \"s3cret-horse\" }\n",
        "[http.a]\ndescription = \"A\"\nurl = \"https://me:s3cret-horse@h/\"\n",
        "[http.a]\ndescription = \"A\"\nurl = \"https://h/\"\nheaders = \"Bearer s3cret-horse\"\n",
        "[http.a]\ndescription = \"A\"\nurl = \"https://h/\"\nheaders = { X = \"${s3cret-horse}\" }\n",
        "[mcp.a]\nurl = \"https://me:s3cret-horse@h/\"\n",
        "[mcp.a]\ncommand = [\"x\"]\nvariables = [\"KEY=s3cret-horse\"]\n",
    ] {
        let told = mistakes(text);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(!told[0].contains("horse"), "{told:?}");
    }
}

#[test]
fn what_surrounds_a_secret_is_no_part_of_it_and_what_breaks_it_is_told() {
    let text = "[http.a]\ndescription = \"A\"\nurl = \"https://h/\"\nheaders = { X = \"Bearer ${A}\" }\nsign = { secret = \"B\" }\n";
    let read = |held: &str| ToolsFile::parse(Path::new("t.toml"), text, &|_| Some(held.to_owned()));
    assert!(read("abc\r\n").is_ok());
    let told: Vec<_> = read("a\nbc").unwrap_err().iter().map(ToString::to_string).collect();
    let broken = "has a line end or another invisible character within it";
    let expected = [
        format!("t.toml:4: http.a.headers.X: the variable \"A\" {broken}"),
        format!("t.toml:5: http.a.sign.secret: the variable \"B\" {broken}"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn secrets_are_not_shown() {
    let text = "[http.a]\ndescription = \"A\"\nurl = \"https://shop.example/\"\nheaders = { X = \"${KEY}\" }\nsign = { secret = \"KEY\" }\n";
    let file = ToolsFile::parse(Path::new("t.toml"), text, &|_| Some("secret".to_owned())).unwrap();
    assert!(!format!("{file:?}").contains("\"secret\""), "{file:?}");
    assert!(mistakes(text).is_empty());
}
