//! The routes of agentgateway's config: one a tier, to the tier's home.

use waypost_lang::codes;

use super::super::layers::{Layers, Route, Upstream};
use super::super::limits::{carry, duration};
use super::super::picker;
use super::SECRET_DIRECTORY;
use crate::manifests::agentgateway::{
    Ai, Azure, Backend, BackendAuth, BackendPolicies, FullPath, HeaderModifier, Host,
    InferenceRouting, KeyFile, Match, PathPrefix, Provider as Speaks, RateLimit, Retry,
    Route as GatewayRoute, RoutePolicies, Target as Leads, Timeout, UrlRewrite,
};
use crate::manifests::object::{Map, pair};
use crate::manifests::secrets::SecretMounts;
use crate::manifests::shape::serving::Pods;
use crate::manifests::versions::InferenceExtension;
use crate::manifests::{Refusal, Target};
use crate::program::{ANTHROPIC, Pool, Provider, ProviderAuth, ProviderKind};

/// What one more attempt may mend.
const TRANSIENT: [u16; 4] = [500, 502, 503, 504];

/// The route of one tier.
pub(super) fn write(
    target: &Target<'_>,
    layers: &Layers<'_>,
    route: &Route<'_>,
    extension: &InferenceExtension,
    secrets: &mut SecretMounts,
) -> Result<GatewayRoute, Refusal> {
    let mut policies = RoutePolicies {
        local_rate_limit: limits(target, layers, route),
        retry: retry(route),
        timeout: route.tier.timeout.map(|timeout| Timeout {
            backend_request_timeout: duration(timeout),
        }),
        ..RoutePolicies::default()
    };
    let backend = match &route.upstream {
        Upstream::Provider(provider) => {
            policies.backend_auth = key(target, provider, secrets)?;
            let limits = &policies.local_rate_limit;
            let tokenize = limits.iter().any(|limit| limit.r#type == "tokens");
            hosted(route, provider, tokenize)?
        }
        Upstream::Pool(_, pool, pods) => {
            let objective = picker::objective_name(pool, route);
            to_picker(&mut policies, extension.objective_header(), objective);
            placed(target, pool, pods)
        }
    };
    Ok(GatewayRoute {
        name: route.name(),
        matches: vec![Match {
            path: PathPrefix {
                path_prefix: format!("/{}", route.name()),
            },
        }],
        policies,
        backends: vec![backend],
    })
}

/// What the picker and the engine behind it must see, whatever the client sent.
fn to_picker(policies: &mut RoutePolicies, objective_header: &str, objective: String) {
    // Set here, so that no client chooses its own priority.
    policies.request_header_modifier = Some(HeaderModifier {
        set: pair(objective_header, objective),
    });
    policies.url_rewrite = Some(UrlRewrite {
        path: FullPath {
            full: "/v1/chat/completions",
        },
    });
}

fn limits(target: &Target<'_>, layers: &Layers<'_>, route: &Route<'_>) -> Vec<RateLimit> {
    let strong = std::ptr::eq(route, &raw const layers.strong);
    target
        .program
        .policy
        .quotas
        .iter()
        .map(|quota| carry(quota, layers))
        .filter_map(|carriage| {
            if strong {
                carriage.strong
            } else {
                carriage.weak
            }
        })
        .collect()
}

fn retry(route: &Route<'_>) -> Option<Retry> {
    (route.tier.retries > 0).then(|| Retry {
        attempts: route.tier.retries.min(255),
        codes: TRANSIENT.to_vec(),
    })
}

fn key(
    target: &Target<'_>,
    provider: &Provider,
    secrets: &mut SecretMounts,
) -> Result<Option<BackendAuth>, Refusal> {
    let ProviderAuth::Secret(index) = provider.auth else {
        return Ok(None);
    };
    let (name, key) = secrets.add(target, index)?;
    Ok(Some(BackendAuth {
        key: KeyFile {
            file: format!("{SECRET_DIRECTORY}/{name}/{key}"),
        },
    }))
}

fn hosted(route: &Route<'_>, provider: &Provider, tokenize: bool) -> Result<Backend, Refusal> {
    let model = route.model.upstream_name.clone();
    let mut ai = Ai {
        name: format!("{}-{}", provider.name.value, route.name()),
        provider: Speaks::open_ai(model),
        host_override: None,
        path_prefix: None,
        tokenize,
    };
    let mut policies = None;
    let mut elsewhere = false;
    match provider.kind {
        // Gemini and Bedrock are refused before.
        ProviderKind::OpenAi | ProviderKind::Gemini | ProviderKind::Bedrock => {}
        ProviderKind::AzureOpenAi => ai.provider = azure(route, provider)?,
        ProviderKind::OpenAiCompatible => elsewhere = true,
        ProviderKind::Anthropic => {
            ai.provider = Speaks::anthropic(route.model.upstream_name.clone());
            elsewhere = provider.url != ANTHROPIC;
        }
    }
    if elsewhere {
        let address = address(&provider.url);
        ai.host_override = Some(address.host);
        ai.path_prefix = address.path;
        policies = address.tls.then(|| BackendPolicies {
            backend_tls: Some(Map::new()),
            inference_routing: None,
        });
    }
    Ok(Backend {
        target: Leads::Ai(ai),
        policies,
    })
}

fn azure(route: &Route<'_>, provider: &Provider) -> Result<Speaks, Refusal> {
    if provider.resource.is_empty() {
        let message = "agentgateway finds Azure by the name of the resource";
        return Err(codes::SHAPE_NEEDS
            .error(provider.name.span, message)
            .help("write `resource \"…\"`: the name alone, not a URL")
            .into());
    }
    Ok(Speaks::azure(Azure {
        resource_name: provider.resource.clone(),
        resource_type: "openAI",
        model: route.model.upstream_name.clone(),
        api_version: Some(provider.version.clone()).filter(|version| !version.is_empty()),
    }))
}

struct Address {
    host: String,
    path: Option<String>,
    tls: bool,
}

/// The parts of a base URL as agentgateway takes them.
fn address(url: &str) -> Address {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| {
        (host, Some(format!("/{path}")).filter(|path| path != "/"))
    });
    let tls = scheme != "http";
    let port = super::port_of(url);
    let has_port = host.ends_with(&format!(":{port}"));
    Address {
        host: if has_port {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        },
        path,
        tls,
    }
}

/// Pods that the picker chooses from: `passthrough` trusts its answer, since no Service lists them here.
fn placed(target: &Target<'_>, pool: &Pool, pods: &Pods) -> Backend {
    let service = picker::app(pool);
    let namespace = target.namespace();
    let host = format!("{service}.{namespace}.svc.cluster.local:{}", picker::PORT);
    Backend {
        target: Leads::Service {
            name: format!("{namespace}/{}", super::hostname(target, pool)),
            port: pods.port,
        },
        policies: Some(BackendPolicies {
            backend_tls: None,
            inference_routing: Some(InferenceRouting {
                endpoint_picker: Host { host },
                destination_mode: "passthrough",
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn base_urls_become_host_and_path() {
        let plain = address("http://gateway.lab:8000/v1");
        assert_eq!(
            (plain.host.as_str(), plain.path.as_deref(), plain.tls),
            ("gateway.lab:8000", Some("/v1"), false)
        );
        let hosted = address("https://api.groq.com");
        assert_eq!(
            (hosted.host.as_str(), hosted.path, hosted.tls),
            ("api.groq.com:443", None, true)
        );
    }
}
