//! Which ports outside its own pools the decision calls.

use std::collections::BTreeSet;

use crate::program::{PoolSource, Program};

/// Where API servers listen behind their Service; a policy sees the port after translation.
pub(crate) const API_SERVER: [u16; 2] = [443, 6443];

/// The ports of hosted APIs, of pools by address and of key servers.
pub(crate) fn outside_ports(program: &Program) -> BTreeSet<u16> {
    let mut ports: BTreeSet<u16> = program
        .providers
        .iter()
        .map(|provider| provider.url.as_str())
        .filter(|url| !is_file(url))
        .map(port_of)
        .collect();
    for pool in &program.pools {
        match &pool.source {
            PoolSource::Static(urls) => {
                let urls = urls.iter().map(String::as_str);
                ports.extend(urls.filter(|url| !is_file(url)).map(port_of));
            }
            PoolSource::Dns(address) => ports.extend(written_port(address)),
            PoolSource::Kaito { .. } | PoolSource::Selector { .. } => {}
        }
    }
    ports.extend(program.policy.jwt.iter().map(|jwt| port_of(&jwt.jwks)));
    ports
}

/// The namespaces of Services of the cluster that addresses of the file name: `http://vllm.gpu.svc:80/v1`.
///
/// Such a Service's pods listen on a port of their own, and some networks take no pod for an address outside.
pub(crate) fn inside_namespaces(program: &Program) -> BTreeSet<String> {
    let mut addresses: Vec<&str> = program
        .providers
        .iter()
        .map(|provider| provider.url.as_str())
        .collect();
    for pool in &program.pools {
        match &pool.source {
            PoolSource::Static(urls) => addresses.extend(urls.iter().map(String::as_str)),
            PoolSource::Dns(address) => addresses.push(address),
            PoolSource::Kaito { .. } | PoolSource::Selector { .. } => {}
        }
    }
    addresses.extend(program.policy.jwt.iter().map(|jwt| jwt.jwks.as_str()));
    addresses.into_iter().filter_map(namespace_of).collect()
}

/// The namespace of the Service that `address`, a URL or `host:port`, names; none for a host elsewhere.
pub(crate) fn namespace_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.split(':').next().unwrap_or(authority);
    let host = host.trim_end_matches('.');
    let service = host
        .strip_suffix(".svc.cluster.local")
        .or_else(|| host.strip_suffix(".svc"))?;
    // A pod of a headless Service has its own name before the Service's.
    let (_, namespace) = service.rsplit_once('.')?;
    Some(namespace.to_owned())
}

/// Whether it is on the same machine, reached through a file.
fn is_file(url: &str) -> bool {
    url.starts_with("unix:")
}

/// The port of a URL: the one written, or its scheme's.
pub(crate) fn port_of(url: &str) -> u16 {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    written_port(authority).unwrap_or(if matches!(scheme, "http" | "h2c") {
        80
    } else {
        443
    })
}

/// What stands after the last colon, if it is a port; colons inside brackets are of an IPv6 address.
fn written_port(authority: &str) -> Option<u16> {
    let (_, port) = authority.rsplit_once(':')?;
    port.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{namespace_of, port_of};

    #[test]
    fn services_of_the_cluster_are_told_by_their_names() {
        let inside = |address| namespace_of(address);
        assert_eq!(inside("http://vllm.gpu.svc/v1").as_deref(), Some("gpu"));
        assert_eq!(
            inside("vllm-0.vllm.gpu.svc.cluster.local:8000").as_deref(),
            Some("gpu")
        );
        assert_eq!(inside("https://api.openai.com/v1"), None);
        assert_eq!(inside("http://gpu-1.lab:8000"), None);
        assert_eq!(inside("https://[2001:db8::1]:8443/v1"), None);
        assert_eq!(inside("http://svc:80"), None);
    }

    #[test]
    fn ports_are_written_or_of_the_scheme() {
        assert_eq!(port_of("https://api.openai.com/v1"), 443);
        assert_eq!(port_of("http://gpu-1.lab:8000"), 8000);
        assert_eq!(port_of("http://gpu-1.lab/v1"), 80);
        assert_eq!(port_of("h2c://gpu-1.lab/v1"), 80);
        assert_eq!(port_of("https://[2001:db8::1]/v1"), 443);
        assert_eq!(port_of("https://[2001:db8::1]:8443/v1"), 8443);
    }
}
