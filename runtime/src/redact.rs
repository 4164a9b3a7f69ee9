//! Replaces what the plan redacts.

use std::borrow::Cow;

use regex::Regex;
use waypost_policies::plan::Plan;

use crate::json;

/// What is redacted, and with what.
#[derive(Debug, Default)]
pub(crate) struct Redactions {
    request: Vec<(Regex, String)>,
    logs: Vec<(Regex, String)>,
}

/// Why a plan's redactions cannot be carried out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RedactionError {
    /// A pattern is no regular expression.
    #[error("redaction `{0}` is not a regular expression")]
    Pattern(String),
    /// Answers cannot be redacted: a stream passes on as it comes.
    #[error("redaction `{0}` in responses is not supported: redact in request and logs")]
    Response(String),
}

impl Redactions {
    pub(crate) fn read(plan: &Plan) -> Result<Self, RedactionError> {
        let mut redactions = Self::default();
        for redaction in plan.redactions() {
            if redaction.response() {
                return Err(RedactionError::Response(redaction.pattern().to_owned()));
            }
            let pattern = Regex::new(redaction.pattern())
                .map_err(|_| RedactionError::Pattern(redaction.pattern().to_owned()))?;
            let rule = (pattern, redaction.replacement().to_owned());
            if redaction.request() {
                redactions.request.push(rule.clone());
            }
            if redaction.logs() {
                redactions.logs.push(rule);
            }
        }
        Ok(redactions)
    }

    /// A request's body as it may be sent upstream: every string that is a value, but for the model's name.
    pub(crate) fn request<'t>(&self, body: &'t str) -> Cow<'t, str> {
        if self.request.is_empty() {
            return Cow::Borrowed(body);
        }
        json::rewrite_strings(body, "model", |string| replaced(&self.request, string))
    }

    /// A caller's text as it may be logged.
    pub(crate) fn log<'t>(&self, text: &'t str) -> Cow<'t, str> {
        replaced(&self.logs, text).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// The text with all matches replaced; `None` when there are none.
fn replaced(rules: &[(Regex, String)], text: &str) -> Option<String> {
    let mut output: Option<String> = None;
    for (pattern, replacement) in rules {
        let current = output.as_deref().unwrap_or(text);
        if let Cow::Owned(changed) = pattern.replace_all(current, regex::NoExpand(replacement)) {
            output = Some(changed);
        }
    }
    output
}
