//! Blocks of the language spliced into a sound file, so that an example need say only what it is about.
//!
//! The blocks are top-level statements. Each is spliced into `base.route`: a statement of the block takes the place of the
//! base's statement of the same name; all `content` of the base gives way to that of the block, which accepts "auto" and
//! starts at weak where it does not say; `policy` is added, unless it says who the `callers` are: then it is the whole
//! policy.

use waypost_lang::syntax::tree::{ContentKind, File, Item, ItemKind, PolicyKind};
use waypost_lang::{FileId, syntax};

/// The sound file.
pub(crate) const BASE: &str = include_str!("base.route");
/// Its first line.
pub(crate) const HEADER: &str = "waypost 1";

/// What two statements of one name have in common; none for what may stand any number of times.
fn identity(item: &Item) -> Option<String> {
    let named = |keyword: &str, name: &str| Some(format!("{keyword} {name}"));
    match &item.kind {
        ItemKind::Import(_) | ItemKind::Extend(_) => None,
        ItemKind::Secret(one) => named("secret", &one.name.value),
        ItemKind::Let(one) => named("let", &one.name.value),
        ItemKind::Provider(one) => named("provider", &one.name.value),
        ItemKind::Model(one) => named("model", &one.name.value),
        ItemKind::Pool(one) => named("pool", &one.name.value),
        ItemKind::Tiers(_) => named("tiers", ""),
        ItemKind::Tier(one) => named("tier", &one.name.value),
        ItemKind::Content(_) => named("content", ""),
        ItemKind::Policy(one) => {
            let mut kinds = one.items.iter().map(|item| &item.kind);
            let whole = kinds.any(|kind| matches!(kind, PolicyKind::Callers(_)));
            named("policy", "").filter(|_| whole)
        }
        ItemKind::Place(one) => named("place", &one.pool.value),
        ItemKind::Deploy(_) => named("deploy", ""),
        ItemKind::Test(one) => named("test", &one.name.value),
        #[allow(unreachable_patterns, reason = "statements that are yet to come")]
        _ => None,
    }
}

fn parse(text: &str) -> File {
    syntax::parse(FileId(0), text).file
}

/// What an example of `content` need not repeat.
fn completed(block: &str) -> String {
    let mut text = block.to_owned();
    for item in parse(block).items.iter().rev() {
        let ItemKind::Content(content) = &item.kind else {
            continue;
        };
        let says =
            |wanted: fn(&ContentKind) -> bool| content.items.iter().any(|item| wanted(&item.kind));
        let (start, end) = (item.span.start as usize, item.span.end as usize);
        let open = start + block.get(start..end).unwrap().find('{').unwrap() + 1;
        if !says(|kind| matches!(kind, ContentKind::Start(_))) {
            text.insert_str(open, "\n  start weak\n");
        }
        if !says(|kind| matches!(kind, ContentKind::Accept(_))) {
            text.insert_str(open, "\n  accept \"auto\"\n");
        }
    }
    text
}

/// The base with the statements of `block` in the place of its own.
pub(crate) fn splice(block: &str) -> String {
    let block = completed(block);
    let written = parse(&format!("{HEADER}\n{block}"));
    let replaced: Vec<String> = written.items.iter().filter_map(identity).collect();
    let mut text = BASE.to_owned();
    for item in parse(BASE).items.iter().rev() {
        let ours = match &item.kind {
            ItemKind::Policy(_) => Some("policy ".to_owned()),
            _ => identity(item),
        };
        if ours.is_some_and(|one| replaced.contains(&one)) {
            text.replace_range(item.span.start as usize..item.span.end as usize, "");
        }
    }
    let text = text.replacen(HEADER, "", 1);
    if block.starts_with(HEADER) {
        return format!("{block}\n{text}");
    }
    format!("{HEADER}\n{block}\n{text}")
}
