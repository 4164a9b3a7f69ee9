//! Statements of other languages that no word stands for here, and how the same is said.

/// The word, and what to write for it.
static STATEMENTS: &[(&str, &str)] = &[
    ("variable", "a constant is written `let LONG = 24000`"),
    ("locals", "a constant is written `let LONG = 24000`"),
    ("local", "a constant is written `let LONG = 24000`"),
    (
        "def",
        "a constant is written `let LONG = 24000`; there are no functions",
    ),
    (
        "function",
        "a constant is written `let LONG = 24000`; there are no functions",
    ),
    (
        "module",
        "another file is imported by `import \"std/agents.route\"`",
    ),
    (
        "require_relative",
        "another file is imported by `import \"std/agents.route\"`",
    ),
    (
        "from",
        "another file is imported by `import \"std/agents.route\"`",
    ),
    ("package", "remove it: a file has no package"),
    (
        "resource",
        "a statement begins with what it declares: `provider NAME { … }`",
    ),
    (
        "data",
        "a statement begins with what it declares: `provider NAME { … }`",
    ),
    (
        "terraform",
        "remove it: the first line says the edition, `waypost 1`",
    ),
    (
        "reverse_proxy",
        "what answers is a `model`, served by a `provider` or a `pool`",
    ),
    (
        "handle",
        "a rule says when it holds: `escalate to TIER \"label\" when …`",
    ),
    (
        "location",
        "a rule says when it holds: `escalate to TIER \"label\" when …`",
    ),
    (
        "server",
        "remove it: the address to listen on is an option of `waypost run`",
    ),
    (
        "listen",
        "remove it: the address to listen on is an option of `waypost run`",
    ),
    (
        "if",
        "a rule ends with its condition: `cap at weak \"label\" when …`",
    ),
    (
        "when",
        "a rule ends with its condition: `cap at weak \"label\" when …`",
    ),
    (
        "elif",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "elsif",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "else",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "switch",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "case",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "match",
        "each rule has a condition of its own, and their order means nothing",
    ),
    (
        "for",
        "look through a list within a condition: `request.tools.exists(t, …)`",
    ),
    (
        "return",
        "remove it: a rule says what it does by its first word",
    ),
    ("allow", "remove it: a caller may do what no `deny` matches"),
    (
        "permit",
        "remove it: a caller may do what no `deny` matches",
    ),
];

/// How what `word` says elsewhere is said here.
pub(super) fn advice(word: &str) -> Option<&'static str> {
    let mut known = STATEMENTS.iter().filter(|(other, _)| *other == word);
    known.next().map(|(_, advice)| *advice)
}
