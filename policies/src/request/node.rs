//! Reads one JSON value into a place that is there already: no tree, no value that nobody asked for.
//!
//! A [`Node`] says which kinds of JSON it takes and what becomes of them; one visitor does the rest. Strings come
//! borrowed from the body where they hold no escapes, and else from a buffer that is used again.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

/// How an error about a field that stands twice begins.
pub(super) const DUPLICATE: &str = "duplicate: ";

/// How an error begins that says where in its part it is.
pub(super) const WITHIN: &str = "within ";

/// What a node found and what it expected: `an object without role`, `an object with role`.
pub(super) struct Mismatch(pub(super) &'static str, pub(super) &'static str);

impl Mismatch {
    fn into_error<E: Error>(self) -> E {
        E::custom(format_args!(
            "invalid value: {}, expected {}",
            self.0, self.1
        ))
    }
}

/// A string as the parser hands it over.
#[derive(Clone, Copy)]
pub(super) struct Text<'a, 't> {
    /// Its characters, for now.
    pub(super) now: &'t str,
    /// The same, where they may be kept.
    pub(super) kept: Option<&'a str>,
}

impl<'a> Text<'a, '_> {
    /// The string, to keep.
    pub(super) fn keep(self) -> Cow<'a, str> {
        match self.kept {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.now.to_owned()),
        }
    }
}

/// A place that one JSON value is read into.
///
/// What a method returns says whether the node takes such a value; the parser refuses it otherwise.
pub(super) trait Node<'a>: Sized {
    /// What it takes, for messages: `a string`.
    const EXPECTED: &'static str;
    /// Whether it takes objects.
    const OBJECT: bool = false;
    /// Whether it takes arrays.
    const ARRAY: bool = false;

    /// Takes null: everywhere the same as nothing.
    fn null(&mut self) -> bool {
        true
    }
    /// Takes a boolean.
    fn boolean(&mut self, _value: bool) -> bool {
        false
    }
    /// Takes a whole number from 0.
    fn count(&mut self, _value: u64) -> bool {
        false
    }
    /// Takes any other number.
    fn number(&mut self, _value: f64) -> bool {
        false
    }
    /// Takes a string.
    fn string(&mut self, _text: Text<'a, '_>) -> bool {
        false
    }
    /// Takes the value of one field of an object.
    fn field<A: MapAccess<'a>>(
        &mut self,
        _name: &str,
        value: Value<'_, A>,
    ) -> Result<(), A::Error> {
        value.skip()
    }
    /// Takes the next element of an array; `false` at its end.
    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        Ok(array.next_element::<IgnoredAny>()?.is_some())
    }
    /// An object or array is over. An error says what was found, and what was expected.
    fn end(&mut self) -> Result<(), Mismatch> {
        Ok(())
    }
}

/// A field's value that is still to be read.
pub(super) struct Value<'m, A>(&'m mut A);

impl<'a, A: MapAccess<'a>> Value<'_, A> {
    /// Reads it into a node.
    pub(super) fn into_node<N: Node<'a>>(self, node: &mut N) -> Result<(), A::Error> {
        self.0.next_value_seed(Filling::new(node))
    }

    /// Reads it as `T` does.
    pub(super) fn read<T: serde::Deserialize<'a>>(self) -> Result<T, A::Error> {
        self.0.next_value()
    }

    /// Passes it over.
    pub(super) fn skip(self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }
}

/// Refuses a field that stands twice, of those that have a bit in `seen`.
pub(super) fn once<E: Error>(seen: &mut u32, bit: u32, name: &str) -> Result<(), E> {
    if *seen & (1 << bit) != 0 {
        return Err(E::custom(format_args!("{DUPLICATE}{name}")));
    }
    *seen |= 1 << bit;
    Ok(())
}

/// Reads into a node.
pub(super) struct Filling<'n, 'a, N>(&'n mut N, PhantomData<&'a ()>);

impl<'n, N> Filling<'n, '_, N> {
    pub(super) fn new(node: &'n mut N) -> Self {
        Self(node, PhantomData)
    }
}

impl<'a, N: Node<'a>> Filling<'_, 'a, N> {
    fn taken<E: Error>(self, taken: bool, found: Unexpected<'_>) -> Result<(), E> {
        if taken {
            Ok(())
        } else {
            Err(E::invalid_type(found, &self))
        }
    }
}

impl<'a, N: Node<'a>> DeserializeSeed<'a> for Filling<'_, 'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, N: Node<'a>> Visitor<'a> for Filling<'_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(N::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let taken = self.0.null();
        self.taken(taken, Unexpected::Other("null"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let taken = self.0.boolean(value);
        self.taken(taken, Unexpected::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let taken = self.0.count(value);
        self.taken(taken, Unexpected::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let taken = self.0.number(value as f64);
        self.taken(taken, Unexpected::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let taken = self.0.number(value);
        self.taken(taken, Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let taken = self.0.string(Text {
            now: text,
            kept: None,
        });
        self.taken(taken, Unexpected::Other("a string"))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        let taken = self.0.string(Text {
            now: text,
            kept: Some(text),
        });
        self.taken(taken, Unexpected::Other("a string"))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut array: A) -> Result<(), A::Error> {
        if !N::ARRAY {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        while self.0.element(&mut array)? {}
        self.0.end().map_err(Mismatch::into_error)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<(), A::Error> {
        if !N::OBJECT {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        while let Some(name) = object.next_key_seed(FieldName)? {
            self.0.field(&name, Value(&mut object))?;
        }
        self.0.end().map_err(Mismatch::into_error)
    }
}

/// A field's name, borrowed where it can be.
struct FieldName;

impl<'a> DeserializeSeed<'a> for FieldName {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Cow<'a, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for FieldName {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E: Error>(self, name: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}

/// A string that is kept; "" when there is none.
#[derive(Default)]
pub(super) struct Kept<'a>(pub(super) Cow<'a, str>);

impl<'a> Node<'a> for Kept<'a> {
    const EXPECTED: &'static str = "a string";

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0 = text.keep();
        true
    }
}

/// A whole number from 0, if there is one.
#[derive(Default)]
pub(super) struct Count(pub(super) Option<u64>);

impl Node<'_> for Count {
    const EXPECTED: &'static str = "a whole number, 0 or more";

    fn count(&mut self, value: u64) -> bool {
        self.0 = Some(value);
        true
    }
}

/// A number, if there is one.
#[derive(Default)]
pub(super) struct Number(pub(super) Option<f64>);

impl Node<'_> for Number {
    const EXPECTED: &'static str = "a number";

    fn count(&mut self, value: u64) -> bool {
        self.number(value as f64)
    }

    fn number(&mut self, value: f64) -> bool {
        self.0 = Some(value);
        true
    }
}

/// A boolean; false when there is none.
#[derive(Default)]
pub(super) struct Flag(pub(super) bool);

impl Node<'_> for Flag {
    const EXPECTED: &'static str = "true or false";

    fn boolean(&mut self, value: bool) -> bool {
        self.0 = value;
        true
    }
}
