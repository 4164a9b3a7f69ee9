//! Reads the key file again when it changes.
//!
//! Invariants: what is compared is what the file says, not its time or its inode, so that the swap of links by which a
//! cluster updates a mounted secret is seen like any other change; a file that cannot be read or used is told once and
//! changes nothing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use waypost_policies::Plan;
use waypost_policies::plan::draft::SecretIndex;

use super::Callers;
use super::key::{Digest, sha256};
use crate::gateway::StartError;
use crate::secrets::{SecretError, SecretValue, Secrets};
use crate::settings::Settings;

/// Where the keys are.
#[derive(Debug, Clone)]
pub(super) struct KeySource {
    secret: SecretIndex,
    secrets: Secrets,
    every: Duration,
}

impl KeySource {
    pub(super) fn new(secret: SecretIndex, settings: &Settings) -> Self {
        Self {
            secret,
            secrets: settings.secrets.clone(),
            every: settings.bounds.key_file,
        }
    }

    /// What stands there now.
    pub(super) fn read(&self, plan: &Plan) -> Result<SecretValue, SecretError> {
        // A verified plan has each secret that it refers to.
        let secret = plan.secret(self.secret).ok_or_else(|| SecretError {
            name: "callers".to_owned(),
            place: "the plan".to_owned(),
            reason: "it has no such secret".to_owned(),
        })?;
        self.secrets.resolve(secret.name(), secret.source())
    }
}

/// What was found the last time: a digest of the file, or why there was none.
type Seen = Result<Digest, String>;

/// Looks at the key file for as long as the server runs.
pub(crate) async fn watch(callers: Arc<Callers>) {
    let Some(source) = callers.source.clone() else {
        return;
    };
    let mut ticks = interval(source.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen: Seen = Ok(callers.first);
    loop {
        ticks.tick().await;
        let (source, plan) = (source.clone(), Arc::clone(&callers.plan));
        let Ok(found) = tokio::task::spawn_blocking(move || source.read(&plan)).await else {
            continue;
        };
        let now = match &found {
            Ok(file) => Ok(sha256(file.expose())),
            Err(error) => Err(error.to_string()),
        };
        if seen != now {
            seen = now;
            take(&callers, found);
        }
    }
}

fn take(callers: &Callers, found: Result<SecretValue, SecretError>) {
    let taken = found
        .map_err(StartError::from)
        .and_then(|file| callers.replace(Some(file.expose())));
    let stale = taken.err().map(|error| error.to_string());
    match &stale {
        None => tracing::info!(keys = callers.keys(), "the caller keys have changed"),
        Some(reason) => tracing::error!(
            reason,
            "the caller keys have changed and cannot be used: those from before go on"
        ),
    }
    callers.metrics.reread(stale.is_none());
    *callers.stale.lock().unwrap_or_else(PoisonError::into_inner) = stale;
}
