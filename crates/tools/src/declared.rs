use super::{Answer, Arguments, Calling, Reach, Tool, ToolError, whole};
use jsonschema::Validator;
use ringway_stages::llm::ToolSpec;
use ringway_stages::tool_use::{Filler, Slots};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a running tool when the caller speaks over the bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BargeIn {
    /// It is dropped.
    #[default]
    Cancel,
    /// It goes on, and the model is told of its result with the next reply.
    Finish,
}

/// How a tool behaves in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The longest time that it may take.
    pub timeout: Duration,
    /// What is said when it is slow.
    pub filler: Option<Filler>,
    /// When the caller speaks.
    pub on_barge_in: BargeIn,
}

impl Default for Manner {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), filler: None, on_barge_in: BargeIn::Cancel }
    }
}

/// A tool with its declaration.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) spec: ToolSpec,
    pub(super) manner: Manner,
    arguments: Arc<Validator>,
    /// What they are checked against.
    schema: Arc<Value>,
    tool: Arc<dyn Tool>,
}

impl Declared {
    /// Checks the schema.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(spec: ToolSpec, manner: Manner, tool: Arc<dyn Tool>) -> Result<Self, String> {
        let named = spec.name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-'));
        if !named || spec.name.is_empty() || spec.name.len() > LONGEST_NAME {
            return Err(format!("its name must be 1 to {LONGEST_NAME} letters, digits, _ and -"));
        }
        if spec.parameters.get("type") != Some(&Value::from("object")) {
            return Err("its parameters must be of the type \"object\"".into());
        }
        let arguments = jsonschema::validator_for(&spec.parameters).map_err(|error| error.to_string())?;
        let schema = Arc::new(spec.parameters.clone());
        Ok(Self { spec, manner, arguments: Arc::new(arguments), schema, tool })
    }

    /// The same, with arguments checked against another schema than the model is told.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn taking(self, schema: &Value) -> Result<Self, String> {
        let arguments = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        Ok(Self { arguments: Arc::new(arguments), schema: Arc::new(schema.clone()), ..self })
    }

    /// The call, with arguments that were checked.
    pub(super) fn call(&self, arguments: Arguments, slots: Slots) -> Calling {
        let (calling, limit) = (self.tool.call(arguments, slots), self.manner.timeout);
        let acts = self.reach() == Reach::Acts;
        Box::pin(async move {
            let answer = within(limit, calling).await;
            if acts { answer.map_err(ToolError::of_what_acts) } else { answer }
        })
    }

    pub(super) fn reach(&self) -> Reach {
        self.tool.reach()
    }

    /// Checks arguments, before anything is done.
    pub(super) fn check(&self, arguments: &str) -> Result<Arguments, ToolError> {
        let text = if arguments.trim().is_empty() { "{}" } else { arguments };
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| ToolError::Arguments(format!("no JSON: {error}")))?;
        let errors: Vec<String> = self.arguments.iter_errors(&value).take(MOST_ERRORS).map(told).collect();
        whole::numbers(&mut value, &self.schema);
        match value {
            Value::Object(arguments) if errors.is_empty() => Ok(arguments),
            _ => Err(ToolError::Arguments(errors.join("; "))),
        }
    }
}

async fn within(limit: Duration, calling: Calling) -> Result<Answer, ToolError> {
    tokio::time::timeout(limit, calling).await.map_err(|_| ToolError::Late(limit))?
}

fn told(error: jsonschema::ValidationError<'_>) -> String {
    match error.instance_path().as_str() {
        "" => error.to_string(),
        path => format!("{path}: {error}"),
    }
}

/// What all services allow.
const LONGEST_NAME: usize = 64;

/// Mistakes that are told at a time.
const MOST_ERRORS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug)]
    struct Never;

    impl Tool for Never {
        fn call(&self, _: Arguments, _: Slots) -> Calling {
            Box::pin(std::future::pending())
        }
    }

    fn declared(parameters: Value) -> Result<Declared, String> {
        let spec = ToolSpec { name: "add".into(), description: String::new(), parameters };
        Declared::new(spec, Manner::default(), Arc::new(Never))
    }

    #[test]
    fn arguments_are_what_the_schema_says_or_refused_with_the_place() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}});
        let tool = declared(schema).unwrap();
        assert_eq!(tool.check(r#"{"a": 1}"#).unwrap()["a"], 1);
        for (arguments, expected) in [
            ("", "\"a\" is a required property"),
            (r#"{"a": "x"}"#, "/a: \"x\" is not of type \"integer\""),
            ("[1]", "[1] is not of type \"object\""),
            (r#"{"a": 1"#, "no JSON: EOF"),
        ] {
            let error = tool.check(arguments).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the arguments are wrong: {expected}")), "{error}");
        }
    }

    #[test]
    fn a_whole_number_with_a_point_is_an_integer_where_one_is_due() {
        let tool = declared(json!({"type": "object", "$defs": {"n": {"type": "integer"}}, "properties": {
            "a": {"type": "integer"}, "b": {"type": "number"}, "c": {"type": "array", "items": {"$ref": "#/$defs/n"}},
            "d": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}}));
        let arguments = tool.unwrap().check(r#"{"a": 12.0, "b": 12.0, "c": [1.0, -3.0], "d": 2e3}"#).unwrap();
        let text = Value::Object(arguments).to_string();
        assert_eq!(text, r#"{"a":12,"b":12.0,"c":[1,-3],"d":2000}"#);
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        assert!(declared(json!({"type": "object", "properties": {"a": {"type": "intger"}}})).is_err());
        assert!(declared(json!({"type": "string"})).unwrap_err().contains("object"));
        assert!(declared(json!({"type": "object", "$ref": "https://elsewhere.example/schema"})).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_takes_too_long_is_given_up() {
        let tool = declared(json!({"type": "object"})).unwrap();
        let error = tool.call(Arguments::new(), Slots::new()).await.unwrap_err();
        assert_eq!(error.outcome(), ringway_stages::tool_use::Outcome::Late);
        let told = error.to_string();
        assert!(
            told.starts_with("it was sent; its outcome is unknown (it did not answer within 10s)"),
            "{told}"
        );
    }
}
