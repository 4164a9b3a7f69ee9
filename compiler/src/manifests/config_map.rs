//! ConfigMap.

use serde::Serialize;

use super::object::{Map, Metadata, Object};

/// What a ConfigMap holds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigMap {
    /// Octets in base64.
    #[serde(skip_serializing_if = "Map::is_empty")]
    binary_data: Map,
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: Map,
}

/// What the API server takes in one ConfigMap, in octets before base64.
pub(crate) const LARGEST: usize = 1024 * 1024;

/// What `kubectl apply` without `--server-side` takes: it keeps all of it, in base64, in an annotation of 256 KiB.
pub(crate) const LARGEST_OF_CLIENT_SIDE: usize = 190 * 1024;

/// A ConfigMap of texts.
pub(crate) fn of_texts(metadata: Metadata, data: Map) -> Object<ConfigMap> {
    object(metadata, Map::new(), data)
}

/// A ConfigMap of one file of octets.
pub(crate) fn of_octets(metadata: Metadata, name: &str, octets: &[u8]) -> Object<ConfigMap> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(octets);
    object(metadata, Map::from([(name.to_owned(), text)]), Map::new())
}

fn object(metadata: Metadata, binary_data: Map, data: Map) -> Object<ConfigMap> {
    Object {
        api_version: "v1",
        kind: "ConfigMap",
        metadata,
        body: ConfigMap { binary_data, data },
    }
}

/// A change detector for a pod template's annotation: what is mounted changes the template, so it rolls out.
/// FNV-1a of 128 bits; not a seal, the plan has its own.
pub(crate) fn fingerprint(octets: &[u8]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = octets.iter().fold(OFFSET, |hash, octet| {
        (hash ^ u128::from(*octet)).wrapping_mul(PRIME)
    });
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn fingerprint_is_fnv_1a() {
        // The empty input gives the offset basis; "a" is the reference value of FNV-1a 128.
        assert_eq!(fingerprint(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(fingerprint(b"a"), "d228cb696f1a8caf78912b704e4a8964");
    }
}
