/// What was said in a session, in order.
#[derive(Debug, Default)]
pub struct Conversation {
    items: Vec<Item>,
    made: u32,
}

/// One thing that was said.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// `user`, `assistant` or `system`.
    pub role: String,
    /// `in_progress`, `completed` or `incomplete`.
    pub status: &'static str,
    /// What.
    pub said: Said,
}

/// What an item holds.
#[derive(Clone, Debug)]
pub enum Said {
    /// Nothing yet.
    Nothing,
    /// What the caller said; its words when they are known.
    Audio {
        /// The words.
        transcript: Option<String>,
    },
    /// Text.
    Text(String),
    /// The model wants a function called.
    Call {
        /// The name of the call.
        call_id: String,
        /// The function.
        name: String,
        /// Its arguments, as JSON.
        arguments: String,
    },
    /// What came of that.
    Output {
        /// The name of the call.
        call_id: String,
        /// Its result.
        output: String,
    },
    /// What the model said.
    Spoken {
        /// Its words; truncated, they are not known any more.
        transcript: Option<String>,
        /// How long it is.
        audio_ms: u64,
    },
}

/// Where an item was wanted that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchItem;

impl Conversation {
    /// Puts an item behind `previous`: the end when that is absent, the beginning when it is `root`. Gives the id of the
    /// one before it.
    pub fn insert(&mut self, item: Item, previous: Option<&str>) -> Result<Option<String>, NoSuchItem> {
        let at = match previous {
            None => self.items.len(),
            Some("root") => 0,
            Some(id) => self.items.iter().position(|item| item.id == id).ok_or(NoSuchItem)? + 1,
        };
        self.items.insert(at, item);
        Ok(at.checked_sub(1).map(|before| self.items[before].id.clone()))
    }

    /// An id that no other item has.
    pub fn new_id(&mut self) -> String {
        self.made += 1;
        format!("item_{}", self.made)
    }

    /// The item of this id.
    pub fn item(&mut self, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id == id)
    }

    /// The model has made this call.
    pub fn knows_call(&self, id: &str) -> bool {
        self.items.iter().any(|item| matches!(&item.said, Said::Call { call_id, .. } if call_id == id))
    }

    /// What the assistant was the last to say, told to the session as text.
    pub fn told_last(&self) -> Option<&str> {
        let last = self.items.last().filter(|item| item.role == "assistant")?;
        if let Said::Text(text) = &last.said { Some(text) } else { None }
    }

    /// Removes the item of this id; whether there was one.
    pub fn delete(&mut self, id: &str) -> bool {
        let before = self.items.len();
        self.items.retain(|item| item.id != id);
        self.items.len() < before
    }
}
