//! WP0501: a literal or a placeholder where a secret, a resource or an address belongs.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::syntax::tree::Text;

use crate::findings::Findings;

/// Beginnings of keys that services hand out.
const KEY_PREFIXES: &[&str] = &[
    "sk-", "pk-", "AKIA", "ghp_", "gho_", "xoxb-", "eyJ", "Bearer ",
];

/// What templates leave for the reader to replace, in lower case and with hyphens.
const TEMPLATE_WORDS: &[&str] = &[
    "replace-me",
    "replaceme",
    "change-me",
    "changeme",
    "fill-me",
];

/// What is said of a literal where the place of a secret belongs.
pub(crate) fn literal(text: &Text) -> Diagnostic {
    codes::SECRET_PLACEHOLDER
        .error(text.span, "a secret is written into the file")
        .label("everyone who can read the file can read it")
        .help("say where it is kept: `k8s(\"namespace/name\", \"key\")`, `env(\"NAME\")` or `file(\"path\")`")
}

/// Reports a text that is a placeholder, or a key, instead of the value it stands for.
pub(crate) fn is_real(text: &Text, findings: &mut Findings) -> bool {
    let diagnostic = if let Some(prefix) = key_prefix(&text.value) {
        codes::SECRET_PLACEHOLDER
            .error(text.span, "a secret is written into the file")
            .label(format!("begins with `{prefix}`, as keys do"))
            .help("keep it in a secret and write here where that is")
    } else if let Some(what) = placeholder(&text.value) {
        codes::SECRET_PLACEHOLDER
            .error(text.span, format!("`{}` is a placeholder", text.value))
            .label(what)
            .help("write the real value; where it is a key, the place where it is kept")
    } else {
        return true;
    };
    findings.push(diagnostic);
    false
}

fn key_prefix(text: &str) -> Option<&'static str> {
    KEY_PREFIXES
        .iter()
        .copied()
        .find(|prefix| text.starts_with(prefix) && text.len() > prefix.len() + 3)
}

/// What makes a text a placeholder.
fn placeholder(text: &str) -> Option<&'static str> {
    let open = text.find('<');
    let close = text.rfind('>');
    if open
        .zip(close)
        .is_some_and(|(open, close)| open + 1 < close)
    {
        return Some("to be replaced: angle brackets are no part of a name");
    }
    let folded = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if TEMPLATE_WORDS.iter().any(|word| folded.contains(word)) {
        return Some("to be replaced, as it says");
    }
    let tokens: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    if tokens.contains(&"TODO") || folded == "todo" {
        return Some("still to be done, as it says");
    }
    if tokens.iter().any(|token| is_crosses(token)) || folded.contains("...") {
        return Some("to be filled in");
    }
    let yours = folded.starts_with("your-") || folded.contains("/your-");
    yours.then_some("to be replaced by your own")
}

fn is_crosses(token: &str) -> bool {
    token.len() >= 3 && token.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'))
}

#[cfg(test)]
mod tests {
    use super::{key_prefix, placeholder};

    #[test]
    fn placeholders_are_told_from_names() {
        for bad in [
            "<your-azure-openai-api-key>",
            "https://<your-resource>.openai.azure.com",
            "REPLACE_ME",
            "llm/changeme",
            "TODO",
            "todo",
            "xxx",
            "https://xxxx.openai.azure.com",
            "your-api-key",
        ] {
            assert!(placeholder(bad).is_some(), "{bad}");
        }
        for good in [
            "acme-aoai",
            "todo-list-service",
            "llm/aoai-credentials",
            "exxon",
            "our-gateway",
            "xx",
        ] {
            assert_eq!(placeholder(good), None, "{good}");
        }
    }

    #[test]
    fn keys_are_told_from_names() {
        assert_eq!(key_prefix("sk-proj-abcdef0123456789"), Some("sk-"));
        assert_eq!(key_prefix("sk-"), None);
        assert_eq!(key_prefix("sketch-service"), None);
        assert_eq!(key_prefix("AOAI_KEY"), None);
    }
}
