//! Files that declare tools.

use ringway_stages::tools::ToolsFile;
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
            "t.toml:4: http.find.method: \"FETCH\" is none of [GET, POST, PUT, PATCH, DELETE]",
            "t.toml:9: http.other.colour: unknown key",
            "t.toml:8: http.other.url: begins with \"ftp\"; there are: http, https, ws, wss, tcp",
            "t.toml:14: http.third.headers.Authorization: the variable \"NONE\" is not set",
            "t.toml:13: http.third.url: no property of parameters is named \"id\"",
            "t.toml:16: mcp.nobody.command: there must be either a command or a url",
        ]
    );
}

#[test]
fn what_is_no_toml_or_no_tool_is_told_too() {
    assert!(mistakes("[http.a\n")[0].starts_with("t.toml:1: "));
    assert!(mistakes("[built_in.fly]\n")[0].contains("unknown variant `fly`"));
    assert!(mistakes("[built_in.transfer]\ntimeout = \"soon\"\n")[0].starts_with("t.toml:"));
    assert!(
        mistakes("[http.a]\ndescription = \"A\"\nurl = \"https://{x}.example/\"\n")[0]
            .contains("host cannot be an argument")
    );
}

#[test]
fn secrets_are_not_shown() {
    let text = "[http.a]\ndescription = \"A\"\nurl = \"https://shop.example/\"\nheaders = { X = \"${KEY}\" }\nsign = { secret = \"KEY\" }\n";
    let file = ToolsFile::parse(Path::new("t.toml"), text, &|_| Some("secret".to_owned())).unwrap();
    assert!(!format!("{file:?}").contains("\"secret\""), "{file:?}");
    assert!(mistakes(text).is_empty());
}
