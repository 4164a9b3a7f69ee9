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
        .map(|provider| port_of(&provider.url))
        .collect();
    for pool in &program.pools {
        match &pool.source {
            PoolSource::Static(urls) => ports.extend(urls.iter().map(|url| port_of(url))),
            PoolSource::Dns(address) => ports.extend(written_port(address)),
            PoolSource::Kaito { .. } | PoolSource::Selector { .. } => {}
        }
    }
    ports.extend(program.policy.jwt.iter().map(|jwt| port_of(&jwt.jwks)));
    ports
}

/// The port of a URL: the one written, or its scheme's.
pub(crate) fn port_of(url: &str) -> u16 {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    written_port(authority).unwrap_or(if scheme == "http" { 80 } else { 443 })
}

/// What stands after the last colon, if it is a port; colons inside brackets are of an IPv6 address.
fn written_port(authority: &str) -> Option<u16> {
    let (_, port) = authority.rsplit_once(':')?;
    port.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn ports_are_written_or_of_the_scheme() {
        assert_eq!(port_of("https://api.openai.com/v1"), 443);
        assert_eq!(port_of("http://gpu-1.lab:8000"), 8000);
        assert_eq!(port_of("http://gpu-1.lab/v1"), 80);
        assert_eq!(port_of("https://[2001:db8::1]/v1"), 443);
        assert_eq!(port_of("https://[2001:db8::1]:8443/v1"), 8443);
    }
}
