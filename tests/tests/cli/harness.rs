//! Runs commands in this process, and asks simulated servers over a socket.

use std::path::PathBuf;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use waypost_cli::demo::Demo;
use waypost_cli::{Stream, Streams};
use waypost_policies::Plan;
use waypost_runtime::Overrides;

/// A sound file.
pub(crate) const FILE: &str = r#"waypost 1

provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }

model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }
model large { via lab  context 400k  output 128k  price input $1.25  output $10.00 }

tiers weak < strong
tier weak { try small  then large }
tier strong { try large }

content {
  accept "auto"
  start weak
  escalate to strong "long context" when request.tokens > 24000
  escalate to strong "vip" when request.headers[?"x-priority"].orValue("") == "high"
}

policy {
  callers { anonymous allow }
  cap at weak "free plan" when caller.plan == "free"
  budget $900 / month
}
"#;

/// One slip: a tier's name.
pub(crate) const BROKEN: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab }
tiers weak < strong
tier weak { try small }
tier strong { try small }
content { accept "auto"  start strogn }
policy { callers { anonymous allow } }
"#;

/// Sound, and in no style.
pub(crate) const UNFORMATTED: &str = "waypost 1\n\n\n\ntiers weak   <strong\n";

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `waypost` with nothing on its input.
pub(crate) fn waypost(arguments: &[&str]) -> Ran {
    waypost_with(arguments, "")
}

/// Runs `waypost` with this on its input.
pub(crate) fn waypost_with(arguments: &[&str], input: &str) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = waypost_cli::run(
        std::iter::once(&"waypost").chain(arguments),
        Streams {
            input: &mut input.as_bytes(),
            output: Stream {
                writer: &mut stdout,
                is_terminal: false,
            },
            errors: Stream {
                writer: &mut stderr,
                is_terminal: false,
            },
            colors: true,
        },
    );
    Ran {
        code: exit.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// One JSON document.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A folder of one test's own, empty at its start.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> String {
        self.0.to_str().unwrap().to_owned()
    }

    pub(crate) fn join(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example's file.
pub(crate) fn example() -> String {
    let path = root().join("examples/agents/agents.route");
    path.to_str().unwrap().to_owned()
}

/// The example's recorded requests.
pub(crate) fn example_requests() -> String {
    let path = root().join("examples/agents/requests.jsonl");
    path.to_str().unwrap().to_owned()
}

/// A folder of the optional data beside the project; says so where it is not there.
pub(crate) fn shared(name: &str) -> Option<String> {
    let path = root().join("../shared").join(name);
    if !path.is_dir() {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    }
    Some(path.to_str().unwrap().to_owned())
}

/// The example's plan.
pub(crate) fn example_plan() -> Plan {
    let text = std::fs::read_to_string(example()).unwrap();
    let checked = waypost_compiler::check("agents.route", &text, &|_: &str| None);
    let program = checked.program.expect("the example compiles");
    let draft = waypost_compiler::lower(&program, &checked.sources);
    Plan::load(waypost_policies::plan::encode(&draft)).unwrap()
}

/// Simulated servers and a client of theirs.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    http: HttpClient<HttpConnector, Full<bytes::Bytes>>,
    demo: Demo,
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Client {
    /// Starts the example's servers, so many for each pool.
    pub(crate) fn start(replicas: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let plan = example_plan();
        let demo = runtime.block_on(Demo::start(&plan, &|_| Some(replicas)));
        Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            runtime,
            demo: demo.unwrap(),
        }
    }

    /// Waits for something on the servers' own threads.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) const fn http(&self) -> &HttpClient<HttpConnector, Full<bytes::Bytes>> {
        &self.http
    }

    pub(crate) fn upstreams(&self) -> &Overrides {
        &self.demo.upstreams
    }

    /// A path at a replica of the example's pool.
    pub(crate) fn pool(&self, replica: usize, path: &str) -> String {
        format!("{}{path}", self.demo.upstreams.pools["phi"][replica])
    }

    /// A path at a provider.
    pub(crate) fn provider(&self, name: &str, path: &str) -> String {
        format!("{}{path}", self.demo.upstreams.providers[name])
    }

    pub(crate) fn get(&self, url: &str) -> Answer {
        self.send("GET", url, "")
    }

    pub(crate) fn post(&self, url: &str, body: &str) -> Answer {
        self.send("POST", url, body)
    }

    fn send(&self, method: &str, url: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .body(Full::from(body.to_owned()))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.http.request(request).await.unwrap();
            let status = response.status().as_u16();
            let content_type = response.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            Answer {
                status,
                content_type,
                text: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        json(&self.text)
    }

    /// The events of a stream, without its end.
    pub(crate) fn events(&self) -> Vec<Value> {
        let events = self
            .text
            .split("\n\n")
            .filter_map(|event| event.strip_prefix("data: "));
        events
            .filter(|event| *event != "[DONE]")
            .map(json)
            .collect()
    }
}
