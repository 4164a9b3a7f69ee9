//! A proxy as the system sees it: what it computes and what it holds. Ends with the value.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a proxy may take to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it; what it says goes to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{command:?}: {error}");
        let output = File::create(log).map_err(failed)?;
        let failed = |error: std::io::Error| error.to_string();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .spawn();
        Ok(Self {
            child: child.map_err(failed)?,
        })
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The time that it and its children have had a core.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        let mut nanoseconds = 0;
        for process in self.family() {
            for thread in list(&format!("/proc/{process}/task")) {
                let path = format!("/proc/{process}/task/{thread}/schedstat");
                let text = std::fs::read_to_string(&path);
                let text = text.map_err(|error| format!("{path}: {error}"))?;
                let ran = text.split(' ').next().and_then(|ran| ran.parse().ok());
                nanoseconds += ran.unwrap_or(0_u64);
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// What of it and its children is in memory, in kilobytes.
    pub(crate) fn resident(&self) -> u64 {
        let resident = |process: u32| {
            let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().split(' ').next()?.parse::<u64>().ok()
        };
        self.family().into_iter().filter_map(resident).sum()
    }

    /// It and its children; they have none.
    fn family(&self) -> Vec<u32> {
        let this = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{this}/task/{this}/children"));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        std::iter::once(this).chain(children).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Told, not killed: it ends its children.
        let told = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let deadline = Instant::now() + FAREWELL;
        while told.is_ok() && !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Nothing is left to do where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn list(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
