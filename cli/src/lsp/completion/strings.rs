//! In strings and comments: paths of imports, header names, names in comparisons, labels in tests, codes to allow.

use lsp_types::CompletionItemKind;
use waypost_compiler::index::SymbolKind;
use waypost_compiler::standard::PACKS;
use waypost_lang::codes;
use waypost_lang::syntax::Token;

use super::List;
use crate::lsp::vocabulary::HEADERS;

/// What may stand in the string `token`; what stands between its quote and the place is replaced.
pub(super) fn text(list: &mut List<'_>, token: Token) {
    list.start = (token.start + 1).min(list.offset);
    let written = list.view.text().get(..token.start as usize).unwrap_or("");
    let words = list.context.words(list.view.text());
    let before = written.trim_end();
    if words.last() == Some(&"import") {
        return imports(list);
    }
    if before.ends_with("request.headers[?") || before.ends_with("request.headers[") {
        for header in HEADERS {
            list.word(header, CompletionItemKind::FIELD, "a header of the request");
        }
        return;
    }
    match (list.context.block(), words.first()) {
        ("expect", Some(&"escalated")) => return list.names(SymbolKind::Escalation),
        ("expect", Some(&("capped" | "denied" | "limited" | "warned"))) => {
            return list.names(SymbolKind::Rule);
        }
        ("given", Some(&"header")) if words.len() == 1 => {
            for header in HEADERS {
                list.word(header, CompletionItemKind::FIELD, "a header of the request");
            }
            return;
        }
        _ => {}
    }
    let operand = before
        .strip_suffix("==")
        .or_else(|| before.strip_suffix("!="))
        .or_else(|| before.rsplit_once(" in [").map(|(operand, _)| operand));
    match operand.map(|operand| operand.trim_end().rsplit([' ', '(', '!']).next()) {
        Some(Some("tier")) => list.names(SymbolKind::Tier),
        Some(Some("model")) => list.names(SymbolKind::Model),
        _ => {}
    }
}

/// Packs of the standard library, and files that the project has.
fn imports(list: &mut List<'_>) {
    for (pack, text) in PACKS {
        let head = text.lines().next().unwrap_or("");
        let about = head.trim_start_matches('/').trim();
        list.word(pack, CompletionItemKind::MODULE, about);
    }
    let own = list.view.name_of(list.view.file).to_owned();
    let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
    let files: Vec<String> = list
        .view
        .project
        .known_names()
        .filter(|name| *name != own)
        .filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'))
        .map(|path| format!("./{path}"))
        .collect();
    for file in files {
        list.word(&file, CompletionItemKind::FILE, "");
    }
}

/// `// allow(WP0440): reason`
pub(super) fn comment(list: &mut List<'_>) {
    let before = list.view.text().get(..list.offset as usize).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    let Some((_, written)) = line.rsplit_once("allow(") else {
        return;
    };
    list.start = list.offset - u32::try_from(written.len()).unwrap_or(0);
    for code in codes::ALL {
        list.word(code.number, CompletionItemKind::REFERENCE, code.name);
    }
}
