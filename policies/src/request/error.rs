//! Why a body is not a request, in the caller's words.

use serde_json::error::Category;

/// Why a body is not a request. Each names one cause and what to send instead; the status is 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no body.
    #[error("the body is empty: send a JSON object with `model` and `{needed}`")]
    Empty {
        /// The field that such a request is about.
        needed: &'static str,
    },
    /// The body is not JSON.
    #[error("the body is not JSON: {cause} (line {line}, column {column})")]
    NotJson {
        /// What is wrong with it.
        cause: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The body is nested deeper than servers behind this one can be expected to read.
    #[error("the body is nested deeper than {deepest} levels: send less nested JSON")]
    TooDeep {
        /// How deep it may be.
        deepest: usize,
    },
    /// The body is JSON, but no object.
    #[error("the body must be a JSON object, not {found}")]
    NotAnObject {
        /// What was sent.
        found: String,
    },
    /// A field has another type than the API says.
    #[error("`{path}` must be {expected}, not {found}")]
    WrongType {
        /// Where: `messages[2].content`.
        path: String,
        /// What the API says.
        expected: String,
        /// What was sent.
        found: String,
    },
    /// A field stands twice in one object: servers differ in which one they take.
    #[error("`{path}` is sent twice: send it once")]
    Duplicate {
        /// Where.
        path: String,
    },
    /// No model is named.
    #[error("`model` is missing: name one that `GET /v1/models` lists")]
    MissingModel,
    /// The field that the request is about is missing, null or empty.
    #[error("`{field}` is missing or empty: {hint}")]
    Missing {
        /// Which.
        field: &'static str,
        /// What to send.
        hint: &'static str,
    },
    /// A number is too small or too large.
    #[error("`{field}` must be from {least} to {most}, not {found}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// The smallest that is allowed.
        least: u64,
        /// The largest that is allowed.
        most: u64,
        /// What was sent.
        found: u64,
    },
}

impl RequestError {
    /// The field at fault, for `error.param`; `None` when it is the body.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Empty { .. }
            | Self::NotJson { .. }
            | Self::TooDeep { .. }
            | Self::NotAnObject { .. } => None,
            Self::WrongType { path, .. } | Self::Duplicate { path } => Some(path),
            Self::MissingModel => Some("model"),
            Self::Missing { field, .. } | Self::OutOfRange { field, .. } => Some(field),
        }
    }

    /// A stable name, for `error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } | Self::NotJson { .. } | Self::TooDeep { .. } => "invalid_json",
            Self::NotAnObject { .. } | Self::WrongType { .. } => "invalid_type",
            Self::Duplicate { .. } => "duplicate_field",
            Self::MissingModel | Self::Missing { .. } => "missing_required_parameter",
            Self::OutOfRange { .. } => "invalid_value",
        }
    }

    /// What serde found at `path`, in the API's words.
    pub(super) fn from_json(path: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let cause = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(cause, _)| cause);
        if error.classify() != Category::Data {
            return Self::NotJson {
                cause: cause.to_owned(),
                line: error.line(),
                column: error.column(),
            };
        }
        let path = if path == "." { "" } else { path };
        if let Some(field) = cause.strip_prefix(super::node::DUPLICATE) {
            let path = if path.ends_with(field) {
                path.to_owned()
            } else {
                join(path, field)
            };
            return Self::Duplicate { path };
        }
        // A part that was read by itself says where in it.
        let (within, cause) = cause
            .strip_prefix(super::node::WITHIN)
            .and_then(|cause| cause.split_once(": "))
            .unwrap_or(("", cause));
        let path = join(path, within);
        let cause = ["invalid type: ", "invalid value: "]
            .iter()
            .find_map(|prefix| cause.strip_prefix(prefix))
            .unwrap_or(cause);
        let (found, expected) = cause
            .rsplit_once(", expected ")
            .unwrap_or((cause, "something else"));
        if path.is_empty() {
            return Self::NotAnObject {
                found: in_words(found),
            };
        }
        Self::WrongType {
            path,
            expected: expected.to_owned(),
            found: in_words(found),
        }
    }
}

/// A path that goes on.
fn join(path: &str, more: &str) -> String {
    match (path, more) {
        ("", more) => more.to_owned(),
        (path, "" | ".") => path.to_owned(),
        (path, more) if more.starts_with('[') => format!("{path}{more}"),
        (path, more) => format!("{path}.{more}"),
    }
}

/// JSON's words for what serde calls otherwise.
fn in_words(found: &str) -> String {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    match kind {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "null" => "null".to_owned(),
        "string" => format!("the string {}", value.replace('"', "`")),
        "integer" => format!("the number {value}"),
        "floating" => format!("the number {}", value.trim_start_matches("point ")),
        "boolean" => value.to_owned(),
        _ => found.to_owned(),
    }
}
