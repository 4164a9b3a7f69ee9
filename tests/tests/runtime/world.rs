//! A server between a caller and two upstreams.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use waypost_policies::Plan;
use waypost_policies::plan::{self, Draft};
use waypost_runtime::{Receipt, Secrets, Server, Settings};

use crate::client::{self, Answer};
use crate::upstream::Upstream;

const KEYS: &str = r#"{"keys":[
    {"key":"alpha-key","id":"alpha","team":"payments"},
    {"key":"sand-key","id":"sand","team":"sandbox"}
]}"#;

pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

/// A server, its upstreams, and what it wrote down.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// Serves `cheap`.
    pub(crate) one: Upstream,
    /// Serves `dear`.
    pub(crate) two: Upstream,
    receipts: UnboundedReceiver<Receipt>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With another plan or other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Draft, &mut Settings)) -> Self {
        let (one, two) = (Upstream::start().await, Upstream::start().await);
        let (sender, receipts) = unbounded_channel();
        let mut settings = Settings::new(ANY_PORT.parse().unwrap());
        settings.admin = Some(ANY_PORT.parse().unwrap());
        settings.receipts = Some(sender);
        settings.secrets = Secrets::system()
            .with("one_key", "sk-one")
            .with("two_key", "sk-two")
            .with("keys", KEYS);
        for (name, upstream) in [("one", &one), ("two", &two)] {
            settings
                .upstreams
                .providers
                .insert(name.to_owned(), format!("http://{}/v1", upstream.address));
        }
        let mut draft = crate::plan::draft();
        change(&mut draft, &mut settings);
        let plan = Plan::load(plan::encode(&draft)).unwrap();
        let server = Server::start(Arc::new(plan), settings).await.unwrap();
        Self {
            address: server
                .address()
                .socket()
                .unwrap_or_else(|| ANY_PORT.parse().unwrap()),
            admin: server.admin_address().unwrap().socket().unwrap(),
            server,
            one,
            two,
            receipts,
        }
    }

    /// Sends a body to the chat.
    pub(crate) async fn chat(&self, body: impl Into<bytes::Bytes>) -> Answer {
        client::send(client::request(self.address, "/v1/chat/completions", body)).await
    }

    /// Asks `auto`.
    pub(crate) async fn ask(&self, prompt: &str) -> Answer {
        self.chat(client::chat(prompt)).await
    }

    /// The next receipt.
    pub(crate) async fn receipt(&mut self) -> Receipt {
        self.receipts.recv().await.unwrap()
    }
}
