//! Ids of tool calls, for providers that take letters, digits, `-` and `_` alone, and each id once in a conversation.
//!
//! Engines that number the calls of each answer use an id again, and others put names and dots into theirs. The same
//! conversation gets the same ids whenever it is sent, so that a provider's cache knows it again.

use std::collections::{HashMap, HashSet};

use super::super::json::Text;

/// The ids that the calls of a conversation have here and there.
#[derive(Debug)]
pub(super) struct ToolIds {
    longest: usize,
    /// What the last call of an id is called there; calls without one are all under "".
    given: HashMap<String, String>,
    used: HashSet<String>,
}

impl ToolIds {
    /// Ids of at most this many characters.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            given: HashMap::new(),
            used: HashSet::new(),
        }
    }

    /// The id of a call that is made.
    pub(super) fn of_call(&mut self, id: Option<Text<'_>>) -> Text<'static> {
        let id = id.unwrap_or_default();
        let written = self.written(&id);
        let mut unique = match &*id {
            "" => "call_1".to_owned(),
            _ => written.clone(),
        };
        let mut number = 1_u32;
        while self.used.contains(&unique) {
            number += 1;
            let ending = format!("_{number}");
            let kept = written.get(..self.longest.saturating_sub(ending.len()));
            unique = format!("{}{ending}", kept.unwrap_or(&written));
        }
        self.used.insert(unique.clone());
        self.given.insert(id.to_string(), unique.clone());
        unique.into()
    }

    /// The id of the call that a result is of.
    pub(super) fn of_result(&self, id: Option<Text<'_>>) -> Text<'static> {
        let id = id.unwrap_or_default();
        let given = self.given.get(&*id).cloned();
        given.unwrap_or_else(|| self.written(&id)).into()
    }

    fn written(&self, id: &str) -> String {
        let is_taken =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        match id {
            "" => "call".to_owned(),
            id => id
                .chars()
                .take(self.longest)
                .map(|character| if is_taken(character) { character } else { '_' })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ToolIds;

    fn check(longest: usize, ids: &[&str], expected: &[&str]) {
        let mut named = ToolIds::new(longest);
        let mut given = Vec::new();
        for id in ids {
            let call = named.of_call(Some((*id).into()));
            assert_eq!(&*named.of_result(Some((*id).into())), &*call);
            given.push(call.to_string());
        }
        assert_eq!(given, expected);
    }

    #[test]
    fn ids_that_are_taken_stay() {
        check(64, &["toolu_1", "call-2"], &["toolu_1", "call-2"]);
    }

    #[test]
    fn what_is_not_taken_is_replaced_and_each_id_is_there_once() {
        check(64, &["a:1", "a.1", "0", "0"], &["a_1", "a_1_2", "0", "0_2"]);
        check(4, &["abcdef", "abcdeg"], &["abcd", "ab_2"]);
        check(64, &["", "", "é"], &["call_1", "call_2", "_"]);
    }

    #[test]
    fn a_result_without_its_call_keeps_its_id() {
        assert_eq!(&*ToolIds::new(64).of_result(Some("x:1".into())), "x_1");
    }
}
