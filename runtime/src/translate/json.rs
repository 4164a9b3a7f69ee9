//! Values that come in two shapes, and JSON that is carried as it is written.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// JSON as it was written: numbers keep their digits, objects the order of their members.
#[derive(Debug, Clone)]
pub(super) struct Json<'a>(Cow<'a, RawValue>);

impl Json<'_> {
    pub(super) fn get(&self) -> &str {
        self.0.get()
    }

    /// Text that is JSON already; `None` where it is not.
    pub(super) fn from_text(text: String) -> Option<Json<'static>> {
        RawValue::from_string(text)
            .ok()
            .map(|raw| Json(Cow::Owned(raw)))
    }

    /// Of something that is serialised to it.
    pub(super) fn of(value: &impl Serialize) -> Option<Json<'static>> {
        serde_json::value::to_raw_value(value)
            .ok()
            .map(|raw| Json(Cow::Owned(raw)))
    }

    /// `null`
    pub(super) fn null() -> Self {
        Self(Cow::Borrowed(RawValue::NULL))
    }

    /// The string that it is, if it is one.
    pub(super) fn string(&self) -> Option<String> {
        serde_json::from_str(self.get()).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|raw| Self(Cow::Borrowed(raw)))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Debug, Clone, Default, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// A string, or a list of parts.
#[derive(Debug, Clone)]
pub(super) enum Content<'a, P> {
    Text(Text<'a>),
    Parts(Vec<P>),
}

impl<'de: 'a, 'a, P: Deserialize<'de>> Deserialize<'de> for Content<'a, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        let read = if raw.get().starts_with('"') {
            serde_json::from_str(raw.get()).map(Self::Text)
        } else {
            serde_json::from_str(raw.get()).map(Self::Parts)
        };
        read.map_err(D::Error::custom)
    }
}

impl<P: Serialize> Serialize for Content<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

/// As JSON text. What is written here has no map with keys that are no strings, so it always can be.
pub(super) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
