//! A call whose language model is given what the documents say.

use crate::support::browser::Browser;
use crate::support::chat::chat;
use crate::support::server::{Setup, root};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

fn kb(index: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringway"));
    command.arg("kb").args(arguments).arg("--json").arg("--index").arg(index).current_dir(root());
    command.output().unwrap()
}

/// The same where there is no configuration file.
fn kb_elsewhere(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringway"));
    command.arg("kb").args(arguments).args(["--json", "--index", "index"]).current_dir(dir);
    command.output().unwrap()
}

fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn a_turn_is_given_the_passage_and_its_trace_tells_so() {
    let dir = tempfile::tempdir().unwrap();
    let (document, index) = (dir.path().join("shop.md"), dir.path().join("index"));
    std::fs::write(&document, "# Hours\nSay that Ada is there from nine to five.\n").unwrap();
    let added = kb(&index, &["add", document.to_str().unwrap()]);
    assert!(added.status.success(), "{added:?}");

    let (url, mut asked) = chat(|_| json!({ "content": "At nine." })).await;
    let server = Setup::bench()
        .with(&format!("[llm]\nengines = [\"openai_llm\"]\n[openai_llm]\nurl = {url:?}\nkey = \"\"\n"))
        .with("[scripted]\ntext = \"when is ada in\"\n")
        .with(&format!("[knowledge]\nindex = {:?}\nwhen = \"turn\"\n", index.display().to_string()))
        .start();
    let (mut browser, call) = Browser::greeted(&server).await;
    browser.say("digits/day-1");
    browser.answered().await;
    let body = asked.recv().await.unwrap();
    let messages = body["messages"].as_array().unwrap();
    let last = messages.last().unwrap()["content"].as_str().unwrap();
    assert!(
        last.starts_with("when is ada in\n\n") && last.contains("Ada is there from nine to five."),
        "{last}"
    );

    let (_, trace) = server.get_json(&format!("/api/calls/{call}/trace")).await;
    let folder = dir.path().file_name().unwrap().display().to_string();
    let cited = format!("{folder}/shop.md, Hours");
    assert!(!last.contains(&document.display().to_string()), "no absolute path: {last}");
    let given = trace["turns"][1]["given"].as_array().unwrap_or_else(|| panic!("{trace}"));
    assert_eq!(given.last().unwrap()["passages"], json!([cited]));
    let (_, text) = server.get(&format!("/api/calls/{call}/trace?format=text")).await;
    assert!(text.contains(&format!("llm      is given {cited}")), "{text}");
    assert!(server.metric("ringway_knowledge_searches_total").await.is_some_and(|searches| searches >= 1.0));
}

#[test]
fn an_index_needs_no_configuration_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hours.md"), "We open at nine.\n").unwrap();
    let added = kb_elsewhere(dir.path(), &["add", "hours.md"]);
    assert!(added.status.success(), "{added:?}");
    let found = kb_elsewhere(dir.path(), &["search", "when do you open"]);
    assert!(found.status.success() && printed(&found).to_string().contains("nine"), "{found:?}");
    let named = kb_elsewhere(dir.path(), &["list", "--config", "not-there.toml"]);
    assert_eq!(named.status.code(), Some(2), "a file that is named is wanted: {named:?}");
}

#[test]
fn documents_are_added_listed_searched_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("index");
    let file = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (hours, strange) = (file("hours.txt", b"We are open on Sundays."), file("strange.txt", b"\x01\xe9"));
    let (empty, french) = (file("empty.md", b"\n"), file("french.txt", b"Le caf\xe9."));
    let name = |file: &str| format!("{}/{file}", dir.path().file_name().unwrap().display());

    let added = kb(&index, &["add", &strange, &hours, &empty, &french]);
    assert_eq!(added.status.code(), Some(1), "not every file");
    let unknown = "is not UTF-8 from byte 1 on and does not say in which encoding it is; save it as UTF-8";
    let refused = [(&strange, unknown), (&empty, "holds no text")];
    let refused = refused.map(|(file, reason)| json!({ "file": file, "reason": reason }));
    let passages = ["hours.txt", "french.txt"].map(|file| json!({ "source": name(file), "passages": 1 }));
    let notes =
        json!([{ "source": name("french.txt"), "notes": ["was taken for Windows-1252: it is not UTF-8"] }]);
    let expected = json!({ "added": passages, "refused": refused, "notes": notes, "others": 0 });
    assert_eq!(printed(&added), expected);

    let listed = ["french.txt", "hours.txt"].map(|file| json!({ "source": name(file), "passages": 1 }));
    assert_eq!(printed(&kb(&index, &["list"]))["sources"], json!(listed));
    let found = printed(&kb(&index, &["search", "open on a sunday?"]));
    assert_eq!(
        (&found["found"][0]["text"], &found["found"][0]["byWords"]),
        (&json!("We are open on Sundays."), &json!(1))
    );

    let folder = kb(&dir.path().join("other"), &["add", dir.path().to_str().unwrap()]);
    assert_eq!(printed(&folder)["added"].as_array().map(Vec::len), Some(2), "{folder:?}");

    assert_eq!(kb(&index, &["remove", &hours]).status.code(), Some(0));
    assert_eq!(kb(&index, &["remove", &hours]).status.code(), Some(1));
    assert_eq!(kb(&dir.path().join("elsewhere"), &["list"]).status.code(), Some(1));
}

#[test]
fn an_index_that_is_not_there_stops_the_server_with_what_to_do() {
    let (code, said) = Setup::bench().with("[knowledge]\nindex = \"no/such/folder\"\n").fail(&[]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("knowledge.index: no/such/folder is not there; run `ringway kb add FILES`"),
        "{said}"
    );
}
