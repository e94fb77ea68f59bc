//! Who is on the line, as the carrier's signed fields tell.

use super::webhook::Fields;
use std::collections::BTreeMap;

/// What is known of a call's two sides. Names are those of prompts and of the stream's parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parties {
    /// The number of the person on the line, whichever side placed the call.
    pub(super) caller: Option<String>,
    /// Our own number.
    pub(super) called: Option<String>,
    /// `inbound`, or `outbound-api` and the like.
    pub(super) direction: Option<String>,
    /// Who or what answered an outbound call, such as `human` or `machine_start`, where the carrier was to find out.
    pub(super) answered_by: Option<String>,
}

impl Parties {
    /// Of a webhook. A carrier tells who dialled and who was dialled: of an outbound call we are the former.
    pub(super) fn of(fields: &Fields) -> Self {
        let field = |name| fields.get(name).map(str::to_owned);
        let direction = field("Direction");
        let (mut caller, mut called) = (field("From"), field("To"));
        if direction.as_deref().is_some_and(is_outbound) {
            std::mem::swap(&mut caller, &mut called);
        }
        Self { caller, called, direction, answered_by: field("AnsweredBy") }
    }

    /// Of a stream's parameters.
    pub(super) fn passed(parameters: &BTreeMap<String, String>) -> Self {
        let [caller, called, direction, answered_by] = NAMES.map(|name| parameters.get(name).cloned());
        Self { caller, called, direction, answered_by }
    }

    /// We placed the call, so it is answered already.
    pub(super) fn are_ours(&self) -> bool {
        self.direction.as_deref().is_some_and(is_outbound)
    }

    /// As parameters, in the place of those that others made up.
    pub(super) fn put(self, parameters: &mut BTreeMap<String, String>) {
        let Self { caller, called, direction, answered_by } = self;
        for (name, value) in NAMES.into_iter().zip([caller, called, direction, answered_by]) {
            parameters.remove(name);
            parameters.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
}

/// The parameters that hold them.
const NAMES: [&str; 4] = ["caller", "called", "direction", "answered_by"];

fn is_outbound(direction: &str) -> bool {
    direction.starts_with("outbound")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties(fields: &[(&str, &str)]) -> Parties {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Parties::of(&Fields::new(fields.collect()))
    }

    #[test]
    fn the_caller_is_the_person_on_the_line_whoever_dialled() {
        let came = parties(&[("From", "+431"), ("To", "+432"), ("Direction", "inbound")]);
        assert_eq!((came.caller.as_deref(), came.called.as_deref()), (Some("+431"), Some("+432")));
        assert!(!came.are_ours());
        let ours = [("From", "+432"), ("To", "+431"), ("Direction", "outbound-api"), ("AnsweredBy", "human")];
        let went = parties(&ours);
        assert_eq!((went.caller.as_deref(), went.called.as_deref()), (Some("+431"), Some("+432")));
        assert_eq!((went.are_ours(), went.answered_by.as_deref()), (true, Some("human")));
    }

    #[test]
    fn what_is_signed_replaces_what_others_say_of_themselves() {
        let made_up = ["caller", "called", "answered_by", "campaign"];
        let mut parameters = made_up.map(|name| (name.to_owned(), "me".to_owned())).into();
        parties(&[("From", "+431"), ("To", "")]).put(&mut parameters);
        let expected = [("caller", "+431"), ("campaign", "me")];
        assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(Parties::passed(&parameters).caller.as_deref(), Some("+431"));
    }
}
