//! Answers to a carrier's webhooks, as [TwiML](https://www.twilio.com/docs/voice/twiml).

use std::fmt::Write;

/// Connects the call both ways to the media socket at `url`; `parameters` arrive in its start message. When the socket
/// has closed, the carrier asks at `action` what is next.
///
/// ```
/// let twiml = ringway_wire::twilio::twiml::connect_stream(
///     "wss://example.com/media/twilio",
///     "https://example.com/media/twilio/after",
///     [("dialogue", "echo")],
/// );
/// assert!(twiml.contains(r#"<Stream url="wss://example.com/media/twilio"><Parameter name="dialogue" value="echo"/>"#));
/// ```
pub fn connect_stream<'a>(
    url: &str,
    action: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut twiml = format!(r#"{RESPONSE}<Connect action=""#);
    push_escaped(&mut twiml, action);
    twiml.push_str(r#""><Stream url=""#);
    push_escaped(&mut twiml, url);
    twiml.push_str(r#"">"#);
    for (name, value) in parameters {
        twiml.push_str(r#"<Parameter name=""#);
        push_escaped(&mut twiml, name);
        twiml.push_str(r#"" value=""#);
        push_escaped(&mut twiml, value);
        twiml.push_str(r#""/>"#);
    }
    twiml.push_str("</Stream></Connect></Response>");
    twiml
}

/// What a call is handed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A telephone number.
    Number,
    /// A SIP address.
    Sip,
}

/// Hands the call to `to`.
pub fn dial(noun: Noun, to: &str) -> String {
    let noun = match noun {
        Noun::Number => "Number",
        Noun::Sip => "Sip",
    };
    let mut twiml = format!("{RESPONSE}<Dial><{noun}>");
    push_escaped(&mut twiml, to);
    write!(twiml, "</{noun}></Dial></Response>").expect("a String takes all that is written to it");
    twiml
}

/// Ends the call.
pub fn hang_up() -> String {
    format!("{RESPONSE}<Hangup/></Response>")
}

/// Gives the caller the busy tone, without answering the call; for calls that come in only.
pub fn reject() -> String {
    format!(r#"{RESPONSE}<Reject reason="busy"/></Response>"#)
}

/// Has the carrier say `text` in `language`, such as `en-US`, and ends the call.
pub fn say(text: &str, language: &str) -> String {
    let mut twiml = format!(r#"{RESPONSE}<Say language=""#);
    push_escaped(&mut twiml, language);
    twiml.push_str(r#"">"#);
    push_escaped(&mut twiml, text);
    twiml.push_str("</Say><Hangup/></Response>");
    twiml
}

/// What every answer begins with.
const RESPONSE: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;

/// Appends `text` as the value of an attribute.
fn push_escaped(xml: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // A reference, since a parser makes these a space in an attribute (XML 1.0 section 3.3.3).
            '\t' | '\n' | '\r' => {
                write!(xml, "&#{};", u32::from(char)).expect("a String takes all that is written to it");
            }
            // XML 1.0 has no way to write these (section 2.2).
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => xml.push(char::REPLACEMENT_CHARACTER),
            _ => xml.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connects_a_call_to_a_socket() {
        insta::assert_snapshot!(
            connect_stream("wss://example.com/media/twilio", "https://example.com/after", [("dialogue", "booking")]),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="https://example.com/after"><Stream url="wss://example.com/media/twilio"><Parameter name="dialogue" value="booking"/></Stream></Connect></Response>"#
        );
    }

    #[test]
    fn a_call_is_handed_to_a_number_or_a_sip_address() {
        insta::assert_snapshot!(
            dial(Noun::Number, "+4930123"),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial><Number>+4930123</Number></Dial></Response>"#
        );
        assert!(dial(Noun::Sip, "sip:desk@example.com").contains("<Sip>sip:desk@example.com</Sip>"));
        assert!(dial(Noun::Number, "<&").contains("<Number>&lt;&amp;</Number>"));
    }

    #[test]
    fn a_caller_who_cannot_be_taken_hears_the_busy_tone_or_a_sentence() {
        insta::assert_snapshot!(
            reject(),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Reject reason="busy"/></Response>"#
        );
        insta::assert_snapshot!(
            say("Later, <please>.", "en-GB"),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-GB">Later, &lt;please&gt;.</Say><Hangup/></Response>"#
        );
    }

    #[test]
    fn values_cannot_break_out_of_their_attribute() {
        let twiml = connect_stream("wss://h/?a=1&b=2", "", [("n\"/><x", "a\nb\0<&>'")]);
        assert!(twiml.contains(r#"url="wss://h/?a=1&amp;b=2""#), "{twiml}");
        assert!(
            twiml.contains("name=\"n&quot;/&gt;&lt;x\" value=\"a&#10;b\u{fffd}&lt;&amp;&gt;'\""),
            "{twiml}"
        );
    }
}
