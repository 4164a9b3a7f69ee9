//! Names that Kubernetes would not take: what is said of them, once a pool, where the pool is named.

use std::collections::BTreeMap;
use std::fmt;

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;

use super::Target;
use super::object::{LONGEST_LABEL, dns_name};
use crate::program::Pool;

/// Why an object cannot be written.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Its name is too long, or none at all.
    Name {
        /// What it is.
        kind: &'static str,
        /// What it would be called.
        name: String,
    },
    /// Another has its name.
    Twice {
        /// What both are.
        kind: &'static str,
        /// What both would be called.
        name: String,
    },
    /// The writer refuses it.
    Unwritable {
        /// What it is.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What the writer says.
        error: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { kind, name } => write!(
                f,
                "`{name}` is no name for a {kind}: at most {LONGEST_LABEL} lower-case letters, digits and `-`"
            ),
            Self::Twice { kind, name } => {
                write!(f, "two names in the file both become the {kind} `{name}`")
            }
            Self::Unwritable { kind, name, error } => {
                write!(f, "{kind} `{name}` cannot be written as YAML: {error}")
            }
        }
    }
}

/// What is said of `faults`: each cause once, since one name becomes the names of many objects.
pub(crate) fn diagnostics(target: &Target<'_>, faults: &[Fault]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut too_long: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for fault in faults {
        if let Fault::Name { name, .. } = fault
            && let Some(pool) = owner(target, name)
        {
            let longest = too_long.entry(pool).or_insert((0, ""));
            *longest = (*longest).max((name.len(), name));
        } else {
            found.push(codes::SHAPE_NEEDS.error(target.deploy.span, fault.to_string()));
        }
    }
    found.extend(too_long.into_iter().filter_map(|(pool, (length, name))| {
        let pool = target.program.pools.get(pool)?;
        Some(shorten(pool, length - LONGEST_LABEL, name))
    }));
    found
}

/// The pool whose shorter name would make `name` short enough.
fn owner(target: &Target<'_>, name: &str) -> Option<usize> {
    let excess = name.len().checked_sub(LONGEST_LABEL)?;
    let pools = target.program.pools.iter().enumerate();
    let named = pools.map(|(index, pool)| (dns_name(&pool.name.value), index));
    named
        .filter(|(pool, _)| excess > 0 && pool.len() > excess && name.contains(pool.as_str()))
        .max_by_key(|(pool, _)| pool.len())
        .map(|(_, index)| index)
}

fn shorten(pool: &Pool, excess: usize, name: &str) -> Diagnostic {
    let length = pool.name.value.len();
    let message = format!("the name of pool `{}` is too long", pool.name.value);
    codes::SHAPE_NEEDS
        .error(pool.name.span, message)
        .label(format!(
            "`{name}`, which is made from it, has more than {LONGEST_LABEL} characters"
        ))
        .help(format!(
            "name it in at most {} characters",
            length.saturating_sub(excess)
        ))
}
