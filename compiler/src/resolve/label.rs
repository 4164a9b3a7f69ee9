//! Labels: a rule's identity, unique in its section.

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Text;

use super::context::Context;
use crate::findings::Findings;
use crate::program::Label;

/// The labels of one section so far.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    seen: BTreeMap<String, Span>,
}

impl Labels {
    /// The label of a rule: as written, or the text of `own`, which need not be unique.
    pub(crate) fn rule(
        &mut self,
        written: Option<&Text>,
        own: Span,
        statement: Span,
        context: &mut Context<'_>,
    ) -> Label {
        match written {
            Some(text) => self.written(text, context.findings),
            None => Label {
                text: context.text(own),
                written: false,
                span: statement,
            },
        }
    }

    /// The label of a quota: as written, or the text of its rate, which counts as a label and must be unique.
    pub(crate) fn quota(
        &mut self,
        written: Option<&Text>,
        rate: Span,
        context: &mut Context<'_>,
    ) -> Label {
        if let Some(text) = written {
            return self.written(text, context.findings);
        }
        let label = Label {
            text: context.text(rate),
            written: false,
            span: rate,
        };
        if let Some(first) = self.claim(&label.text, rate) {
            context.findings.push(
                codes::DUPLICATE_LABEL
                    .error(rate, format!("two rules are called `{}`", label.text))
                    .label("without a label it is called by its rate")
                    .because(first, "the first of that name")
                    .help("name one of them: write a label such as `\"per agent\"` after its rate"),
            );
        }
        label
    }

    fn written(&mut self, text: &Text, findings: &mut Findings) -> Label {
        if text.value.trim().is_empty() {
            findings.push(
                codes::BAD_VALUE
                    .error(text.span, "a label is empty")
                    .label("names nothing")
                    .help("write what the rule is for, or leave the label out"),
            );
        } else if let Some(first) = self.claim(&text.value, text.span) {
            findings.push(
                codes::DUPLICATE_LABEL
                    .error(text.span, format!("two rules are called `{}`", text.value))
                    .label("used again here")
                    .because(first, "first used here")
                    .help("a label is a rule's identity in tests and metrics: write another"),
            );
        }
        Label {
            text: text.value.clone(),
            written: true,
            span: text.span,
        }
    }

    /// Takes the label; where it was taken before, if it was.
    fn claim(&mut self, text: &str, span: Span) -> Option<Span> {
        let first = self.seen.get(text).copied();
        if first.is_none() {
            self.seen.insert(text.to_owned(), span);
        }
        first
    }
}
