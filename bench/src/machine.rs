//! Where it is measured, and which core is whose.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// The machine and what is measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) nginx: String,
    pub(crate) waypost: &'static str,
    /// Processes that wanted a core in the last minute, before this began: what else the machine does.
    pub(crate) load_average: String,
}

/// Whose core is which.
const PROXY_CORE: &str = "0";
const LOAD_CORE: &str = "1";

pub(crate) fn read(nginx: &Path) -> Machine {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = file("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let version = Command::new(nginx).arg("-v").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    let version = version.unwrap_or_default();
    let load = file("/proc/loadavg");
    Machine {
        date: jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        processor: model.trim().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        nginx: version
            .trim()
            .trim_start_matches("nginx version: ")
            .to_owned(),
        waypost: env!("CARGO_PKG_VERSION"),
        load_average: load.split(' ').next().unwrap_or_default().to_owned(),
    }
}

impl Machine {
    /// Keeps this process, and the threads that it starts, off the proxies' core.
    pub(crate) fn pin_this(&self) -> Result<(), String> {
        if self.cores < 2 {
            return Err(
                "two cores are needed: one for the proxy, one for load and upstream".to_owned(),
            );
        }
        let this = std::process::id().to_string();
        let pinned = Command::new("taskset")
            .args(["--cpu-list", "--pid", LOAD_CORE, &this])
            .output();
        match pinned {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("taskset: {error}")),
        }
    }

    /// A program that will have the proxies' core.
    pub(crate) fn pinned(&self, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", PROXY_CORE]).arg(program);
        command
    }
}
