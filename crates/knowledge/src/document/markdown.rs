use super::Section;
use super::outline::Outline;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The sections of [CommonMark](https://spec.commonmark.org/0.31.2/) with tables; metadata in front is left out.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut outline = Outline::default();
    let mut in_metadata = false;
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => in_metadata = true,
            Event::End(TagEnd::MetadataBlock(_)) => in_metadata = false,
            _ if in_metadata => {}
            Event::Start(Tag::Heading { level, .. }) => outline.begin_heading(level as u8),
            Event::Start(tag) if !is_inline(&tag) => outline.end_line(),
            Event::End(end) => ended(&mut outline, end),
            Event::Text(text) | Event::Code(text) => outline.say(&text),
            Event::SoftBreak => outline.say(" "),
            Event::HardBreak | Event::Rule => outline.end_line(),
            _ => {}
        }
    }
    outline.finish()
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS | Options::ENABLE_STRIKETHROUGH
}

const fn is_inline(tag: &Tag<'_>) -> bool {
    let inline = matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::TableCell);
    inline || matches!(tag, Tag::Link { .. } | Tag::Image { .. })
}

fn ended(outline: &mut Outline, end: TagEnd) {
    match end {
        TagEnd::Heading(_) => outline.end_heading(),
        TagEnd::TableCell => outline.say("  "),
        TagEnd::Paragraph
        | TagEnd::Item
        | TagEnd::TableRow
        | TagEnd::TableHead
        | TagEnd::CodeBlock
        | TagEnd::HtmlBlock => outline.end_line(),
        _ => {}
    }
}
