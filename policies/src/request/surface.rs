//! Which API a body speaks that was sent to none of them: to `/v1/route`, or recorded without its path.
//!
//! Invariant: what is said beats what is seen, and what is seen is enough: a body that could be two things is told
//! apart by the model that it asks for.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::facts::Surface;
use crate::plan::Plan;
use crate::plan::view::AcceptTarget;

/// The query's parameter that says it.
const PARAMETER: &str = "path=";

/// As much of a body as tells one API from another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Probe<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    messages: Option<IgnoredAny>,
    prompt: Option<IgnoredAny>,
    input: Option<IgnoredAny>,
    system: Option<IgnoredAny>,
}

impl Surface {
    /// The API that a query names: `path=/v1/messages`, its slashes escaped or not; `None` where it names none.
    ///
    /// # Errors
    ///
    /// The path that no API has.
    pub fn of_query(query: &str) -> Result<Option<Self>, String> {
        let mut parameters = query.split('&');
        let Some(path) = parameters.find_map(|one| one.strip_prefix(PARAMETER)) else {
            return Ok(None);
        };
        let path = path.replace("%2F", "/").replace("%2f", "/");
        match Self::of_path(&path) {
            Some(surface) => Ok(Some(surface)),
            None => Err(path),
        }
    }

    /// The API that a body looks like. `from_anthropic` is whether a client of Anthropic's sent it.
    ///
    /// A chat is what a body is taken for that is nothing else, so that what is wrong with it is said of one.
    #[must_use]
    pub fn of_body(plan: &Plan, body: &[u8], from_anthropic: bool) -> Self {
        let probe: Probe<'_> = serde_json::from_slice(body).unwrap_or_default();
        if probe.messages.is_some() {
            // A chat has its system prompt among its messages.
            return match from_anthropic || probe.system.is_some() {
                true => Self::Messages,
                false => Self::Chat,
            };
        }
        if probe.prompt.is_some() {
            return Self::Completions;
        }
        match probe.input {
            Some(_) if only_embeds(plan, &probe.model.unwrap_or_default()) => Self::Embeddings,
            Some(_) => Self::Responses,
            None => Self::Chat,
        }
    }
}

/// Whether a client that asks for this model can only want embeddings.
fn only_embeds(plan: &Plan, name: &str) -> bool {
    let Some((AcceptTarget::Model(model), _)) = plan.accepted(name) else {
        return false;
    };
    plan.model(model)
        .is_some_and(|model| model.embeddings() && !model.chat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::example;
    use crate::plan::draft::{Accept, AcceptTarget};
    use crate::plan::encode;

    /// A plan whose model `e5` embeds, and does nothing else.
    fn plan() -> Plan {
        let mut draft = example::draft();
        if let Some(model) = draft.models.first_mut() {
            (model.chat, model.embeddings) = (false, true);
        }
        draft.accepts.push(Accept {
            name: "e5".to_owned(),
            prefix: false,
            target: AcceptTarget::Model(0),
        });
        Plan::load(encode(&draft)).unwrap()
    }

    #[track_caller]
    fn check(body: &str, from_anthropic: bool, expected: Surface) {
        let found = Surface::of_body(&plan(), body.as_bytes(), from_anthropic);
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn a_body_is_what_its_fields_say() {
        let messages = r#"{"model":"auto","max_tokens":9,"messages":[]}"#;
        check(messages, false, Surface::Chat);
        check(messages, true, Surface::Messages);
        check(
            r#"{"system":"be brief","messages":[]}"#,
            false,
            Surface::Messages,
        );
        check(
            r#"{"model":"auto","prompt":"once"}"#,
            false,
            Surface::Completions,
        );
        check(
            r#"{"model":"auto","input":"hi"}"#,
            false,
            Surface::Responses,
        );
        check(r#"{"model":"e5","input":"hi"}"#, false, Surface::Embeddings);
        check(r#"{"input":["hi"]}"#, false, Surface::Responses);
    }

    #[test]
    fn what_is_nothing_else_is_a_chat() {
        for body in ["", "[]", "{", "{}", r#"{"model":7,"input":"hi"}"#] {
            check(body, false, Surface::Chat);
        }
    }

    #[test]
    fn a_query_names_a_path_escaped_or_not() {
        let messages = Ok(Some(Surface::Messages));
        assert_eq!(Surface::of_query("path=/v1/messages"), messages);
        assert_eq!(Surface::of_query("a=b&path=%2Fv1%2fmessages"), messages);
        assert_eq!(Surface::of_query("xpath=/v1/messages"), Ok(None));
        assert_eq!(Surface::of_query(""), Ok(None));
        assert_eq!(
            Surface::of_query("path=/v1/chat"),
            Err("/v1/chat".to_owned())
        );
    }
}
