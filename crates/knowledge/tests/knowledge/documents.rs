//! Each kind of file, and what is wrong with files.

use crate::support::{file, folder, sections};
use lopdf::content::{Content, Operation};
use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, dictionary};
use ringway_knowledge::{Kind, LARGEST_FILE, ReadError, read};
use std::path::Path;

#[test]
fn markdown_is_divided_by_its_headings() {
    let text = "---\nauthor: nobody\n---\nBefore all.\n\n# Shop\n\nOpen *daily*,\nsays `door`.\n\n## Prices\n\n- one\n- two\n\n\
        | part | price |\n|---|---|\n| chain | 20 |\n\n# Delivery\nBy [bicycle](https://bike.example).\n";
    let expected = [
        ("", "Before all."),
        ("Shop", "Open daily, says door."),
        ("Shop > Prices", "one\ntwo\npart price\nchain 20"),
        ("Delivery", "By bicycle."),
    ];
    assert_eq!(sections(Kind::Markdown, text), expected.map(|(heading, text)| (heading.into(), text.into())));
}

#[test]
fn lines_of_text_flow_together_up_to_an_empty_one() {
    let text = "\u{feff}We are\nopen daily.\n\n\nBring:\n- a lock\n- a light\n";
    assert_eq!(
        sections(Kind::Text, text),
        [("".into(), "We are open daily.\nBring:\n- a lock\n- a light".into())]
    );
}

#[test]
fn a_page_is_read_without_its_menus_and_scripts() {
    let page = "<!doctype html><html><head><title>The shop &amp; more</title><style>p { color: red }</style></head>\
        <body><nav><ul><li>Home<nav>x</nav></ul></nav><h1>Hours</h1><p>Open<br>from <b>nine</b>\n to five.\
        <script>if (a < b) { say('<p>no</p>') }</script><h2>On holidays</h2><table><tr><td>May 1</td><td>closed</td>\
        </tr></table><p>Caf&eacute; always.</body></html>";
    let expected = [
        ("The shop & more > Hours", "Open\nfrom nine to five."),
        ("The shop & more > Hours > On holidays", "May 1 closed\nCafé always."),
    ];
    assert_eq!(sections(Kind::Html, page), expected.map(|(heading, text)| (heading.into(), text.into())));
}

#[test]
fn what_is_open_and_hidden_ends_with_the_body() {
    let page = "<body><nav><a>Home</a></body><p>Seen.</p>";
    assert_eq!(sections(Kind::Html, page), [("".into(), "Seen.".into())]);
}

#[test]
fn a_pdf_is_read_page_by_page() {
    let mut document =
        pdf(&[&["We are open from nine to five, except on holi-", "days.", "Bring a lock."], &["Second."]]);
    let expected = [
        ("page 1", "We are open from nine to five, except on holidays.\nBring a lock."),
        ("page 2", "Second."),
    ];
    let expected = expected.map(|(heading, text)| (heading.into(), text.into()));
    assert_eq!(sections(Kind::Pdf, saved(&mut document)), expected);
}

#[test]
fn a_pdf_that_needs_a_password_is_encrypted_and_one_that_does_not_is_read() {
    let permissions = Permissions::all();
    for (user_password, is_read) in [("secret", false), ("", true)] {
        let mut document = pdf(&[&["Nobody knows."]]);
        let id = Object::string_literal("0123456789abcdef");
        document.trailer.set("ID", vec![id.clone(), id]);
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password,
            key_length: 128,
            permissions,
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        let read = Kind::Pdf.sections(&saved(&mut document));
        assert_eq!(read.is_ok(), is_read, "{read:?}");
        assert!(is_read || matches!(read, Err(ReadError::Encrypted)), "{read:?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let dir = folder();
    let refused =
        |name: &str, content: &[u8]| read(&file(dir.path(), name, content)).unwrap_err().to_string();
    assert_eq!(refused("a.txt", b"caf\xe9"), "is not UTF-8 from byte 3 on");
    assert_eq!(refused("a.md", b"# Only a heading\n\n---\n"), "holds no text");
    assert_eq!(refused("a.html", b"<script>x</script>"), "holds no text");
    assert!(refused("a.docx", b"PK").starts_with("is none of Markdown"));
    assert!(refused("a.pdf", b"%PDF-1.5\nnothing").starts_with("is no PDF that can be read: "));
    assert!(matches!(read(&dir.path().join("none.md")), Err(ReadError::Io(_))));
}

#[test]
fn a_file_that_is_too_large_is_not_even_read() {
    let dir = folder();
    let path = file(dir.path(), "large.txt", "text");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(LARGEST_FILE + 1).unwrap();
    assert!(matches!(read(&path), Err(ReadError::TooLarge { bytes, .. }) if bytes == LARGEST_FILE + 1));
}

#[test]
fn a_document_is_named_as_its_file_was() {
    let dir = folder();
    let path = file(dir.path(), "Hours.TXT", "Open daily.");
    assert_eq!(Path::new(&read(&path).unwrap().source), path);
}

/// Pages of lines.
fn pdf(pages: &[&[&str]]) -> Document {
    let mut document = Document::with_version("1.5");
    let root = document.new_object_id();
    let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" };
    let font = document.add_object(font);
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let mut kids: Vec<Object> = Vec::new();
    for lines in pages {
        let mut operations = vec![
            Operation::new("BT", vec![]),
            Operation::new("Tf", vec!["F1".into(), 12.into()]),
            Operation::new("Td", vec![100.into(), 600.into()]),
        ];
        for line in *lines {
            operations.push(Operation::new("Tj", vec![Object::string_literal(*line)]));
            operations.push(Operation::new("Td", vec![0.into(), (-14).into()]));
        }
        operations.push(Operation::new("ET", vec![]));
        let content = Stream::new(dictionary! {}, Content { operations }.encode().unwrap());
        let content = document.add_object(content);
        let page = dictionary! { "Type" => "Page", "Parent" => root, "Contents" => content };
        kids.push(document.add_object(page).into());
    }
    let count = kids.len() as i64;
    let box_of = vec![0.into(), 0.into(), 595.into(), 842.into()];
    let tree = dictionary! {
        "Type" => "Pages", "Kids" => kids, "Count" => count, "Resources" => resources, "MediaBox" => box_of,
    };
    document.objects.insert(root, Object::Dictionary(tree));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => root });
    document.trailer.set("Root", catalog);
    document
}

fn saved(document: &mut Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}
