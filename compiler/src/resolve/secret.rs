//! `secret NAME = k8s("ns/name", "key")`: places where secrets are kept, never secrets.

use waypost_lang::syntax::tree::{self, Text};

use super::bounds::out_of_range;
use super::collected::Collected;
use super::context::Context;
use super::values::{is_dns_label, is_dns_subdomain};
use crate::checks::secret_placeholder;
use crate::findings::Findings;
use crate::program::{Secret, SecretSource};

pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Option<Vec<Secret>> {
    let declared = collected
        .secrets
        .iter()
        .filter(|secret| context.names.secrets.owns(&secret.name));
    let resolved: Vec<Option<Secret>> = declared
        .map(|secret| {
            let source = source(secret, context.findings)?;
            Some(Secret {
                name: secret.name.clone(),
                source,
            })
        })
        .collect();
    resolved.into_iter().collect()
}

fn source(secret: &tree::Secret, findings: &mut Findings) -> Option<SecretSource> {
    match &secret.source {
        tree::SecretSource::Literal(text) => {
            findings.push(secret_placeholder::literal(text));
            None
        }
        tree::SecretSource::Kubernetes { object, key } => kubernetes(object, key, findings),
        tree::SecretSource::Environment(name) => environment(name, findings),
        tree::SecretSource::File(path) => {
            let real = secret_placeholder::is_real(path, findings);
            let empty = path.value.trim().is_empty();
            if empty {
                let help = "write the path of the file that holds the secret";
                out_of_range(path.span, "no path", "empty", help, findings);
            }
            (real && !empty).then(|| SecretSource::File(path.value.clone()))
        }
    }
}

fn kubernetes(object: &Text, key: &Text, findings: &mut Findings) -> Option<SecretSource> {
    let real = secret_placeholder::is_real(object, findings);
    if !(real && secret_placeholder::is_real(key, findings)) {
        return None;
    }
    let named = object
        .value
        .split_once('/')
        .filter(|(namespace, name)| is_dns_label(namespace) && is_dns_subdomain(name));
    let Some((namespace, name)) = named else {
        out_of_range(
            object.span,
            format!("`{}` names no Kubernetes secret", object.value),
            "not of the form `namespace/name`",
            "write the namespace and the secret's name, such as `\"llm/aoai-credentials\"`",
            findings,
        );
        return None;
    };
    let good_key = !key.value.is_empty()
        && key.value.len() <= 253
        && key.value != "."
        && !key.value.starts_with("..")
        && key
            .value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !good_key {
        out_of_range(
            key.span,
            format!("`{}` is no key of a Kubernetes secret", key.value),
            "Kubernetes would refuse it",
            "write letters, digits, `-`, `_` and `.`, not `..` first",
            findings,
        );
        return None;
    }
    Some(SecretSource::Kubernetes {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        key: key.value.clone(),
    })
}

fn environment(name: &Text, findings: &mut Findings) -> Option<SecretSource> {
    if !secret_placeholder::is_real(name, findings) {
        return None;
    }
    let good = name
        .value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name
            .value
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
    if !good {
        out_of_range(
            name.span,
            format!("`{}` is no name of an environment variable", name.value),
            "no shell could set it",
            "write the variable's name, such as `env(\"AOAI_KEY\")`",
            findings,
        );
    }
    good.then(|| SecretSource::Environment(name.value.clone()))
}
