//! Functions of the standard that this version does not have, so that a message can tell them from misspelt ones.

/// Functions that may fail on some values, with what to write instead.
const PARTIAL: &[(&str, &str)] = &[
    ("charAt", "use `contains`, `startsWith` or `endsWith`"),
    ("substring", "use `contains`, `startsWith` or `endsWith`"),
    ("first", "look through the list: `list.exists(x, …)`"),
    ("last", "look through the list: `list.exists(x, …)`"),
    ("slice", "look through the list: `list.exists(x, …)`"),
];

const MISSING: &[&str] = &[
    "block",
    "bool",
    "bytes",
    "dyn",
    "type",
    "format",
    "quote",
    "sort",
    "sortBy",
    "distinct",
    "flatten",
    "range",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "ofNonZeroValue",
    "unwrap",
    "unwrapOpt",
    "isIP",
    "isCIDR",
    "isCanonical",
    "isUnspecified",
    "isGlobalUnicast",
    "isLinkLocalUnicast",
    "isLinkLocalMulticast",
    "containsCIDR",
    "masked",
    "prefixLength",
    "encode",
    "decode",
    "sign",
    "trunc",
    "sqrt",
    "isNaN",
    "isInf",
    "isFinite",
    "bitAnd",
    "bitOr",
    "bitXor",
    "bitNot",
    "bitShiftLeft",
    "bitShiftRight",
];

/// What to write instead of a function that may fail.
pub(super) fn partial(name: &str) -> Option<&'static str> {
    PARTIAL
        .iter()
        .find(|(partial, _)| *partial == name)
        .map(|(_, instead)| *instead)
}

/// Whether the standard has a function of this name that this version lacks.
pub(super) fn is_missing(name: &str) -> bool {
    MISSING.contains(&name)
}
