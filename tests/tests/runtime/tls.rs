//! Callers over TLS.

use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost_runtime::TlsFiles;

use crate::authority::{Authority, Issued, connect, write};
use crate::client::{get, send};
use crate::wire::{exchange, status};
use crate::world::World;

const REQUEST: &[u8] =
    b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alpha-key\r\n\r\n";

/// What a server with a certificate of this authority is set up with.
fn files(authority: &Authority, issued: &Issued, client_authority: Option<PathBuf>) -> TlsFiles {
    TlsFiles {
        certificate: authority.file("server.pem", &issued.certificate),
        key: authority.file("server.key", &issued.key),
        client_authority,
    }
}

async fn world(tls: TlsFiles) -> World {
    World::with(move |_, settings| {
        settings.tls = Some(tls);
        settings.bounds.key_file = Duration::from_millis(20);
        settings.bounds.handshake = Duration::from_millis(500);
    })
    .await
}

/// Whether a request over this connection is answered.
async fn is_answered(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
    let mut buffer = vec![0; 16 << 10];
    if stream.write_all(REQUEST).await.is_err() {
        return false;
    }
    match stream.read(&mut buffer).await {
        Ok(read) => status(&String::from_utf8_lossy(&buffer[..read])) == 200,
        Err(_) => false,
    }
}

#[tokio::test]
async fn callers_choose_between_http2_and_http1() {
    let authority = Authority::new();
    let world = world(files(&authority, &authority.issue(), None)).await;
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let client = authority.client(None, offered);
        let mut stream = connect(&client, world.address).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
        if chosen != Some(b"h2") {
            assert!(is_answered(&mut stream).await);
        }
    }
    assert!(
        connect(&authority.client(None, &["spdy/3"]), world.address)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn who_speaks_no_tls_or_nothing_at_all_is_not_waited_for() {
    let authority = Authority::new();
    let world = world(files(&authority, &authority.issue(), None)).await;
    let answer = exchange(world.address, REQUEST).await;
    assert_eq!(status(&answer), 0, "{answer}");
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
}

#[tokio::test]
async fn who_has_no_certificate_of_the_authority_stays_outside() {
    let (authority, other) = (Authority::new(), Authority::new());
    let clients = authority.own_file();
    let world = world(files(&authority, &authority.issue(), Some(clients))).await;
    for (identity, is_let_in) in [
        (None, false),
        (Some(other.issue()), false),
        (Some(authority.issue()), true),
    ] {
        let client = authority.client(identity.as_ref(), &["http/1.1"]);
        // In TLS 1.3 a client learns of the refusal only after its own handshake.
        let answered = match connect(&client, world.address).await {
            Ok(mut stream) => is_answered(&mut stream).await,
            Err(_) => false,
        };
        assert_eq!(answered, is_let_in);
    }
    let metrics = send(get(world.admin, "/metrics")).await.text;
    assert!(metrics.contains("waypost_connections_refused_total{reason=\"tls\"} 2"));
}

async fn shown(authority: &Authority, world: &World) -> CertificateDer<'static> {
    let client = authority.client(None, &["http/1.1"]);
    let stream = connect(&client, world.address).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart_and_a_bad_one_is_not() {
    let authority = Authority::new();
    let (old, new) = (authority.issue(), authority.issue());
    let tls = files(&authority, &old, None);
    let world = world(tls.clone()).await;
    let mut before = connect(&authority.client(None, &["http/1.1"]), world.address)
        .await
        .unwrap();
    assert_eq!(shown(&authority, &world).await, old.chain()[0]);
    // The certificate alone does not fit the key; both together do.
    write(&tls.certificate, &new.certificate);
    let ready = loop {
        let ready = send(get(world.admin, "/readyz")).await;
        if ready.text.contains("warnings") {
            break ready;
        }
    };
    assert_eq!(ready.status, 200);
    assert!(
        ready.text.contains("the certificate from before goes on"),
        "{}",
        ready.text
    );
    assert_eq!(shown(&authority, &world).await, old.chain()[0]);
    write(&tls.key, &new.key);
    while shown(&authority, &world).await != new.chain()[0] {
        tokio::task::yield_now().await;
    }
    assert!(
        !send(get(world.admin, "/readyz"))
            .await
            .text
            .contains("warnings")
    );
    assert!(is_answered(&mut before).await);
}

#[tokio::test]
async fn a_server_without_a_usable_certificate_does_not_start() {
    let authority = Authority::new();
    let (one, two) = (authority.issue(), authority.issue());
    let start = async |change: &dyn Fn(&mut TlsFiles)| {
        let mut tls = files(&authority, &one, None);
        change(&mut tls);
        let mut settings = waypost_runtime::Settings::new(crate::world::ANY_PORT.parse().unwrap());
        settings.tls = Some(tls);
        settings.secrets = waypost_runtime::Secrets::system()
            .with("one_key", "a")
            .with("two_key", "b")
            .with("keys", r#"{"keys":[]}"#);
        let plan = waypost_policies::plan::encode(&crate::plan::draft());
        let plan = std::sync::Arc::new(waypost_policies::Plan::load(plan).unwrap());
        let error = waypost_runtime::Server::start(plan, settings)
            .await
            .unwrap_err();
        error.to_string()
    };
    let missing = start(&|tls| tls.key = PathBuf::from("/nowhere/key.pem")).await;
    assert!(missing.starts_with("key `/nowhere/key.pem`: "), "{missing}");
    let mismatched = start(&|tls| tls.key = authority.file("other.key", &two.key)).await;
    assert!(mismatched.starts_with("certificate `"), "{mismatched}");
    assert!(!mismatched.contains("PRIVATE"));
    let none = start(&|tls| tls.certificate = authority.file("none.pem", "")).await;
    assert!(
        none.ends_with("none.pem`: it holds no certificate"),
        "{none}"
    );
}
