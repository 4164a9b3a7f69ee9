//! Statements outside expressions: their words, and the names that belong after each.

use lsp_types::CompletionItemKind;
use waypost_compiler::demands::Kind;
use waypost_compiler::index::SymbolKind::{Catalog, Constant, Model, Pool, Provider, Secret, Tier};

use waypost_lang::syntax::tree::{Service, Sort};

use super::List;
use crate::lsp::vocabulary::{self, PARAMETERS};

/// What goes on with the statement at the place, or begins one.
pub(super) fn statement(list: &mut List<'_>) {
    let words = list.context.words(list.view.text());
    let block = list.context.block();
    if words.is_empty() {
        return begin(list, block);
    }
    let last = words.last().copied().unwrap_or("");
    if ends_a_name(list, block, last) {
        return;
    }
    match block {
        "" if list.context.is_top() => file(list, &words),
        "provider" => provider(list, &words),
        "model" | "catalog" => model(list, &words),
        "tier" => tier(list, &words),
        "content" => content(list, &words),
        "policy" => policy(list, &words),
        _ => small_block(list, block, &words),
    }
}

/// The fields of the block that are not there yet.
fn begin(list: &mut List<'_>, block: &str) {
    let Some(frame) = list.context.frames.last() else {
        return;
    };
    let Some(known) = frame.block else { return };
    for field in known.fields {
        let written = frame.seen.iter().any(|seen| seen == field.name);
        let placeholder = field.name.ends_with('.');
        if placeholder || (written && !field.repeats) {
            continue;
        }
        let (meaning, snippet) =
            vocabulary::field(block, field.name).unwrap_or((field.form, field.name));
        let kind = CompletionItemKind::KEYWORD;
        let example = format!("```route\n{}\n```", field.form);
        list.insert(field.name, snippet, kind, meaning, &example);
    }
    list.values(block, "");
}

/// After words that a name must follow, whatever the block.
fn ends_a_name(list: &mut List<'_>, block: &str, last: &str) -> bool {
    match (block, last) {
        (_, "secret") => list.names(Secret),
        ("model", "pool") => list.names(Pool),
        ("tier", "then") | ("policy" | "given", "on") => {
            list.names(Model);
            list.names(Tier);
        }
        ("content", "as") => list.names(Model),
        ("content", "to" | "hold" | "start") | ("expect", "tier") => list.names(Tier),
        ("policy" | "at", "at") if last == "at" && after_cap(list) => list.names(Tier),
        ("expect", "model") => list.names(Model),
        _ => return false,
    }
    true
}

fn after_cap(list: &List<'_>) -> bool {
    let words = list.context.words(list.view.text());
    words.iter().rev().nth(1) == Some(&"cap")
}

fn file(list: &mut List<'_>, words: &[&str]) {
    match words {
        ["place"] => list.names(Pool),
        ["extend"] => list.keywords(&["let", "provider", "model", "pool", "tier", "deploy"]),
        ["extend", "let"] => list.names(Constant),
        ["extend", "provider"] => list.names(Provider),
        ["extend", "model"] => list.names(Model),
        ["extend", "pool"] => list.names(Pool),
        ["extend", "tier"] => list.names(Tier),
        ["deploy"] => list.keywords(&["kubernetes"]),
        ["waypost"] => list.keywords(&["1"]),
        ["tier"] | ["tiers", ..] => list.names_of_chain(),
        ["secret", _, "="] => {
            let kind = CompletionItemKind::FUNCTION;
            let sources = [
                (
                    "k8s",
                    "k8s(\"${1:namespace}/${2:object}\", \"${3:key}\")",
                    "a Kubernetes Secret",
                ),
                ("env", "env(\"${1:NAME}\")", "an environment variable"),
                ("file", "file(\"${1:path}\")", "a file"),
            ];
            for (name, snippet, meaning) in sources {
                list.insert(name, snippet, kind, meaning, "");
            }
        }
        _ => {}
    }
}

fn provider(list: &mut List<'_>, words: &[&str]) {
    match words {
        ["kind"] => list.values("provider", "kind"),
        ["auth"] => list.values("provider", "auth"),
        _ => begin(list, "provider"),
    }
}

fn model(list: &mut List<'_>, words: &[&str]) {
    match words {
        ["via"] => {
            list.names(Provider);
            list.keywords(&["pool"]);
        }
        ["via", "pool", _] => list.keywords(&["as"]),
        ["via", _] => list.keywords(&["deployment", "as"]),
        ["listed"] => list.keywords(&["as"]),
        ["listed", "as"] => list.names(Catalog),
        ["serves"] | ["serves", .., ","] => list.values("model", "serves"),
        ["lacks"] | ["lacks", .., ","] => list.values("model", "lacks"),
        ["rejects"] | ["rejects", .., ","] => {
            for parameter in PARAMETERS.iter().filter(|one| !words.contains(one)) {
                list.word(
                    parameter,
                    CompletionItemKind::FIELD,
                    "a parameter of the request",
                );
            }
        }
        ["price", ..] => {
            let amount = words.last().is_some_and(|word| word.starts_with('$'));
            let services = Service::ALL.map(Service::word);
            let of_service = words.len() == 2 && services.iter().any(|word| words.contains(word));
            let of_length = words.iter().rev().nth(1) == Some(&"above");
            if words.len() == 1 {
                for service in services {
                    list.word(
                        service,
                        CompletionItemKind::KEYWORD,
                        "what this service costs",
                    );
                }
            }
            if words.len() == 1 || of_service {
                let detail = "what a longer prompt costs";
                list.insert(
                    "above",
                    "above ${1:200k}",
                    CompletionItemKind::KEYWORD,
                    detail,
                    "",
                );
            }
            if words.last() == Some(&"above") {
                units(list, &["128k", "200k", "272k"]);
            }
            if words.len() == 1 || of_service || of_length || amount {
                let left = Sort::ALL.map(Sort::word);
                for part in left.into_iter().filter(|part| !words.contains(part)) {
                    let snippet = format!("{part} \\$${{1:1.00}}");
                    let kind = CompletionItemKind::KEYWORD;
                    list.insert(part, &snippet, kind, "US dollars per 1M tokens", "");
                }
            }
            if amount {
                begin(list, list.context.block());
            }
        }
        ["context" | "output"] => units(list, &["4k", "16k", "128k", "200k", "400k", "1M"]),
        _ => begin(list, list.context.block()),
    }
}

fn tier(list: &mut List<'_>, words: &[&str]) {
    match words {
        ["try"] => {
            list.names(Model);
            list.names(Tier);
        }
        ["split"] | ["split", .., ","] => list.names(Model),
        ["timeout"] => units(list, &["10s", "30s", "60s", "5m"]),
        ["retries"] => units(list, &["0", "1", "2"]),
        ["hedge"] => list.keywords(&["after"]),
        ["hedge", "after"] => units(list, &["500ms", "2s", "5s"]),
        ["try", ..] => {
            list.keywords(&["then"]);
            begin(list, "tier");
        }
        ["split", ..] => {
            list.keywords(&["by", "then"]);
            begin(list, "tier");
        }
        _ => begin(list, "tier"),
    }
}

fn content(list: &mut List<'_>, words: &[&str]) {
    match words {
        ["accept"] | ["accept", .., ","] => list.keywords(&["models"]),
        ["accept", ..] => list.keywords(&["as"]),
        ["escalate"] => list.keywords(&["to"]),
        ["escalate", "to", _, ..] => list.keywords(&["when"]),
        ["threshold"] => list.keywords(&["hold"]),
        ["threshold", "hold", _] => list.keywords(&["at"]),
        ["keep"] => list.keywords(&["session"]),
        ["keep", .., "for"] => units(list, &["5m", "10m", "1h"]),
        _ => begin(list, "content"),
    }
}

fn policy(list: &mut List<'_>, words: &[&str]) {
    let last = words.last().copied().unwrap_or("");
    match words {
        ["cap"] => list.keywords(&["at"]),
        ["cap", "at", _, ..] => list.keywords(&["when"]),
        ["deny" | "priority", ..] => list.keywords(&["status", "when"]),
        ["limit" | "budget", .., "/"] => {
            units(list, &["1m", "1h", "24h"]);
            for window in ["day", "week", "month"] {
                list.word(window, CompletionItemKind::UNIT, "a calendar window");
            }
            for (window, meaning) in [
                ("sliding", "the time just past, at every moment"),
                ("session", "one session, as `keep` or `per` names it"),
                ("call", "each call by itself"),
            ] {
                list.word(window, CompletionItemKind::UNIT, meaning);
            }
        }
        ["limit" | "budget", .., "sliding" | "idle"] => units(list, &["1m", "1h", "24h"]),
        ["limit", _] => list.keywords(&["requests", "tokens", "repeats", "concurrent"]),
        ["limit", _, "concurrent", ..] => quota_clauses(list, words),
        ["budget", _] | ["limit", _, "requests" | "tokens" | "calls" | "repeats"] => {
            list.keywords(&["/"]);
        }
        ["limit" | "budget", .., "session"] => {
            list.keywords(&["idle"]);
            quota_clauses(list, words);
        }
        ["limit" | "budget", ..] if words.contains(&"/") => quota_clauses(list, words),
        ["redact", .., "in"] => list.keywords(&["request", "logs", "response"]),
        ["redact", ..] if words.contains(&"in") => {
            if last == "," {
                list.keywords(&["request", "logs", "response"]);
            }
        }
        ["redact"] | ["redact", .., ","] => list.values("policy", "redact"),
        ["redact", ..] => list.keywords(&["in"]),
        _ => begin(list, "policy"),
    }
}

/// The clauses of a quota that are not there yet; they may stand in any order.
pub(super) fn quota_clauses(list: &mut List<'_>, words: &[&str]) {
    let clauses = [
        ("per", "per ${1:caller.key}", "one bucket for each value"),
        (
            "on",
            "on $0",
            "only calls that this model, or this tier's first model, answers",
        ),
        ("burst", "burst ${1:50}", "what the bucket holds"),
        (
            "in",
            "in \"${1:Europe/Berlin}\"",
            "the time zone of a calendar window",
        ),
        ("when", "when $0", "only such calls"),
    ];
    for (word, snippet, meaning) in clauses {
        if !words.contains(&word) {
            list.insert(word, snippet, CompletionItemKind::KEYWORD, meaning, "");
        }
    }
    let outcomes = "{ at ${1:100%} ${2|deny,warn,wait 5s|} }";
    let kind = CompletionItemKind::SNIPPET;
    list.insert(
        "{ at … }",
        outcomes,
        kind,
        "what happens at a share of it",
        "",
    );
}

fn small_block(list: &mut List<'_>, block: &str, words: &[&str]) {
    match (block, words) {
        ("callers", ["keys"]) | ("deploy", ["state", "redis"]) => list.keywords(&["secret"]),
        ("callers", ["anonymous"]) => list.values("callers", "anonymous"),
        ("pool", ["engine"]) => list.values("pool", "engine"),
        ("deploy", ["shape"]) => list.values("deploy", "shape"),
        ("deploy", ["monitor"]) => list.values("deploy", "monitor"),
        ("deploy", ["state"]) => list.values("deploy", "state"),
        ("deploy", ["state", "redis", "secret", _]) => list.keywords(&["away"]),
        ("deploy", ["state", "redis", "secret", _, "away"]) => list.values("deploy", "away"),
        ("at", ["at", _]) => list.values("at", "at"),
        ("at", ["at", _, "cap"]) => list.keywords(&["at"]),
        ("place", ["prefer"] | ["prefer", .., ","]) => list.values("place", "prefer"),
        ("place", ["saturate"] | ["saturate", .., ","]) => list.values("place", "saturate"),
        ("place", ["overflow"]) => list.keywords(&["wait", "next", "shed"]),
        ("place", ["overflow", "wait", _]) => list.keywords(&["then"]),
        ("place", ["overflow", .., "then"]) => list.keywords(&["next", "shed"]),
        ("place", ["overflow", "wait"]) => units(list, &["1s", "2s", "500ms"]),
        ("place", ["only"]) => list.keywords(&["when"]),
        ("given", ["spent", _]) => list.keywords(&["on"]),
        ("given", ["stream"]) => list.keywords(&["true", "false"]),
        ("expect", ["escalated" | "capped" | "limited" | "warned" | "denied"]) => {
            list.keywords(&["by"]);
        }
        ("require", ["each"]) => {
            let items: Vec<&str> = Kind::items().map(|(word, _)| word).collect();
            list.keywords(&items);
        }
        ("require", ["severity"]) => list.keywords(&["error", "warning"]),
        ("expect", ["cost"]) => list.keywords(&["<"]),
        ("", _) => {}
        _ => begin(list, block),
    }
}

fn units(list: &mut List<'_>, examples: &[&str]) {
    for example in examples {
        list.word(example, CompletionItemKind::UNIT, "");
    }
}

impl List<'_> {
    /// Tiers that the chain or a declaration names.
    fn names_of_chain(&mut self) {
        let index = self.view.analysis.index();
        let tiers = index.symbols().filter(|one| one.kind == Tier);
        let names: Vec<String> = tiers.map(|one| one.name.clone()).collect();
        let words = self.context.words(self.view.text());
        for name in names.iter().filter(|name| !words.contains(&name.as_str())) {
            self.word(name, CompletionItemKind::ENUM_MEMBER, "tier");
        }
    }
}
