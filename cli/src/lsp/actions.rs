//! What can be done about findings: apply the fix, allow it, explain it.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, TextEdit, Uri,
    WorkspaceEdit,
};
use serde_json::json;
use waypost_lang::diagnostic::{Edit, Fix};
use waypost_lang::source::Span;
use waypost_lang::{Diagnostic, Severity};

use super::diagnostics::diagnostic;
use super::view::View;

/// The command that shows a code's explanation.
pub(crate) const EXPLAIN: &str = "waypost.explain";
/// All fixes of a document at once.
const FIX_ALL: CodeActionKind = CodeActionKind::SOURCE_FIX_ALL;

/// What is offered for a range.
pub(crate) fn actions(view: &View<'_>, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
    let wanted = |kind: &CodeActionKind| match &params.context.only {
        Some(only) => only.iter().any(|one| covers(one, kind)),
        None => *kind != FIX_ALL,
    };
    let start = view.offset(params.range.start);
    let end = view.offset(params.range.end);
    let here: Vec<&Diagnostic> = view
        .analysis
        .found()
        .iter()
        .filter(|one| {
            let span = one.primary.span;
            span.file == view.file && span.start <= end && start <= span.end
        })
        .collect();
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        actions.extend(here.iter().filter_map(|found| fix(view, found)));
        actions.extend(here.iter().filter_map(|found| allow(view, found)));
        actions.extend(here.iter().map(|found| explain(view, found)));
    }
    if wanted(&FIX_ALL) {
        actions.extend(fix_all(view));
    }
    actions
        .into_iter()
        .map(CodeActionOrCommand::CodeAction)
        .collect()
}

/// `source` covers `source.fixAll`.
fn covers(asked: &CodeActionKind, kind: &CodeActionKind) -> bool {
    let rest = kind.as_str().strip_prefix(asked.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn fix(view: &View<'_>, found: &Diagnostic) -> Option<CodeAction> {
    let fix = found.fix.as_ref()?;
    Some(CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(found, found.primary.span, view)]),
        edit: Some(edits(view, [fix])?),
        is_preferred: Some(true),
        ..CodeAction::default()
    })
}

/// Every fix of the document whose edits do not touch those of another.
fn fix_all(view: &View<'_>) -> Option<CodeAction> {
    let mut taken: Vec<Span> = Vec::new();
    let mut chosen: Vec<&Fix> = Vec::new();
    for found in view.analysis.found() {
        let Some(fix) = &found.fix else { continue };
        let own = |edit: &Edit| edit.span.file == view.file;
        let free = |edit: &Edit| taken.iter().all(|span| !meets(*span, edit.span));
        if fix.edits.iter().all(|edit| own(edit) && free(edit)) {
            taken.extend(fix.edits.iter().map(|edit| edit.span));
            chosen.push(fix);
        }
    }
    if chosen.is_empty() {
        return None;
    }
    Some(CodeAction {
        title: "fix all that can be fixed safely".to_owned(),
        kind: Some(FIX_ALL),
        edit: Some(edits(view, chosen)?),
        ..CodeAction::default()
    })
}

/// Whether two edits would be in each other's way.
fn meets(left: Span, right: Span) -> bool {
    left.file == right.file && left.start <= right.end && right.start <= left.end
}

/// The edits of several fixes; nothing if one of them reaches into a file that cannot be written.
fn edits<'f>(view: &View<'_>, fixes: impl IntoIterator<Item = &'f Fix>) -> Option<WorkspaceEdit> {
    let mut changes: Vec<(Uri, Vec<TextEdit>)> = Vec::new();
    for edit in fixes.into_iter().flat_map(|fix| &fix.edits) {
        if view.is_pack(edit.span.file) {
            return None;
        }
        let uri = view.uri(edit.span.file)?;
        let change = TextEdit::new(view.range(edit.span), edit.text.clone());
        match changes.iter_mut().find(|(one, _)| *one == uri) {
            Some((_, edits)) => edits.push(change),
            None => changes.push((uri, vec![change])),
        }
    }
    workspace_edit(changes)
}

#[allow(
    clippy::mutable_key_type,
    reason = "the protocol's type has addresses for keys; they are not changed"
)]
fn workspace_edit(changes: Vec<(Uri, Vec<TextEdit>)>) -> Option<WorkspaceEdit> {
    let changes: HashMap<Uri, Vec<TextEdit>> = changes.into_iter().collect();
    Some(WorkspaceEdit {
        changes: Some(changes),
        ..WorkspaceEdit::default()
    })
}

/// `// allow(CODE): reason` above the statement of a warning, with the reason left to write.
fn allow(view: &View<'_>, found: &Diagnostic) -> Option<CodeAction> {
    let code = found.code.number;
    // What is found about suppressions cannot be suppressed.
    let about_itself = ("WP0491"..="WP0499").contains(&code);
    if found.severity == Severity::Error || about_itself {
        return None;
    }
    let span = found.primary.span;
    let line = view.lines().line(statement(view, span));
    let (start, end) = view.lines().bytes(view.text(), line);
    let written = view.text().get(start as usize..end as usize)?;
    let indent: String = written
        .chars()
        .take_while(|c| matches!(c, ' ' | '\t'))
        .collect();
    let at = view.range(Span::new(view.file, start, start));
    let text = format!("{indent}// allow({code}): why this is fine here\n");
    let edit = vec![(view.uri(view.file)?, vec![TextEdit::new(at, text)])];
    Some(CodeAction {
        title: format!("allow {code} here, with a reason"),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(found, span, view)]),
        edit: workspace_edit(edit),
        ..CodeAction::default()
    })
}

/// Where the statement begins that a finding is about: the innermost, of a section's.
fn statement(view: &View<'_>, span: Span) -> u32 {
    use waypost_lang::syntax::tree::ItemKind;
    let holds = |one: &Span| one.start <= span.start && span.start <= one.end;
    let items = view.tree().map(|tree| tree.items.as_slice());
    let item = items.unwrap_or_default().iter();
    let Some(item) = item.into_iter().find(|item| holds(&item.span)) else {
        return span.start;
    };
    let inner = match &item.kind {
        ItemKind::Content(content) => {
            let mut spans = content.items.iter().map(|item| item.span);
            spans.find(holds)
        }
        ItemKind::Policy(policy) => {
            let mut spans = policy.items.iter().map(|item| item.span);
            spans.find(holds)
        }
        _ => None,
    };
    inner.unwrap_or(item.span).start
}

fn explain(view: &View<'_>, found: &Diagnostic) -> CodeAction {
    let code = found.code.number;
    let title = format!("explain {code}");
    CodeAction {
        title: title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(found, found.primary.span, view)]),
        command: Some(Command::new(
            title,
            EXPLAIN.to_owned(),
            Some(vec![json!(code)]),
        )),
        ..CodeAction::default()
    }
}
