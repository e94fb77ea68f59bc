use lopdf::content::{Content, Operation};
use lopdf::{Document, Encoding, Object, ObjectId};
use std::collections::BTreeMap;

/// The text of a page, in the order in which it is painted; a line for each line.
///
/// A PDF says where each string begins, and neither where lines end nor, often, where blanks are (ISO 32000-2, 9.4). So
/// whatever begins elsewhere on the page's height begins a line, and whatever begins further on in a line is another word;
/// how far a string reached is guessed by the usual width of a character.
pub(super) fn text(document: &Document, page: ObjectId, limit: usize) -> lopdf::Result<String> {
    let fonts = document.get_page_fonts(page)?;
    let encodings = fonts.into_iter().filter_map(|(name, font)| {
        let encoding = font.get_font_encoding_with_limit(document, limit).ok()?;
        Some((name, encoding))
    });
    let content = Content::decode(&document.get_page_content_with_limit(page, limit)?)?;
    let mut reading = Reading::new(encodings.collect());
    for operation in &content.operations {
        reading.take(operation);
    }
    Ok(reading.text)
}

struct Reading<'d> {
    encodings: BTreeMap<Vec<u8>, Encoding<'d>>,
    font: Vec<u8>,
    /// Height of the font, in units of the text.
    size: f32,
    /// Units of the page in one of the text.
    scale: f32,
    leading: f32,
    /// Where the line begins, from which moves count.
    line: f32,
    /// Where the next string begins.
    x: f32,
    y: f32,
    /// How far the last string reached, and on which height; `None` after a change of the page's own units.
    shown: Option<Shown>,
    text: String,
}

#[derive(Clone, Copy)]
struct Shown {
    x: f32,
    y: f32,
    /// Glyphs that are put down one by one leave no room for a guess.
    is_glyph: bool,
}

impl<'d> Reading<'d> {
    fn new(encodings: BTreeMap<Vec<u8>, Encoding<'d>>) -> Self {
        let (font, text) = (Vec::new(), String::new());
        Self {
            encodings,
            font,
            size: 12.0,
            scale: 1.0,
            leading: 0.0,
            line: 0.0,
            x: 0.0,
            y: 0.0,
            shown: None,
            text,
        }
    }

    fn take(&mut self, Operation { operator, operands }: &Operation) {
        let number =
            |at: usize| operands.get(at).and_then(|operand| operand.as_float().ok()).unwrap_or_default();
        match operator.as_str() {
            "BT" => (self.line, self.x, self.y, self.scale) = (0.0, 0.0, 0.0, 1.0),
            "cm" => self.shown = None,
            "Tf" => {
                self.font =
                    operands.first().and_then(|name| name.as_name().ok()).unwrap_or_default().to_vec();
                self.size = number(1);
            }
            "TL" => self.leading = number(0),
            "Td" => self.step(number(0), number(1)),
            "TD" => {
                self.leading = -number(1);
                self.step(number(0), number(1));
            }
            "Tm" => {
                (self.scale, self.line, self.y) = (number(3).abs(), number(4), number(5));
                self.x = self.line;
            }
            "T*" => self.next_line(),
            "'" => {
                self.next_line();
                self.show(operands.first());
            }
            "\"" => {
                self.next_line();
                self.show(operands.get(2));
            }
            "Tj" | "TJ" => self.show(operands.first()),
            _ => {}
        }
    }

    fn step(&mut self, x: f32, y: f32) {
        self.line += x * self.scale;
        self.x = self.line;
        self.y += y * self.scale;
    }

    fn next_line(&mut self) {
        // Some leave the leading at nothing and mean a line all the same.
        let leading = if self.leading == 0.0 { self.size } else { self.leading };
        self.step(0.0, -leading);
    }

    fn show(&mut self, operand: Option<&Object>) {
        let said = self.decoded(operand);
        if said.is_empty() {
            return;
        }
        self.part();
        let glyphs = said.chars().count();
        self.x += glyphs as f32 * USUAL_WIDTH * self.size.abs() * self.scale;
        self.shown = Some(Shown { x: self.x, y: self.y, is_glyph: glyphs <= 2 });
        self.text.push_str(&said);
    }

    /// A string, or strings with numbers between them that move the next one: to the right when they are negative, in
    /// thousandths of the font's height.
    fn decoded(&self, operand: Option<&Object>) -> String {
        let mut said = String::new();
        let Some(encoding) = self.encodings.get(&self.font) else { return said };
        let decode = |bytes: &[u8]| Document::decode_text(encoding, bytes).unwrap_or_default();
        match operand {
            Some(Object::String(bytes, _)) => said = decode(bytes),
            Some(Object::Array(parts)) => {
                for part in parts {
                    match part {
                        Object::String(bytes, _) => said.push_str(&decode(bytes)),
                        moved if moved.as_float().is_ok_and(|moved| moved < WORD_GAP) => said.push(' '),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        said
    }

    /// What stands between the last string and one that begins here.
    fn part(&mut self) {
        let height = self.size.abs() * self.scale;
        match self.shown {
            _ if self.text.is_empty() => {}
            Some(Shown { y, .. }) if (y - self.y).abs() > height * 0.3 => self.text.push('\n'),
            Some(Shown { x, is_glyph: true, .. }) if self.x - x < height * 0.3 => {}
            Some(Shown { x, .. }) if self.x == x => {}
            Some(_) => self.text.push(' '),
            None => self.text.push('\n'),
        }
    }
}

/// Of a character, as a part of the font's height.
const USUAL_WIDTH: f32 = 0.5;

/// A move that is no mere kerning.
const WORD_GAP: f32 = -180.0;
