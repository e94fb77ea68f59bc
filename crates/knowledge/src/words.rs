use crate::Language;
use crate::folding::Unaccented;
use crate::tokens::Words;
use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::{RemoveLongFilter, Stemmer, StopWordFilter, TextAnalyzer, TokenStream};

/// Its name among tantivy's tokenizers.
pub(crate) const NAME: &str = "ringway_words";

/// What becomes a word of the index.
pub(crate) fn of_texts(language: Language) -> TextAnalyzer {
    analyzer(language, Words { singles: true })
}

/// What is looked for.
pub(crate) fn of_questions(language: Language) -> TextAnalyzer {
    analyzer(language, Words { singles: false })
}

/// Small letters, reduced to their stem, without accents, and without words that are in every text.
fn analyzer(language: Language, words: Words) -> TextAnalyzer {
    let builder = TextAnalyzer::builder(words).filter(RemoveLongFilter::limit(LONGEST));
    let mut builder = builder.dynamic();
    if let Some(filter) = StopWordFilter::new(language.stems()) {
        builder = builder.filter_dynamic(filter);
    }
    if language == Language::English {
        let words = OF_QUESTIONS.iter().map(|word| (*word).to_owned());
        builder = builder.filter_dynamic(StopWordFilter::remove(words));
    }
    builder.filter_dynamic(Stemmer::new(language.stems())).filter_dynamic(Unaccented).build()
}

/// Passages that have some of these words, ranked by BM25; a word in a heading counts for more. `None`: no word is left
/// to look for.
pub(crate) fn query(
    analyzer: &mut TextAnalyzer,
    text: &str,
    body: Field,
    heading: Field,
) -> Option<BooleanQuery> {
    let mut words = Vec::new();
    let mut stream = analyzer.token_stream(text);
    while words.len() < MOST
        && let Some(token) = stream.next()
    {
        if !words.contains(&token.text) {
            words.push(token.text.clone());
        }
    }
    let of = |field, word: &str| -> Box<dyn Query> {
        let term = Term::from_field_text(field, word);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
    };
    let clauses = words.iter().flat_map(|word| {
        let in_heading = Box::new(BoostQuery::new(of(heading, word), IN_HEADING));
        [(Occur::Should, of(body, word)), (Occur::Should, in_heading as Box<dyn Query>)]
    });
    (!words.is_empty()).then(|| BooleanQuery::new(clauses.collect()))
}

/// Bytes of a word; what is longer is none.
const LONGEST: usize = 64;

/// Words of a question that are looked for.
const MOST: usize = 48;

/// What a word in a heading counts beside one in the text.
const IN_HEADING: f32 = 1.5;

/// Words that make a question of a sentence, and say nothing of what it is about; tantivy's list is one for documents.
const OF_QUESTIONS: [&str; 58] = [
    "about", "am", "any", "been", "can", "could", "did", "do", "does", "from", "get", "give", "got", "had",
    "has", "have", "he", "hello", "her", "here", "hi", "him", "his", "how", "i", "just", "know", "like",
    "may", "me", "my", "oh", "ok", "okay", "our", "please", "she", "should", "so", "some", "tell", "thank",
    "thanks", "them", "us", "want", "we", "were", "what", "when", "where", "which", "who", "why", "would",
    "yes", "you", "your",
];
