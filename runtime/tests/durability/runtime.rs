//! The binary, and what it says.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use waypost_policies::plan::{Draft, encode};

use crate::plan::PLENTY;

static LIVES: AtomicU64 = AtomicU64::new(0);

/// A folder that is gone with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("waypost-durability-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    pub(crate) fn plan(&self, draft: &Draft) -> PathBuf {
        let path = self.0.join("plan.waypost");
        fs::write(&path, encode(draft)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running process; killed with its test.
pub(crate) struct Runtime {
    child: Child,
    pub(crate) address: String,
    admin: String,
    rest: BufReader<std::process::ChildStderr>,
}

pub(crate) fn command(plan: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost-runtime"));
    arguments(&mut command, plan, state);
    command
}

fn arguments(command: &mut Command, plan: &Path, state: &Path) {
    command.arg(plan).arg("--state").arg(state);
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command.env("RUST_LOG", "waypost_runtime::server=info,error");
}

impl Runtime {
    pub(crate) fn start(plan: &Path, state: &Path) -> Self {
        Self::spawn(command(plan, state))
    }

    /// No file that it writes may be longer than this many blocks.
    pub(crate) fn start_with_small_files(plan: &Path, state: &Path, blocks: u32) -> Self {
        let mut command = Command::new("sh");
        // Without the trap the first byte too many is the end of the process.
        let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_waypost-runtime")]);
        arguments(&mut command, plan, state);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        LIVES.fetch_add(1, Ordering::AcqRel);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut rest = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut address, mut admin) = (String::new(), None, None);
        while address.is_none() {
            let mut line = String::new();
            assert_ne!(rest.read_line(&mut line).unwrap(), 0, "ended early: {said}");
            let after = |word: &str| {
                line.split_once(word)
                    .map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned())
            };
            address = after("serving address=");
            admin = admin.or_else(|| after("admin="));
            said.push_str(&line);
        }
        Self {
            child,
            address: address.unwrap(),
            admin: admin.expect("the admin address is said"),
            rest,
        }
    }

    /// How many processes there have been.
    pub(crate) fn lives() -> u64 {
        LIVES.load(Ordering::Acquire)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Takes the bound on files away, as making room on a disk does.
    pub(crate) fn allow_larger_files(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("prlimit")
            .args(["--pid", &pid, "--fsize=unlimited:"])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn admin(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        send(&self.admin, &request).expect("the admin port answers")
    }

    /// What is used of the budget, from its share.
    pub(crate) fn used_nano_dollars(&self) -> u64 {
        let metrics = self.admin("/metrics").text;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("waypost_quota_used_ratio{"))
            .unwrap();
        let share: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        (share * PLENTY as f64).round() as u64
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.kill();
        let mut said = String::new();
        let _ = self.rest.read_to_string(&mut said);
        assert!(!said.contains("panicked"), "{said}");
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn error(&self, field: &str) -> String {
        let document: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        document["error"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What the answer says that it cost.
    pub(crate) fn nano_dollars(&self) -> u64 {
        let cost = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("x-waypost-cost-usd: "));
        (cost.unwrap().parse::<f64>().unwrap() * 1e9).round() as u64
    }
}

/// One call; `None` where the process was gone before its answer was whole.
pub(crate) fn ask(address: &str) -> Option<Answer> {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"2+2"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    send(address, &request)
}

fn send(address: &str, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, text) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    (text.len() == length.parse::<usize>().ok()?).then(|| Answer {
        status,
        head: head.to_owned(),
        text: text.to_owned(),
    })
}
