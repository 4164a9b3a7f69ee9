//! Who is measured: nobody in between, nginx, Waypost, and Waypost with its counts on disk.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Arguments;
use crate::calls::key_file;
use crate::load::probe;
use crate::machine::Machine;
use crate::process::Process;

/// How long a proxy may take to start.
const START: Duration = Duration::from_secs(20);
/// The port of the first replica in the route file; the others follow it.
const FIRST_PORT: usize = 9101;

/// Who is called.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// Nothing where the upstream itself is called.
    pub(crate) process: Option<Process>,
}

/// The upstream alone, then each proxy in front of it.
pub(crate) fn start(
    arguments: &Arguments,
    machine: &Machine,
    replicas: &[SocketAddr],
) -> Result<Vec<Peer>, String> {
    let direct = Peer {
        name: "direct",
        address: *replicas.first().ok_or("there is no upstream")?,
        process: None,
    };
    Ok(vec![
        direct,
        nginx(arguments, machine, replicas)?,
        waypost("waypost", Path::new("memory"), arguments, machine, replicas)?,
        waypost(
            "durable",
            &arguments.folder.join("state"),
            arguments,
            machine,
            replicas,
        )?,
    ])
}

impl Peer {
    /// Waits until it answers.
    pub(crate) async fn is_ready(&self) -> Result<(), String> {
        let deadline = Instant::now() + START;
        loop {
            let Err(reason) = probe(self.address).await else {
                return Ok(());
            };
            if Instant::now() > deadline {
                return Err(format!("{} does not answer: {reason}", self.name));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn nginx(
    arguments: &Arguments,
    machine: &Machine,
    replicas: &[SocketAddr],
) -> Result<Peer, String> {
    let folder = &arguments.folder;
    let address = free_address()?;
    let servers = replicas.iter().map(|address| format!("server {address};"));
    let text = read(&arguments.source.join("nginx.conf"))?
        .replace("FOLDER", &folder.display().to_string())
        .replace("LISTEN", &address.to_string())
        .replace("SERVERS", &servers.collect::<Vec<_>>().join(" "));
    let configuration = folder.join("nginx.conf");
    write(&configuration, &text)?;
    let mut command = machine.pinned(&arguments.nginx);
    command.arg("-e").arg(folder.join("nginx.log"));
    command.arg("-p").arg(folder);
    command.arg("-c").arg(&configuration);
    command.args(["-g", "daemon off;"]);
    Ok(Peer {
        name: "nginx",
        address,
        process: Some(Process::start(command, &folder.join("nginx.out"))?),
    })
}

/// Waypost, its limits and budgets counted in memory alone or kept on disk.
fn waypost(
    name: &'static str,
    state: &Path,
    arguments: &Arguments,
    machine: &Machine,
    replicas: &[SocketAddr],
) -> Result<Peer, String> {
    let folder = &arguments.folder;
    let (address, admin) = (free_address()?, free_address()?);
    let mut text = read(&arguments.source.join("bench.route"))?;
    for (index, replica) in replicas.iter().enumerate() {
        let port = FIRST_PORT + index;
        text = text.replace(&format!("127.0.0.1:{port}"), &replica.to_string());
    }
    let source = folder.join("bench.route");
    write(&source, &text)?;
    // Its own: the other may be about to read its plan.
    let output = folder.join(name);
    let built = Command::new(&arguments.waypost)
        .arg("build")
        .arg(&source)
        .arg("-o")
        .arg(&output)
        .output();
    let built = built.map_err(|error| error.to_string())?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    // What an earlier run has used is nothing to this one.
    let _ = fs::remove_dir_all(state);
    let mut command = machine.pinned(&arguments.runtime);
    command.arg(output.join("plan.waypost"));
    command.args([
        "--listen",
        &address.to_string(),
        "--admin",
        &admin.to_string(),
    ]);
    command.arg("--state").arg(state);
    command.env("WAYPOST_BENCH_KEYS", key_file());
    Ok(Peer {
        name,
        address,
        process: Some(Process::start(
            command,
            &folder.join(format!("{name}.log")),
        )?),
    })
}

/// An address that nobody listens on now.
fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
