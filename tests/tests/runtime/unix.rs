//! Callers and operators through files.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use waypost_runtime::Address;

use crate::client::{chat, request};
use crate::world::World;

async fn send(path: &std::path::Path, mut request: hyper::Request<Full<Bytes>>) -> (u16, Bytes) {
    let stream = TokioIo::new(UnixStream::connect(path).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    request
        .headers_mut()
        .insert("host", "localhost".parse().unwrap());
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn a_server_listens_on_a_file_and_takes_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waypost.sock");
    // What a process left behind that did not end well.
    drop(UnixListener::bind(&path).unwrap());
    let world = World::with(|_, settings| settings.listen = Address::Unix(path.clone())).await;
    let nowhere = world.address;
    let (status, body) = send(&path, request(nowhere, "/v1/chat/completions", chat("hi"))).await;
    assert_eq!(status, 200);
    assert!(body.starts_with(b"{\"id\""));
    world.server.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_somebody_listens_on_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waypost.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let mut settings = waypost_runtime::Settings::new(Address::Unix(path.clone()));
    settings.secrets = waypost_runtime::Secrets::system()
        .with("one_key", "a")
        .with("two_key", "b")
        .with("keys", r#"{"keys":[]}"#);
    let plan = waypost_policies::plan::encode(&crate::plan::draft());
    let plan = std::sync::Arc::new(waypost_policies::Plan::load(plan).unwrap());
    let error = waypost_runtime::Server::start(plan, settings)
        .await
        .unwrap_err();
    let expected = format!("cannot listen on unix:{}: ", path.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(path.exists());
}
