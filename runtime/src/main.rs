//! `waypost-runtime PLAN`: serves a sealed plan until it is told to stop, and its successors as they come.
//!
//! Exit codes: 0 after a stop, 2 when it cannot serve.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use waypost_policies::Plan;
use waypost_runtime::{
    Address, Cluster, PlanFile, PlanSource as _, Secrets, Server, Settings, StateStore, TlsFiles,
    UpstreamTls,
};

/// Calls allocate and free many small pieces on one thread, which this is quicker at than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where state is kept if nothing else is said; the manifests mount a volume there.
const STATE_DIRECTORY: &str = "/var/lib/waypost";

/// Serves a Waypost plan: an OpenAI-compatible proxy.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The plan, as `waypost build` writes it
    plan: PathBuf,
    /// Where callers come in: an address with a port, or `unix:` and a path
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: Address,
    #[command(flatten)]
    tls: Option<TlsFiles>,
    #[command(flatten)]
    upstream_tls: UpstreamTls,
    /// Where metrics, health and the last decisions are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9901")]
    admin: Address,
    /// The most connections of callers at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
    /// Where Kubernetes secrets are mounted
    #[arg(long, value_name = "FOLDER")]
    secrets: Option<PathBuf>,
    /// Where what is used of limits and budgets is kept, so that a restart does not forget it; `memory` keeps it nowhere
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A folder for the audit log: a line of JSON for each call, without its texts; none is kept without it
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// An address that gets a POST when a `warn` share of a limit or budget is passed; where it is a secret, set the
    /// variable WAYPOST_WARN_WEBHOOK instead
    #[arg(long, value_name = "URL")]
    warn_webhook: Option<String>,
    /// The largest request body, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    body_limit: u16,
    /// Memory for request bodies above 64 KiB that are held at a time, in MiB; calls beyond it wait
    #[arg(long, value_name = "MIB", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    body_memory: u16,
    /// How many seconds new calls are still taken in after a stop, while `/readyz` says that they should go elsewhere
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    shutdown_delay: u32,
    /// How many seconds open calls may go on after that
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u32,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing is left to be done where even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    log();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("waypost-runtime: {reason}");
            ExitCode::from(2)
        }
    }
}

fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn run(arguments: Arguments) -> Result<(), String> {
    let source = PlanFile(arguments.plan);
    let plan = source.read()?;
    let mut settings = Settings::new(arguments.listen);
    settings.source = Some(Arc::new(source));
    settings.tls = arguments.tls;
    settings.upstream_tls = arguments.upstream_tls;
    settings.admin = Some(arguments.admin);
    settings.cluster = Cluster::of_this_pod();
    settings.bounds.body = usize::from(arguments.body_limit) << 20;
    settings.bounds.body_memory = usize::from(arguments.body_memory) << 20;
    settings.bounds.connections = usize::try_from(arguments.max_connections).unwrap_or(usize::MAX);
    settings.bounds.farewell = Duration::from_secs(arguments.shutdown_delay.into());
    settings.bounds.drain = Duration::from_secs(arguments.drain.into());
    settings.state = StateStore::named(&arguments.state.unwrap_or_else(state_directory));
    settings.audit = arguments.audit;
    settings.warn_webhook = arguments
        .warn_webhook
        .or_else(|| std::env::var("WAYPOST_WARN_WEBHOOK").ok());
    if let Some(folder) = arguments.secrets {
        settings.secrets = Secrets::system().mounted_at(folder);
    }
    // Calls have threads of their own: this one takes in connections, and looks after what all calls share.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(serve(plan, settings))
}

/// What systemd gives a service for this (`StateDirectory=`), or where the system keeps what services must not lose.
fn state_directory() -> PathBuf {
    std::env::var_os("STATE_DIRECTORY").map_or_else(|| STATE_DIRECTORY.into(), PathBuf::from)
}

async fn serve(plan: Plan, settings: Settings) -> Result<(), String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let server = Server::start(Arc::new(plan), settings)
        .await
        .map_err(|error| error.to_string())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            // What comes of it is logged.
            _ = hangup.recv() => drop(server.reload().await),
        }
    }
    server.shutdown().await;
    Ok(())
}
