use std::collections::BTreeMap;

/// What a call made of itself, by name: set by the model, and used in addresses.
pub type Slots = BTreeMap<String, String>;
