//! `waypost run`: compiles if needed, serves, and shows decisions as they happen. What changes in the file is served at
//! once, if it is sound.

mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use waypost_compiler::Program;
use waypost_compiler::program::PoolSource;
use waypost_policies::Plan;
use waypost_policies::plan::view::AcceptTarget;
use waypost_runtime::{
    Address, Cluster, Receipt, Reload, ReloadError, Server, Settings, StateStore, TlsFiles,
    UpstreamTls,
};

use crate::compile::{Loaded, Warnings, load};
use crate::decisions::Decisions;
use crate::demo::{self, Demo};
use crate::failure::{Exit, Failure};
use crate::input::PlanArgument;
use crate::terminal::Terminal;

use source::RouteSource;

/// How long open calls may go on after Ctrl-C.
const DRAIN: Duration = Duration::from_secs(10);

/// Compile if needed, and serve.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    file: PlanArgument,
    /// Where callers come in: an address with a port, or `unix:` and a path
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: Address,
    #[command(flatten)]
    tls: Option<TlsFiles>,
    #[command(flatten)]
    upstream_tls: UpstreamTls,
    /// Where metrics, health and the last decisions are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9901")]
    admin: Address,
    /// Where what is used of limits and budgets is kept; `memory` keeps it nowhere. By default a folder of this
    /// file's own in ~/.local/state/waypost, and memory with --demo
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A folder for the audit log: a line of JSON for each call, without its texts; none is kept without it
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// An address that gets a POST when a `warn` share of a limit or budget is passed; where it is a secret, set the
    /// variable WAYPOST_WARN_WEBHOOK instead
    #[arg(long, value_name = "URL")]
    warn_webhook: Option<String>,
    /// Simulate every model server in this process, stand in for missing secrets, and accept
    /// the caller key `demo`
    #[arg(long)]
    demo: bool,
}

impl Run {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let Some(loaded) = load(&self.file, Warnings::Concise, terminal)? else {
            return Ok(Exit::Findings);
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Other(format!("cannot start: {error}")))?;
        runtime.block_on(self.serve(loaded, terminal))?;
        Ok(Exit::Fine)
    }

    async fn serve(&self, loaded: Loaded, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        // Before anything is served, so that an early Ctrl-C is not lost.
        let mut stop = Stop::new()?;
        let Loaded { plan, program } = loaded;
        let plan = Arc::new(plan);
        let (sender, receipts) = unbounded_channel();
        let mut settings = Settings::new(self.listen.clone());
        settings.tls = self.tls.clone();
        settings.upstream_tls = self.upstream_tls.clone();
        settings.admin = Some(self.admin.clone());
        settings.receipts = Some(sender);
        settings.cluster = Cluster::of_this_pod();
        settings.bounds.drain = DRAIN;
        settings.state = self.state();
        settings.audit = self.audit.clone();
        let of_environment = || std::env::var("WAYPOST_WARN_WEBHOOK").ok();
        settings.warn_webhook = self.warn_webhook.clone().or_else(of_environment);
        let demo = match self.demo {
            true => Some(simulate(&plan, program.as_ref(), &mut settings, terminal).await?),
            false => None,
        };
        self.say_state(&plan, &settings.state, terminal)?;
        let (sender, reloads) = unbounded_channel();
        settings.reloads = Some(sender);
        if !self.file.is_standard_input() {
            let source = RouteSource::new(self.file.clone(), &plan, demo.as_ref(), terminal);
            settings.source = Some(Arc::new(source));
        }
        let server = Server::start(Arc::clone(&plan), settings)
            .await
            .map_err(|error| Failure::Other(error.to_string()))?;
        self.greet(&server, &plan, terminal)?;
        let mut decisions = Decisions::new(&plan, terminal.output_color());
        terminal.print(&decisions.header())?;
        terminal.flush()?;
        show(
            (receipts, reloads),
            &mut decisions,
            &mut stop,
            server,
            terminal,
        )
        .await?;
        drop(demo);
        terminal.note(&decisions.summary())
    }

    /// Where limits and budgets are kept.
    fn state(&self) -> StateStore {
        match (&self.state, self.demo) {
            (Some(name), _) => StateStore::named(name),
            (None, true) => StateStore::Memory,
            (None, false) => self
                .file
                .folder_of_its_own()
                .map_or(StateStore::Memory, StateStore::Folder),
        }
    }

    fn say_state(
        &self,
        plan: &Plan,
        state: &StateStore,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        if plan.quotas().is_empty() {
            return Ok(());
        }
        match state {
            StateStore::Folder(folder) => terminal.note(&format!(
                "limits and budgets are kept in {}",
                folder.display()
            )),
            StateStore::Memory => terminal
                .note("limits and budgets are kept in memory: a restart forgets what was used"),
        }
    }

    fn greet(
        &self,
        server: &Server,
        plan: &Plan,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let (place, base) = match server.address() {
            Address::Tcp(address) => (
                format!("{scheme}://{address}/v1"),
                format!("{scheme}://{address}"),
            ),
            Address::Unix(path) => (
                format!("the socket {}", path.display()),
                format!("--unix-socket {} {scheme}://localhost", path.display()),
            ),
        };
        terminal.note(&format!("serving OpenAI's API at {place}"))?;
        if let Some(admin) = server.admin_address() {
            let base = match admin {
                Address::Tcp(address) => format!("http://{address}"),
                Address::Unix(path) => format!("the socket {}: ", path.display()),
            };
            terminal.note(&format!(
                "metrics and the last decisions at {base}/metrics and /decisions"
            ))?;
        }
        if self.demo {
            let model = example_model(plan);
            terminal.note(&format!(
                "try it in another terminal:\n\n  curl {base}/v1/chat/completions \\\n    \
                 -H 'Authorization: Bearer demo' -H 'Content-Type: application/json' \\\n    \
                 -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is 2+2?\"}}]}}'\n"
            ))?;
        }
        terminal.note("Ctrl-C stops")
    }
}

/// Starts the simulated servers and says what is not as in production.
async fn simulate(
    plan: &Plan,
    program: Option<&Program>,
    settings: &mut Settings,
    terminal: &mut Terminal<'_>,
) -> Result<Demo, Failure> {
    let replicas = |name: &str| low_replicas(program?, name);
    let demo = Demo::start(plan, &replicas)
        .await
        .map_err(|error| Failure::Other(format!("cannot start a simulated server: {error}")))?;
    let (secrets, missing) = demo::secrets(plan);
    settings.secrets = secrets;
    settings.upstreams = demo.upstreams.clone();
    settings.demo_key = true;
    settings.alone = true;
    terminal.note(&format!(
        "demo: {}, about ten times as fast as real ones; no call leaves this machine",
        super::plural(demo.servers(), "simulated model server")
    ))?;
    if !missing.is_empty() {
        let names = missing.join(", ");
        terminal.note(&format!("demo: stand-ins for the missing secrets {names}"))?;
    }
    terminal.note("demo: the caller key `demo` is accepted; it stands for team demo")?;
    Ok(demo)
}

/// How many replicas the file gives a pool at least.
fn low_replicas(program: &Program, name: &str) -> Option<usize> {
    let pool = program.pools.iter().find(|pool| pool.name.value == name)?;
    match &pool.source {
        PoolSource::Kaito { replicas, .. } => usize::try_from(replicas.low).ok(),
        PoolSource::Static(endpoints) => Some(endpoints.len()),
        PoolSource::Selector { .. } | PoolSource::Dns(_) => None,
    }
}

/// A name that content takes, to show in the example.
fn example_model(plan: &Plan) -> String {
    let accepts = || plan.accepts().filter(|accept| !accept.prefix());
    let content = accepts().find(|accept| matches!(accept.target(), AcceptTarget::Content(_)));
    let accept = content
        .or_else(|| accepts().next())
        .or_else(|| plan.accepts().next());
    accept.map_or_else(String::new, |accept| accept.name().to_owned())
}

/// Prints each decision as it happens, until told to stop; then those of calls that were still open.
async fn show(
    (mut receipts, mut reloads): (UnboundedReceiver<Receipt>, UnboundedReceiver<Reload>),
    decisions: &mut Decisions,
    stop: &mut Stop,
    server: Server,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    loop {
        let receipt = tokio::select! {
            receipt = receipts.recv() => receipt,
            Some(reload) = reloads.recv() => {
                tell(&reload, decisions, terminal)?;
                continue;
            }
            () = stop.wait() => break,
        };
        let Some(receipt) = receipt else { break };
        print(&receipt, decisions, terminal)?;
    }
    terminal.note("stopping: open calls are finished first, Ctrl-C again cuts them off")?;
    tokio::select! {
        () = server.shutdown() => {}
        () = stop.wait() => {}
    }
    while let Ok(receipt) = receipts.try_recv() {
        print(&receipt, decisions, terminal)?;
    }
    Ok(())
}

fn print(
    receipt: &Receipt,
    decisions: &mut Decisions,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    terminal.print(&decisions.add(receipt))?;
    terminal.flush()
}

/// Says what became of a change of the file.
fn tell(
    reload: &Reload,
    decisions: &mut Decisions,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let (difference, plan) = match reload {
        Reload::Loaded { difference, plan } => (difference, plan),
        Reload::Refused(error) => {
            match &**error {
                // What was found in the file, as `check` shows it.
                ReloadError::Plan(found) if found.ends_with('\n') => terminal.say(found)?,
                error => terminal.complain(&error.to_string())?,
            }
            return terminal
                .note("the file has changed and cannot be served: it goes on as it was");
        }
    };
    decisions.replace_plan(plan);
    let calls = super::plural(difference.calls, "recent call");
    let decided = match (difference.calls, difference.different) {
        (0, _) => String::new(),
        (_, 0) => format!(": it decides {calls} as before"),
        (_, different) => format!(": it decides {different} of {calls} differently"),
    };
    terminal.note(&format!("the file has changed and is served{decided}"))?;
    for change in &difference.changes {
        let calls = super::plural(change.calls, "call");
        terminal.note(&format!("  {calls}: {} -> {}", change.before, change.after))?;
    }
    Ok(())
}

/// Ctrl-C, or what a supervisor sends.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::Other(format!("cannot listen to signals: {error}")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        // Where signals cannot be had, the process ends as the system ends it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
