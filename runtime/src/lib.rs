//! Executes a plan on live traffic: an OpenAI-compatible proxy that decides, counts and explains each call.
//!
//! Invariants: the plan is verified before anything is served; this crate knows no `.route` file, no YAML and no
//! manifest; every decision is [`waypost_policies::decide()`]'s. A call is never served because something failed: what
//! cannot be counted, read or decided is refused with a reason.

mod account;
mod admin;
mod audit;
mod body;
mod books;
mod call;
mod callers;
mod client;
mod clock;
mod dialect;
mod evaluations;
mod failure;
mod forward;
mod front;
mod gateway;
mod journal;
mod json;
mod kubernetes;
mod ledger;
mod lines;
mod metrics;
mod pool;
mod provider;
mod queue;
mod rate_limit;
mod receipt;
mod recent;
mod redact;
mod reload;
mod rule;
mod secrets;
mod server;
mod settings;
mod sharing;
mod spending;
mod stream;
mod translate;
mod usage;
mod webhook;
mod worker;

pub use audit::AuditError;
pub use callers::key::{beginning, key_digest, new_key};
pub use callers::{KeyEntry, KeyFile, KeysError, moment};
pub use client::{ClientError, UpstreamTls};
pub use failure::Tried;
pub use gateway::StartError;
pub use kubernetes::Cluster;
pub use ledger::{Keeper, LedgerError, StateStore};
pub use pool::DiscoveryError;
pub use provider::AccessError;
pub use receipt::{Ending, Receipt};
pub use redact::RedactionError;
pub use reload::{Change, Decided, Difference, PlanFile, PlanSource, Reload, ReloadError};
pub use rule::Site;
pub use secrets::{Federation, SecretError, SecretValue, Secrets, Workload};
pub use server::{Address, AddressError, Server, TlsError, TlsFiles};
pub use settings::{Bounds, Overrides, Settings};

/// The body of an answer.
pub(crate) type Body =
    http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, std::convert::Infallible>;
