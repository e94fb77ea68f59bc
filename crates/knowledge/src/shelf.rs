use crate::fields::Fields;
use crate::fusion::fuse;
use crate::meaning::Matrix;
use crate::{Passage, words};
use serde::Serialize;
use tantivy::collector::TopDocs;
use tantivy::schema::Value;
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{DocAddress, Searcher, TantivyDocument};

/// An index as it was at one moment: the words on disk, the embeddings in memory.
pub struct Shelf {
    searcher: Searcher,
    fields: Fields,
    analyzer: TextAnalyzer,
    matrix: Matrix,
    /// Whose rows they are.
    rows: Vec<DocAddress>,
    passages: usize,
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The passage.
    #[serde(flatten)]
    pub passage: Passage,
    /// What it ranks by: at most 2/61.
    pub score: f32,
    /// Its place among those with the question's words, from 1.
    #[serde(rename = "byWords")]
    pub by_words: Option<usize>,
    /// Its place among those of the question's meaning, from 1.
    #[serde(rename = "byMeaning")]
    pub by_meaning: Option<usize>,
}

impl Found {
    /// Of copies the one with the shorter name is cited: the others are mostly named after it.
    fn prefer(&mut self, copy: Passage) {
        if copy.source.len() < self.passage.source.len() {
            self.passage = copy;
        }
    }
}

impl Shelf {
    /// Reads the embeddings.
    pub(crate) fn load(searcher: Searcher, fields: Fields, analyzer: TextAnalyzer) -> tantivy::Result<Self> {
        let mut shelf =
            Self { searcher, fields, analyzer, matrix: Matrix::default(), rows: Vec::new(), passages: 0 };
        for (address, document) in shelf.documents()? {
            shelf.passages += 1;
            if let Some(bytes) = document.get_first(fields.vector).and_then(|value| value.as_bytes()) {
                shelf.put(address, bytes);
            }
        }
        Ok(shelf)
    }

    /// How many passages there are.
    pub const fn len(&self) -> usize {
        self.passages
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.passages == 0
    }

    /// How many of the passages have embeddings.
    pub const fn embedded(&self) -> usize {
        self.matrix.rows()
    }

    /// The passages nearest to a question, at most `most`, the nearest first: by its words, and, where its embedding is
    /// given, by its meaning. Passages that share no word with it have to be alike to it by the cosine `likeness`. A text that
    /// stands in several documents is given once.
    ///
    /// # Errors
    /// What the index says that it cannot do; it is damaged.
    pub fn search(
        &self,
        question: &str,
        meaning: Option<&[f32]>,
        most: usize,
        likeness: f32,
    ) -> Result<Vec<Found>, tantivy::TantivyError> {
        let depth = (most * 4).max(LEAST_DEPTH);
        let by_words = self.by_words(question, depth)?;
        let near = meaning.map(|meaning| self.matrix.nearest(meaning, depth, likeness)).unwrap_or_default();
        let by_meaning: Vec<_> = near.into_iter().map(|(row, _)| self.rows[row]).collect();
        let rank =
            |ranking: &[DocAddress], of| ranking.iter().position(|other| *other == of).map(|at| at + 1);
        let rankings = [by_words, by_meaning];
        let mut found: Vec<Found> = Vec::new();
        for (address, score) in fuse(&rankings).into_iter().take(most + COPIES) {
            let passage = self.passage(&self.searcher.doc(address)?);
            let full = found.len() == most;
            match found.iter_mut().find(|found| found.passage.text == passage.text) {
                Some(first) => first.prefer(passage),
                None if full => {}
                None => {
                    let [by_words, by_meaning] = [0, 1].map(|way: usize| rank(&rankings[way], address));
                    found.push(Found { passage, score, by_words, by_meaning });
                }
            }
        }
        Ok(found)
    }

    /// All passages.
    pub(crate) fn passages(&self) -> tantivy::Result<Vec<Passage>> {
        Ok(self.documents()?.iter().map(|(_, document)| self.passage(document)).collect())
    }

    fn by_words(&self, question: &str, depth: usize) -> tantivy::Result<Vec<DocAddress>> {
        let Fields { text, heading, .. } = self.fields;
        let Some(query) = words::query(&mut self.analyzer.clone(), question, text, heading) else {
            return Ok(Vec::new());
        };
        let ranked = self.searcher.search(&query, &TopDocs::with_limit(depth).order_by_score())?;
        Ok(ranked.into_iter().map(|(_, address)| address).collect())
    }

    fn documents(&self) -> tantivy::Result<Vec<(DocAddress, TantivyDocument)>> {
        let mut documents = Vec::new();
        for (segment, reader) in (0..).zip(self.searcher.segment_readers()) {
            let store = reader.get_store_reader(0)?;
            let stored = store.iter::<TantivyDocument>(reader.alive_bitset());
            for (id, document) in reader.doc_ids_alive().zip(stored) {
                documents.push((DocAddress::new(segment, id), document?));
            }
        }
        Ok(documents)
    }

    fn put(&mut self, address: DocAddress, bytes: &[u8]) {
        let (numbers, _) = bytes.as_chunks::<4>();
        if self.matrix.rows() == 0 {
            self.matrix = Matrix::new(numbers.len());
        }
        if self.matrix.push(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes))) {
            self.rows.push(address);
        }
    }

    fn passage(&self, document: &TantivyDocument) -> Passage {
        let text =
            |field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let Fields { source, heading, text: body, .. } = self.fields;
        Passage { source: text(source), heading: text(heading), text: text(body) }
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let embedded = self.embedded();
        f.debug_struct("Shelf").field("passages", &self.passages).field("embedded", &embedded).finish()
    }
}

/// Places of each ranking that are put together.
const LEAST_DEPTH: usize = 20;

/// Passages behind the last one that may be copies of those before.
const COPIES: usize = 8;
