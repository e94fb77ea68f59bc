use super::html::{Html, Reading};
use super::section::Section;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The sections of [CommonMark](https://spec.commonmark.org/0.31.2/) with tables; metadata in front is left out, and HTML
/// is read as in a page.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let html = Html::default();
    let mut in_metadata = false;
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => in_metadata = true,
            Event::End(TagEnd::MetadataBlock(_)) => in_metadata = false,
            _ if in_metadata => {}
            Event::Html(piece) | Event::InlineHtml(piece) => html.feed(&piece),
            event => read(&mut html.reading(), event),
        }
    }
    html.finish()
}

fn read(reading: &mut Reading, event: Event<'_>) {
    match event {
        Event::Start(Tag::Heading { level, .. }) => reading.outline.begin_heading(level as u8),
        Event::Start(Tag::TableCell) => reading.begin_cell(),
        Event::Start(tag) if !is_inline(&tag) => reading.outline.end_line(),
        Event::End(end) => ended(reading, end),
        Event::Text(text) | Event::Code(text) => reading.say(&text),
        Event::SoftBreak => reading.say(" "),
        Event::HardBreak | Event::Rule => reading.break_line(),
        _ => {}
    }
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_STRIKETHROUGH
}

const fn is_inline(tag: &Tag<'_>) -> bool {
    let inline = matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough);
    inline || matches!(tag, Tag::Link { .. } | Tag::Image { .. })
}

fn ended(reading: &mut Reading, end: TagEnd) {
    match end {
        TagEnd::Heading(_) => {
            reading.close();
            reading.outline.end_heading();
        }
        TagEnd::TableCell => reading.end_cell(),
        // What is left open in a piece of HTML hides nothing of the Markdown behind it.
        TagEnd::HtmlBlock | TagEnd::Paragraph => {
            reading.close();
            reading.outline.end_line();
        }
        TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::CodeBlock => reading.outline.end_line(),
        _ => {}
    }
}
