//! Words of a fixed set, addresses and names of Kubernetes objects.

use waypost_lang::codes;
use waypost_lang::diagnostic::nearest;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Name, Text};

use super::bounds::out_of_range;
use super::names::{listed, write};
use crate::findings::Findings;

/// What a word means, if it is one of `words`.
pub(crate) fn word<T: Copy>(
    what: &str,
    name: &Name,
    words: &[(&str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == name.value);
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{}` is no {what}", name.value);
        let diagnostic = codes::BAD_VALUE
            .error(name.span, message)
            .label("not a word that exists here");
        findings.push(match nearest(&name.value, all.iter().copied()) {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(format!("write `{near}`"), [write(name.span, near)]),
            None => diagnostic.help(format!("write {}", listed(&all, "or"))),
        });
    }
    found.map(|(_, meaning)| *meaning)
}

/// Reports a field that must be written; `at` is the name of what it belongs to.
pub(crate) fn missing(
    at: Span,
    owner: &str,
    field: &str,
    why: &str,
    example: &str,
    findings: &mut Findings,
) {
    findings.push(
        codes::MISSING_FIELD
            .error(at, format!("{owner} has no `{field}`"))
            .label(why)
            .help(format!("write, for example, `{example}`")),
    );
}

/// Reports a field that has no meaning where it stands: ignoring it would surprise.
pub(crate) fn meaningless(
    span: Span,
    field: &str,
    owner: &str,
    help: &str,
    findings: &mut Findings,
) {
    out_of_range(
        span,
        format!("`{field}` means nothing for {owner}"),
        "would have no effect",
        help,
        findings,
    );
}

/// A base URL without the slash at its end.
pub(crate) fn url(what: &str, text: &Text, findings: &mut Findings) -> Option<String> {
    let fault = url_fault(&text.value);
    if let Some(fault) = fault {
        out_of_range(
            text.span,
            format!("`{}` is no {what}", text.value),
            fault,
            "write scheme, host and path, such as `https://gpu-1.lab:8000`",
            findings,
        );
    }
    let kept = text.value.trim_end_matches('/').to_owned();
    fault.is_none().then_some(kept)
}

/// Where a server of models is: a base URL, with `h2c://` for HTTP/2 without TLS too, or `unix:` and the path of a socket.
pub(crate) fn server(what: &str, text: &Text, findings: &mut Findings) -> Option<String> {
    let fault = match text.value.strip_prefix("unix:") {
        Some(socket) => socket_fault(socket),
        None if text.value.starts_with("h2c://") => {
            url_fault(&text.value.replacen("h2c", "http", 1))
        }
        None => return url(what, text, findings),
    };
    if let Some(fault) = fault {
        out_of_range(
            text.span,
            format!("`{}` is no {what}", text.value),
            fault,
            "write `h2c://gpu-1.lab:8000`, `unix:/run/engine.sock`, or `unix:/run/engine.sock:/v1` with a base",
            findings,
        );
    }
    let kept = text.value.trim_end_matches('/').to_owned();
    fault.is_none().then_some(kept)
}

/// `/run/engine.sock`, `/run/engine.sock:/v1`
fn socket_fault(text: &str) -> Option<&'static str> {
    let (path, base) = text.split_once(':').unwrap_or((text, "/"));
    if !path.starts_with('/') || path.ends_with('/') {
        Some("no path of a file, from `/` on")
    } else if !base.starts_with('/') {
        Some("a base that does not begin with `/`")
    } else if text.contains(['?', '#', '"']) || text.chars().any(char::is_control) {
        Some("a character in it that no path here has")
    } else {
        None
    }
}

fn url_fault(text: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some("no `http://` or `https://` at its beginning");
    };
    let authority = rest.split('/').next().unwrap_or("");
    let host_and_port = authority
        .rsplit_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    if scheme != "http" && scheme != "https" {
        Some("only http and https are spoken")
    } else if text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '"')
    {
        Some("a space in it")
    } else if authority.contains('@') {
        Some("a user in it: credentials belong in a secret")
    } else if text.contains(['?', '#']) {
        Some("a query in it: paths are appended to a base")
    } else if host_and_port.0.is_empty() {
        Some("no host in it")
    } else if authority.starts_with('[') {
        None
    } else if host_and_port.1.is_some_and(|port| !is_port(port)) {
        Some("no port from 1 to 65535 after the colon")
    } else {
        None
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `host:port`.
pub(crate) fn host_and_port(text: &Text, findings: &mut Findings) -> Option<String> {
    let good = text.value.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', ':', ' ']) && is_port(port)
    });
    if !good {
        out_of_range(
            text.span,
            format!("`{}` is no name and port", text.value),
            "not of the form `host:port`",
            "write, for example, `\"vllm.llm.svc.cluster.local:8000\"`",
            findings,
        );
    }
    good.then(|| text.value.clone())
}

/// The name of a Kubernetes namespace: a DNS label.
pub(crate) fn namespace(text: &Text, findings: &mut Findings) -> Option<String> {
    let good = is_dns_label(&text.value);
    if !good {
        out_of_range(
            text.span,
            format!("`{}` is no name of a namespace", text.value),
            "Kubernetes would refuse it",
            "write lower-case letters, digits and `-`, at most 63 of them",
            findings,
        );
    }
    good.then(|| text.value.clone())
}

/// Lower-case letters, digits and inner hyphens, at most 63.
pub(crate) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_dns_part(text)
}

/// The name of a Kubernetes object: parts joined by dots, at most 253 characters; a part may be longer than a label.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_part)
}

fn is_dns_part(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The name of a Kubernetes label: at most 63 letters, digits and inner `-`, `_`, `.`, after a domain and `/` or not.
pub(crate) fn is_label_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => {
            is_dns_subdomain(domain) && !name.is_empty() && is_label_value(name)
        }
        None => !text.is_empty() && is_label_value(text),
    }
}

/// The value of a Kubernetes label; it may be empty.
pub(crate) fn is_label_value(text: &str) -> bool {
    let outer = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && outer(text.bytes().next())
        && outer(text.bytes().last())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{socket_fault, url_fault};

    #[test]
    fn sockets_are_told_from_near_misses() {
        assert_eq!(socket_fault("/run/engine.sock"), None);
        assert_eq!(socket_fault("/run/engine.sock:/v1"), None);
        for wrong in ["", "engine.sock", "//", "/run/", "/run/a:v1", "/run/a?b"] {
            assert!(socket_fault(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn base_urls_are_told_from_near_misses() {
        assert_eq!(url_fault("https://api.openai.com/v1"), None);
        assert_eq!(url_fault("http://127.0.0.1:8000"), None);
        assert_eq!(url_fault("http://[::1]:8000"), None);
        for bad in [
            "api.openai.com/v1",
            "ftp://host",
            "https://",
            "https://u:p@host",
            "https://host:99999",
            "https://host/v1?key=1",
            "https://ho st",
        ] {
            assert!(url_fault(bad).is_some(), "{bad}");
        }
    }
}
