//! What holds of every text.

use proptest::prelude::*;
use waypost_lang::source::Span;
use waypost_lang::syntax::{Parsed, format};

use super::{AGENTS, FORMS, clean, generator, messages, parsed, without_spans};

/// The comments as written, without the spaces at their ends.
fn comments(text: &str, parsed: &Parsed) -> Vec<String> {
    let written = parsed.comments.iter();
    written
        .map(|span| {
            text[span.start as usize..span.end as usize]
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn within(text: &str, span: Span) -> bool {
    text.get(span.start as usize..span.end as usize).is_some()
}

/// It parses, whatever it is, and says nothing of bytes that are not there.
fn check_spans(text: &str) {
    let parsed = parsed(text);
    for found in &parsed.diagnostics {
        assert!(within(text, found.primary.span), "{found:?}");
        assert!(
            found.secondary.iter().all(|label| within(text, label.span)),
            "{found:?}"
        );
        let edits = found.fix.iter().flat_map(|fix| &fix.edits);
        assert!(
            edits.clone().all(|edit| within(text, edit.span)),
            "{found:?}"
        );
    }
    assert!(parsed.comments.iter().all(|span| within(text, *span)));
    assert!(parsed.file.items.iter().all(|item| within(text, item.span)));
    for (start, end) in spans(&parsed) {
        assert!(text.get(start..end).is_some(), "{start}..{end}");
    }
}

/// Every span of the tree, read from its printed form.
fn spans(parsed: &Parsed) -> Vec<(usize, usize)> {
    let written = format!("{:?}", parsed.file);
    let number = |text: &str, name: &str| -> usize {
        let digits = text.split_once(name).unwrap().1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap();
        digits[..end].parse().unwrap()
    };
    written
        .split("Span { file: FileId(")
        .skip(1)
        .map(|span| (number(span, "start: "), number(span, "end: ")))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_file_of_the_grammar_parses(choices in prop::collection::vec(any::<u8>(), 0..160)) {
        let text = generator::file(&choices);
        clean(&text);
        check_spans(&text);
    }

    #[test]
    fn formatting_keeps_the_tree_and_the_comments(choices in prop::collection::vec(any::<u8>(), 0..160)) {
        let text = generator::file(&choices);
        let formatted = format(&text).unwrap();
        let (before, after) = (clean(&text), clean(&formatted));
        prop_assert_eq!(without_spans(&after), without_spans(&before));
        prop_assert_eq!(comments(&formatted, &after), comments(&text, &before));
    }

    #[test]
    fn formatting_is_idempotent(choices in prop::collection::vec(any::<u8>(), 0..160)) {
        let once = format(&generator::file(&choices)).unwrap();
        prop_assert_eq!(format(&once).unwrap(), once);
    }

    #[test]
    fn any_text_parses(text in "\\PC{0,80}|[a-z{}\"'=/.,<$%0-9 \n]{0,120}") {
        check_spans(&text);
    }

    #[test]
    fn a_damaged_file_parses(
        forms in any::<bool>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[{}()\"'\n/#@é$ a-z.]{0,3}"), 1..6),
    ) {
        let mut text: Vec<char> = if forms { FORMS } else { AGENTS }.chars().collect();
        for (at, length, inserted) in cuts {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, inserted.chars());
        }
        check_spans(&text.into_iter().collect::<String>());
    }

    #[test]
    fn a_damaged_first_statement_hides_no_mistake_in_the_last(at in 0usize..40, drop in 1usize..6) {
        let first = "provider a { kind openai  url \"http://x\" }";
        let damaged: String = first.chars().enumerate()
            .filter(|(index, _)| *index < at || *index >= at + drop)
            .map(|(_, c)| c)
            .collect();
        let text = format!("waypost 1\n{damaged}\n\ntier weak {{ try a }}\ntier b {{ retries 2x }}\n");
        let rendered = messages::render(&text, &parsed(&text).diagnostics);
        prop_assert!(rendered.contains("`2x`"), "{text}\n{rendered}");
    }
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    for open in ["{", "(", "[", "tier a {", "{\n", "when (", "!"] {
        check_spans(&format!("waypost 1\ncontent {{ {}", open.repeat(20_000)));
        check_spans(&format!("waypost 1\nlet A = {}", open.repeat(20_000)));
    }
}

#[test]
fn every_prefix_of_a_file_parses() {
    for (end, _) in FORMS.char_indices() {
        check_spans(&FORMS[..end]);
    }
}

/// The words of a text that are no part of a comment or a string.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split("//").next().unwrap();
        for (part, quoted) in code.split('"').zip([false, true].into_iter().cycle()) {
            let start = at + (part.as_ptr() as usize - line.as_ptr() as usize);
            let mut from = 0;
            for word in part.split(|c: char| !c.is_ascii_alphanumeric()) {
                if !quoted && word.len() > 3 {
                    words.push((start + from, start + from + word.len()));
                }
                from += word.len() + 1;
            }
        }
        at += line.len();
    }
    words
}

#[test]
fn a_misspelt_word_is_one_mistake_at_most() {
    let mut mistakes = 0;
    for text in [AGENTS, FORMS] {
        for (start, end) in words(text) {
            let mut word: Vec<char> = text[start..end].chars().collect();
            word.swap(1, 2);
            let word: String = word.into_iter().collect();
            let misspelt = format!("{}{word}{}", &text[..start], &text[end..]);
            let found = parsed(&misspelt).diagnostics;
            let line = text[..start].matches('\n').count();
            let said = messages::render(&misspelt, &found);
            assert!(found.len() <= 1, "{:?}\n{said}", misspelt.lines().nth(line));
            mistakes += found.len();
        }
    }
    assert!(mistakes > 100, "{mistakes}");
}
