//! Replicas of a pool: `/v1` below their base URL, no credentials.

use super::path_of;
use crate::client::base_url;
use crate::dialect::Dialect;

/// Where calls go at a replica.
pub(crate) fn replica_address(base: &str, dialect: Dialect) -> String {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    [&*base_url(base), "/v1/", path_of(dialect)].concat()
}
