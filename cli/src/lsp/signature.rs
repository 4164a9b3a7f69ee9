//! The parameters of the call at a place.

use lsp_types::{
    Documentation, ParameterInformation, ParameterLabel, Position, SignatureHelp,
    SignatureInformation,
};
use waypost_lang::source::Span;

use super::context::{Context, Inside};
use super::typing::{bindings, trailing_word};
use super::view::View;
use super::vocabulary::{Function, functions};

/// The function whose parentheses are around the position, and which parameter it is.
pub(crate) fn help(view: &View<'_>, at: Position) -> Option<SignatureHelp> {
    let offset = view.offset(at);
    let context = Context::of(view.text(), offset);
    if context.inside == Inside::Comment {
        return None;
    }
    let start = context.expression(view.text())?;
    let before = view.sources().text(Span::new(view.file, start, offset));
    let (known, argument) = called(before)?;
    Some(SignatureHelp {
        signatures: vec![information(known)],
        active_signature: Some(0),
        active_parameter: u32::try_from(argument).ok(),
    })
}

/// The innermost call that is open at the end of a text, and the number of its argument there.
fn called(before: &str) -> Option<(&'static Function, usize)> {
    if let Some(binding) = bindings(before).last() {
        let name = binding.function;
        let full = format!("{}.{name}", binding.range);
        let known = functions()
            .iter()
            .find(|one| one.name == full || one.name == name)?;
        return Some((known, binding.arguments.len().saturating_sub(1)));
    }
    let (head, arguments) = before.rsplit_once('(')?;
    if arguments.contains(')') {
        return None;
    }
    let name = trailing_word(head);
    let known = functions().iter().find(|one| one.name == name)?;
    Some((known, arguments.matches(',').count()))
}

fn information(function: &Function) -> SignatureInformation {
    let signature = &*function.signature;
    let inner = signature
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    let names = inner.map_or("", |(inner, _)| inner);
    let parameters = names.split(", ").filter(|name| !name.is_empty());
    let parameters = parameters.map(|name| ParameterInformation {
        label: ParameterLabel::Simple(name.to_owned()),
        documentation: None,
    });
    SignatureInformation {
        label: signature.to_owned(),
        documentation: Some(Documentation::String(function.meaning.to_string())),
        parameters: Some(parameters.collect()),
        active_parameter: None,
    }
}
