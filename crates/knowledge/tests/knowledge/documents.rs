//! Each kind of file, and what is wrong with files.

use crate::support::{file, folder, sections};
use lopdf::content::{Content, Operation};
use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, dictionary};
use ringway_knowledge::{FileToRead, Kind, LARGEST_FILE, ReadError, files_in, read};
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
    let refused = |name: &str, content: &[u8]| {
        read(&FileToRead::named(&file(dir.path(), name, content))).unwrap_err().to_string()
    };
    let unknown = "is not UTF-8 from byte 0 on and does not say in which encoding it is; save it as UTF-8";
    assert_eq!(refused("a.txt", b"\xcf\xf0\xe8\xe2\xe5\xf2"), unknown, "Cyrillic");
    assert_eq!(refused("a.txt", b"\xe9\x00\x01"), unknown, "no text at all");
    assert_eq!(refused("a.md", b"# Only a heading\n\n---\n"), "holds no text");
    assert_eq!(refused("a.html", b"<script>x</script>"), "holds no text");
    assert!(refused("a.docx", b"PK").starts_with("is none of Markdown"));
    assert!(refused("a.pdf", b"%PDF-1.5\nnothing").starts_with("is no PDF that can be read: "));
    assert!(matches!(read(&FileToRead::named(&dir.path().join("none.md"))), Err(ReadError::Io(_))));
}

#[test]
fn a_file_that_is_too_large_is_not_even_read() {
    let dir = folder();
    let path = file(dir.path(), "large.txt", "text");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(LARGEST_FILE + 1).unwrap();
    assert!(
        matches!(read(&FileToRead::named(&path)), Err(ReadError::TooLarge { bytes, .. }) if bytes == LARGEST_FILE + 1)
    );
}

#[test]
fn the_name_of_a_document_is_no_absolute_path() {
    let dir = folder();
    let below = dir.path().join("docs/more");
    std::fs::create_dir_all(&below).unwrap();
    let path = file(&below, "Hours.TXT", "Open daily.");
    assert_eq!(read(&FileToRead::named(&path)).unwrap().source, "more/Hours.TXT");
    let here = std::env::current_dir().unwrap();
    for (path, source) in [
        (Path::new("docs/a.md"), "docs/a.md"),
        (Path::new("./docs/../a.md"), "docs/../a.md"),
        (&here.join("docs/a.md"), "docs/a.md"),
        (Path::new("/a.md"), "a.md"),
    ] {
        assert_eq!(FileToRead::named(path).source, source, "{}", path.display());
    }
}

#[test]
fn a_folder_is_walked_without_what_is_hidden() {
    let dir = folder();
    let docs = dir.path().join("docs");
    for below in ["docs/more", "docs/.git", "docs/index"] {
        std::fs::create_dir_all(dir.path().join(below)).unwrap();
    }
    for name in [
        "b.md",
        "a.txt",
        "more/c.html",
        ".hidden.md",
        ".git/d.md",
        "index/about.json",
        "index/e.md",
        "f.docx",
    ] {
        file(&docs, name, "Text.");
    }
    let walked = files_in(&docs);
    let names: Vec<_> = walked.files.iter().map(|file| file.source.as_str()).collect();
    assert_eq!(names, ["docs/a.txt", "docs/b.md", "docs/more/c.html"]);
    assert_eq!((walked.others, walked.refused.len()), (1, 0));
}

#[test]
fn text_is_read_in_the_encoding_that_it_is_in() {
    let text = "Caf\u{e9} ge\u{f6}ffnet f\u{fc}r 5 \u{20ac}.";
    let utf16 = |swap: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let cp1252 = b"Caf\xe9 ge\xf6ffnet f\xfcr 5 \x80.";
    for bytes in
        [utf16(false, true), utf16(true, true), utf16(false, false), utf16(true, false), cp1252.to_vec()]
    {
        assert_eq!(sections(Kind::Text, &bytes), [("".into(), text.into())], "{bytes:x?}");
    }
    for head in
        ["<meta charset=windows-1252>", "<meta http-equiv=x content='text/html; charset=\"ISO-8859-1\"'>"]
    {
        let page = [head.as_bytes(), cp1252].concat();
        assert_eq!(sections(Kind::Html, page), [("".into(), text.into())], "{head}");
    }
    let cyrillic = [b"<meta charset=windows-1251>".as_slice(), b"\xcf\xf0\xe8\xe2\xe5\xf2"].concat();
    assert_eq!(
        sections(Kind::Html, cyrillic),
        [("".into(), "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}".into())]
    );
    // A page that is UTF-8, whatever it says.
    assert_eq!(sections(Kind::Html, format!("<meta charset=latin1>{text}")), [("".into(), text.into())]);
}

#[test]
fn what_had_to_be_guessed_is_noted() {
    let dir = folder();
    let read =
        |name: &str, content: &[u8]| read(&FileToRead::named(&file(dir.path(), name, content))).unwrap();
    assert_eq!(read("a.txt", b"caf\xe9").notes, ["was taken for Windows-1252: it is not UTF-8"]);
    assert_eq!(read("b.txt", "caf\u{e9}".as_bytes()).notes, [""; 0]);
    assert_eq!(read("c.txt", b"F\xfcr Gr\xf6\xdfe").sections[0].text, "F\u{fc}r Gr\u{f6}\u{df}e");
}

#[test]
fn what_cannot_be_seen_is_left_out() {
    let text = "Kon\u{ad}to\u{200b}stand\u{feff} \u{fb01}n, Mu\u{308}ll, m\u{b2}";
    assert_eq!(sections(Kind::Text, text), [("".into(), "Kontostand fin, M\u{fc}ll, m\u{b2}".into())]);
    let page = "<p>Kon&shy;to&shy;stand";
    assert_eq!(sections(Kind::Html, page), [("".into(), "Kontostand".into())]);
}

#[test]
fn html_in_markdown_is_read_as_in_a_page() {
    for (text, read) in [
        (
            "| Monday | 9\u{2013}12<br>14\u{2013}18 | <br> |\n|---|---|---|\n| Price | <b>12</b><sup>50</sup> |",
            "Monday 9\u{2013}12, 14\u{2013}18\nPrice 12 50",
        ),
        ("Opens at nine<br/>closes at noon.", "Opens at nine\ncloses at noon."),
        (
            "<table><tr><td>Monday</td><td><p>9-12</p><p>14-18</p></td></tr><tr><td>Tuesday<td>10</table>",
            "Monday 9-12, 14-18\nTuesday 10",
        ),
        ("Text.\n\n<div>\nThree days.\n</div>\n\nMore.", "Text.\nThree days.\nMore."),
        (
            "<details>\n<summary>How long?</summary>\n\nFourteen *days*.\n\n</details>",
            "How long?\nFourteen days.",
        ),
        ("<nav>\n<a>Home</a>\n\nSeen.", "Seen."),
        (
            "20 m<sup>2</sup>, H<sub>2</sub>O, 10<sup>3</sup>, <sup>1</sup>2, within days<sup>1</sup>",
            "20 m2, H2O, 10 3, 1 2, within days 1",
        ),
        ("Call <a href='tel:+1'>our desk</a> &amp; <!-- not --> wait", "Call our desk & wait"),
    ] {
        assert_eq!(sections(Kind::Markdown, text), [("".into(), read.into())], "{text}");
    }
    let page = "<h1>Prices</h1><table><tr><td>Cut<td>12<br>15<tr><th>Price<td>12<sup>50</sup></table>";
    assert_eq!(sections(Kind::Html, page), [("Prices".into(), "Cut 12, 15\nPrice 12 50".into())]);
}

#[test]
fn words_that_a_line_broke_are_joined_and_hyphens_of_words_stay() {
    let text = "Except on holi-\ndays send an E-\nMail, for morning-\nand evening shifts, from 10-\n12, Gesch\u{e4}fts\u{ad}\nzeit.";
    let read =
        "Except on holidays send an E-Mail, for morning- and evening shifts, from 10-12, Gesch\u{e4}ftszeit.";
    assert_eq!(sections(Kind::Text, text), [("".into(), read.into())]);
}

#[test]
fn pages_without_text_are_noted_while_the_others_are_read() {
    let dir = folder();
    let path = file(dir.path(), "a.pdf", saved(&mut pdf(&[&["One."], &[], &[], &["Four."], &[]])));
    let document = read(&FileToRead::named(&path)).unwrap();
    assert_eq!(
        document.notes,
        ["has pages without text: scanned pages are not recognised: pages 2 to 3, page 5"]
    );
    assert_eq!(document.sections.len(), 2);
    let scanned = file(dir.path(), "b.pdf", saved(&mut pdf(&[&[]])));
    assert!(matches!(read(&FileToRead::named(&scanned)), Err(ReadError::Scanned)));
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
