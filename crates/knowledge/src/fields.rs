use crate::{Passage, words};
use tantivy::TantivyDocument;
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};

/// What the index stores of each passage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub(crate) source: Field,
    pub(crate) heading: Field,
    pub(crate) text: Field,
    pub(crate) vector: Field,
}

impl Fields {
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        let field = |name| schema.get_field(name).ok();
        let (source, heading) = (field("source")?, field("heading")?);
        Some(Self { source, heading, text: field("text")?, vector: field("vector")? })
    }

    pub(crate) fn document(self, passage: &Passage, vector: Option<&[f32]>) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_text(self.source, &passage.source);
        document.add_text(self.heading, &passage.heading);
        document.add_text(self.text, &passage.text);
        if let Some(vector) = vector {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            document.add_bytes(self.vector, &bytes);
        }
        document
    }
}

pub(crate) fn schema() -> Schema {
    let words = TextFieldIndexing::default().set_tokenizer(words::NAME);
    let words = words.set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(words).set_stored();
    let mut schema = Schema::builder();
    schema.add_text_field("source", STRING | STORED);
    schema.add_text_field("heading", text.clone());
    schema.add_text_field("text", text);
    schema.add_bytes_field("vector", STORED);
    schema.build()
}
