/// A mistake at a key.
pub(crate) type Mistake = (String, String);
