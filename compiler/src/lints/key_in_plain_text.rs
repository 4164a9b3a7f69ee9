//! WP0515: a key, or the keys that tokens are verified with, cross the internet unencrypted.

use waypost_lang::syntax::tree::{Auth, ItemKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Ends of names that are of the internet, not of a cluster or an office.
const PUBLIC: &[&str] = &[
    "com", "org", "net", "io", "dev", "ai", "cloud", "app", "co", "eu", "us", "uk", "de", "fr",
    "nl", "ch", "cn", "jp", "in",
];

/// Finds `http://` towards public hosts, where a provider has a key or tokens have their issuer.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for item in subject.files.iter().flat_map(|file| &file.items) {
        let ItemKind::Provider(provider) = &item.kind else {
            continue;
        };
        let keyed = matches!(
            provider.auth.as_ref().map(|auth| &auth.value),
            Some(Auth::Secret(_))
        );
        if let Some(url) = provider
            .url
            .as_ref()
            .filter(|url| keyed && is_exposed(&url.value))
        {
            let label = "everyone on the way can read it, and call in your name";
            found.push(finding(url.span, "the key is sent in plain text", label));
        }
    }
    if let Some(jwt) = &subject.program.policy.jwt
        && is_exposed(&jwt.jwks)
    {
        let label = "everyone on the way can put their own in, and sign what they like";
        found.push(finding(
            jwt.span,
            "the keys of tokens are fetched in plain text",
            label,
        ));
    }
}

fn finding(span: waypost_lang::Span, message: &str, label: &str) -> Diagnostic {
    codes::KEY_IN_PLAIN_TEXT
        .warning(span, message)
        .label(label)
        .help("write `https://`")
}

/// `http://api.example.com/v1`
fn is_exposed(url: &str) -> bool {
    let rest = url.strip_prefix("http://");
    let Some(rest) = rest.or_else(|| url.strip_prefix("h2c://")) else {
        return false;
    };
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    let last = host
        .rsplit_once('.')
        .map(|(_, last)| last.to_ascii_lowercase());
    last.is_some_and(|last| PUBLIC.contains(&last.as_str()))
}
