//! `provider NAME { … }`: hosted APIs.

use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::{self, Auth, Text};

use super::bounds::out_of_range;
use super::collected::Collected;
use super::context::Context;
use super::values::{meaningless, missing, server, word};
use crate::checks::{secret_placeholder, this_version};
use crate::program::{ANTHROPIC, GEMINI, Provider, ProviderAuth, ProviderKind};

/// The kinds of provider. Those without a meaning parse, and cannot be served in this version.
const KINDS: &[(&str, Option<ProviderKind>)] = &[
    ("openai", Some(ProviderKind::OpenAi)),
    ("azure-openai", Some(ProviderKind::AzureOpenAi)),
    ("openai-compatible", Some(ProviderKind::OpenAiCompatible)),
    ("anthropic", Some(ProviderKind::Anthropic)),
    ("gemini", Some(ProviderKind::Gemini)),
    ("bedrock", Some(ProviderKind::Bedrock)),
    ("vertex", None),
];

pub(crate) fn resolve(
    collected: &Collected<'_>,
    context: &mut Context<'_>,
) -> Option<Vec<Provider>> {
    let mut resolved = Vec::new();
    for provider in &collected.providers {
        if context.names.providers.owns(&provider.name) {
            resolved.push(resolve_one(provider, context));
        }
    }
    resolved.into_iter().collect()
}

fn resolve_one(provider: &tree::Provider, context: &mut Context<'_>) -> Option<Provider> {
    let owner = format!("provider `{}`", provider.name.value);
    let auth = auth(provider, &owner, context);
    let Some(kind) = &provider.kind else {
        let why = "which API does it speak?";
        let example = "kind azure-openai";
        missing(
            provider.name.span,
            &owner,
            "kind",
            why,
            example,
            context.findings,
        );
        return None;
    };
    let meaning = word("kind of provider", kind, KINDS, context.findings)?;
    let Some(speaks) = meaning else {
        context.findings.push(this_version::provider_kind(kind));
        return None;
    };
    let resource = provider.resource.as_ref();
    let real = resource.is_none_or(|text| resource_name(text, context));
    let base = base_url(provider, speaks, &owner, context);
    let version = version(provider, speaks, &owner, context);
    let region = region(provider, speaks, &owner, context);
    refuse_meaningless(provider, speaks, context);
    refuse_identity(provider, speaks, context);
    Some(Provider {
        name: provider.name.clone(),
        kind: speaks,
        resource: resource.map(|text| text.value.clone()).unwrap_or_default(),
        url: base.filter(|_| real)?,
        version: version?,
        region: region?,
        auth: auth?,
    })
}

fn auth(provider: &tree::Provider, owner: &str, context: &mut Context<'_>) -> Option<ProviderAuth> {
    match provider.auth.as_ref() {
        Some(Spanned { value, .. }) => match value {
            Auth::Secret(name) => {
                let secret = context.names.secrets.resolve(name, context.findings);
                secret.map(ProviderAuth::Secret)
            }
            Auth::None => Some(ProviderAuth::None),
            Auth::WorkloadIdentity => Some(ProviderAuth::WorkloadIdentity),
            Auth::Literal(text) => {
                context.findings.push(secret_placeholder::literal(text));
                None
            }
        },
        None => {
            let why = "how does it know who calls?";
            let example = "auth secret NAME";
            missing(
                provider.name.span,
                owner,
                "auth",
                why,
                example,
                context.findings,
            );
            None
        }
    }
}

/// Whether the text is the name of an Azure resource, which becomes the first label of a host.
fn resource_name(text: &Text, context: &mut Context<'_>) -> bool {
    if !secret_placeholder::is_real(text, context.findings) {
        return false;
    }
    let good = super::values::is_dns_label(&text.value.to_ascii_lowercase());
    if !good {
        out_of_range(
            text.span,
            format!("`{}` is no name of a resource", text.value),
            "cannot be the first part of a host",
            "write the resource's name alone, such as `\"acme-aoai\"`; a whole address goes into `url`",
            context.findings,
        );
    }
    good
}

fn base_url(
    provider: &tree::Provider,
    kind: ProviderKind,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<String> {
    if let Some(text) = &provider.url {
        let real = secret_placeholder::is_real(text, context.findings);
        return real
            .then(|| server("base URL", text, context.findings))
            .flatten();
    }
    let at = provider.name.span;
    match (kind, &provider.resource) {
        (ProviderKind::OpenAi, _) => Some("https://api.openai.com/v1".to_owned()),
        (ProviderKind::Anthropic, _) => Some(ANTHROPIC.to_owned()),
        (ProviderKind::Gemini, _) => Some(GEMINI.to_owned()),
        (ProviderKind::Bedrock, _) => {
            // Without a region, its absence is what is said.
            let region = provider.region.as_ref().map_or("", |region| &region.value);
            Some(format!("https://bedrock-runtime.{region}.amazonaws.com"))
        }
        (ProviderKind::AzureOpenAi, Some(resource)) => {
            let host = resource.value.to_ascii_lowercase();
            Some(format!("https://{host}.openai.azure.com"))
        }
        (ProviderKind::AzureOpenAi, None) => {
            let example = "resource \"acme-aoai\"";
            missing(
                at,
                owner,
                "resource",
                "where is it?",
                example,
                context.findings,
            );
            None
        }
        (ProviderKind::OpenAiCompatible, _) => {
            let example = "url \"https://llm.acme.dev/v1\"";
            missing(at, owner, "url", "where is it?", example, context.findings);
            None
        }
    }
}

fn version(
    provider: &tree::Provider,
    kind: ProviderKind,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<String> {
    match (&provider.version, kind) {
        (Some(version), ProviderKind::AzureOpenAi) => {
            let real = secret_placeholder::is_real(version, context.findings);
            let good = version.value.len() >= 10
                && version
                    .value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if real && !good {
                out_of_range(
                    version.span,
                    format!("`{}` is no version of Azure's API", version.value),
                    "not a date",
                    "write its date, such as `\"2024-10-21\"`",
                    context.findings,
                );
            }
            (real && good).then(|| version.value.clone())
        }
        (None, ProviderKind::AzureOpenAi) => {
            let why = "Azure answers 404 without one";
            let example = "version \"2024-10-21\"";
            missing(
                provider.name.span,
                owner,
                "version",
                why,
                example,
                context.findings,
            );
            None
        }
        _ => Some(String::new()),
    }
}

/// Amazon's region: a part of its host, and of every signature.
fn region(
    provider: &tree::Provider,
    kind: ProviderKind,
    owner: &str,
    context: &mut Context<'_>,
) -> Option<String> {
    let (ProviderKind::Bedrock, region) = (kind, &provider.region) else {
        return Some(String::new());
    };
    let Some(region) = region else {
        let why = "where is it?";
        let example = "region \"eu-west-1\"";
        missing(
            provider.name.span,
            owner,
            "region",
            why,
            example,
            context.findings,
        );
        return None;
    };
    if !secret_placeholder::is_real(region, context.findings) {
        return None;
    }
    let good = super::values::is_dns_label(&region.value);
    if !good {
        out_of_range(
            region.span,
            format!("`{}` is no region", region.value),
            "cannot be a part of a host",
            "write its code, such as `\"eu-west-1\"`",
            context.findings,
        );
    }
    good.then(|| region.value.clone())
}

/// Fields that this kind would not use. Ignored, they would let the author believe in them.
fn refuse_meaningless(provider: &tree::Provider, kind: ProviderKind, context: &mut Context<'_>) {
    let azure = kind == ProviderKind::AzureOpenAi;
    let word = format!("`{}`", kind.word());
    let help = "delete it";
    if let Some(resource) = provider.resource.as_ref().filter(|_| !azure) {
        meaningless(resource.span, "resource", &word, help, context.findings);
    }
    if let Some(version) = provider.version.as_ref().filter(|_| !azure) {
        meaningless(version.span, "version", &word, help, context.findings);
    }
    let amazon = kind == ProviderKind::Bedrock;
    if let Some(region) = provider.region.as_ref().filter(|_| !amazon) {
        meaningless(region.span, "region", &word, help, context.findings);
    }
}

/// A workload's identity is one of Azure's; elsewhere calls would leave without credentials.
fn refuse_identity(provider: &tree::Provider, kind: ProviderKind, context: &mut Context<'_>) {
    let Some(auth) = &provider.auth else {
        return;
    };
    if auth.value == Auth::WorkloadIdentity && kind != ProviderKind::AzureOpenAi {
        context
            .findings
            .push(this_version::workload_identity(auth.span, kind));
    }
}
