//! The prompts of completions and the inputs of embeddings: text, several texts, or tokens.

use std::borrow::Cow;

use serde::de::SeqAccess;

use super::node::{Filling, Node, Text};
use crate::tokens;

/// `prompt`, or `input`.
#[derive(Default)]
pub(super) struct Prompts<'a> {
    /// Whether the text is wanted.
    pub(super) keep: bool,
    /// The text; several are joined by newlines.
    pub(super) text: Cow<'a, str>,
    /// How many there are.
    pub(super) count: u64,
    /// Of all of them.
    pub(super) tokens: u64,
    /// Of the largest.
    pub(super) largest: u64,
    /// Token ids that stand in the array itself: together they are one prompt.
    loose: u64,
}

impl<'a> Prompts<'a> {
    pub(super) fn new(keep: bool) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    fn add(&mut self, tokens: u64) {
        self.count += 1;
        self.tokens = self.tokens.saturating_add(tokens);
        self.largest = self.largest.max(tokens);
    }

    fn add_text(&mut self, text: Text<'a, '_>) {
        self.add(tokens::of_text(text.now));
        if !self.keep {
            return;
        }
        if self.count == 1 {
            self.text = text.keep();
        } else {
            let joined = self.text.to_mut();
            joined.push('\n');
            joined.push_str(text.now);
        }
    }
}

impl<'a> Node<'a> for Prompts<'a> {
    const EXPECTED: &'static str = "a string, or an array of strings or token ids";
    const ARRAY: bool = true;

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.add_text(text);
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        Ok(array
            .next_element_seed(Filling::new(&mut Item(self)))?
            .is_some())
    }

    fn end(&mut self) -> Result<(), super::node::Mismatch> {
        if self.loose > 0 {
            let loose = std::mem::take(&mut self.loose);
            self.add(loose);
        }
        Ok(())
    }
}

/// One element of an array of prompts.
struct Item<'p, 'a>(&'p mut Prompts<'a>);

impl<'a> Node<'a> for Item<'_, 'a> {
    const EXPECTED: &'static str = "a string, a token id or an array of token ids";
    const ARRAY: bool = true;

    fn null(&mut self) -> bool {
        false
    }

    fn string(&mut self, text: Text<'a, '_>) -> bool {
        self.0.add_text(text);
        true
    }

    fn count(&mut self, _token: u64) -> bool {
        self.0.loose += 1;
        true
    }

    fn element<A: SeqAccess<'a>>(&mut self, array: &mut A) -> Result<bool, A::Error> {
        let mut tokens = Tokens(0);
        while array
            .next_element_seed(Filling::new(&mut tokens))?
            .is_some()
        {}
        self.0.add(tokens.0);
        Ok(false)
    }
}

/// Token ids, counted.
struct Tokens(u64);

impl Node<'_> for Tokens {
    const EXPECTED: &'static str = "a token id";

    fn null(&mut self) -> bool {
        false
    }

    fn count(&mut self, _token: u64) -> bool {
        self.0 += 1;
        true
    }
}
