//! The answer to a carrier's webhook that connects a call to a media socket, as
//! [TwiML](https://www.twilio.com/docs/voice/twiml/stream).

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
    let mut twiml = String::from(r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect action=""#);
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

/// Hands the call to `number`, a telephone number or a SIP address.
pub fn dial(number: &str) -> String {
    let noun = if number.starts_with("sip:") { "Sip" } else { "Number" };
    let mut twiml = format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial><{noun}>"#);
    push_escaped(&mut twiml, number);
    write!(twiml, "</{noun}></Dial></Response>").expect("a String takes all that is written to it");
    twiml
}

/// Ends the call.
pub fn hang_up() -> String {
    String::from(r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#)
}

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
            dial("+4930123"),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial><Number>+4930123</Number></Dial></Response>"#
        );
        assert!(dial("sip:desk@example.com").contains("<Sip>sip:desk@example.com</Sip>"));
        assert!(dial("<&").contains("<Number>&lt;&amp;</Number>"));
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
