//! Callers with signed tokens: whom they stand for, what is wrong with them, keys that change, an issuer that is away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use waypost_policies::plan::draft::Jwt;
use waypost_runtime::StateStore;

use crate::client::{Answer, chat, get, send, with_key};
use crate::upstream::{Script, Upstream};
use crate::world::World;

const CHAT: &str = "/v1/chat/completions";
const YEAR_2100: u64 = 4_102_444_800;

/// Made with `openssl genrsa 2048` for this test, and a token of `robot` that it signed until 2100.
const RSA_MODULUS: &str = "2XTrNpmBwiXueQVRRFDesU10JcMxxyZfAMzXkEHcFfq0d2XaFtdDgldFw6Ozv54aI6To96VQfYdnppKmmmKlWmhfPRumY2VGq-u6PcC-dBurm1Enb8sAMVoL1fPITfBFixBVpefXY-XWRkRNpc5NMghRkk3_RJ0rZeM_TyTkXK1mMQNgPqa6eFZaNUOoDPcHm9x8TyUaiQ3lBqgsAoOngIXGsTqucLosMrcZKkZRFngkDjI9gZGlUs_s9VDhavlsIwRwdUN8j6CIfJaSuotxi09k5_ftpA8db0w2Ig8nRyVpuU-qdn8LsQlZ12j1W_ex4QJ_CPza8dr-e2WxTkIr8Q";
const RSA_TOKEN: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYSJ9.eyJpc3MiOiAiaHR0cHM6Ly9sb2dpbi5hY21lLmRldiIsICJhdWQiOiAibGxtIiwgInN1YiI6ICJyb2JvdCIsICJleHAiOiA0MTAyNDQ0ODAwfQ.dLVsAkyTkagZyMiY1W3TEypVhdNpGUkWPFYD-ssFlQ2-reypUQCyKgIN60sKvxqriYO_GRfyHAGZZ382pezCvbmlkwm6sNbNRAK8V3ARAPOya2eBzyPHStHi1HCiUV0n90a7vgpuNOoHP41z55HSqtefotk8VEE4e_4z61RGSJwE5Vwr_DCeXLv20bqGggO9fARzz4iIw8q0e9fu1z62bdIN83tZ3b84u0nPRCz1LRuWl21eSHRQB3lpiPwZwjN_hQ9cn5DSYf0AsOaoXJ8adtGNA0BcgUnSxru3nqN9IlmukoAtyAdbCzR4tZbiocFJzQOfIBzYNJ14JsYUCvtHzA";

/// Who signs tokens.
struct Signer {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        Self { id, pair }
    }

    fn published(&self) -> Value {
        let x = encoded(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": x})
    }

    /// A token with these claims instead of the usual ones; `null` leaves one out.
    fn token(&self, changed: Value) -> String {
        self.signed(&json!({"alg": "EdDSA", "kid": self.id}), changed)
    }

    fn signed(&self, header: &Value, changed: Value) -> String {
        let message = unsigned(header, changed);
        let signature = encoded(self.pair.sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn unsigned(header: &Value, changed: Value) -> String {
    let mut claims = json!({
        "iss": "https://login.acme.dev", "aud": "llm", "sub": "robot", "team": "payments", "exp": YEAR_2100
    });
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let claims = claims.as_object_mut().unwrap();
    claims.retain(|_, value| !value.is_null());
    let claims = Value::from(claims.clone());
    let part = |value: &Value| encoded(value.to_string());
    format!("{}.{}", part(header), part(&claims))
}

fn publish(issuer: &Upstream, keys: &[Value]) {
    let document = json!({"keys": keys}).to_string();
    issuer.then(Script::Whole(StatusCode::OK, Vec::new(), document));
}

/// A world that lets callers in by key, and by token of an issuer.
async fn world(issuer: &Upstream, state: Option<&TempDir>) -> World {
    let jwt = Jwt {
        issuer: "https://login.acme.dev".to_owned(),
        audience: "llm".to_owned(),
        jwks: format!("http://{}/keys", issuer.address),
        key: "sub".to_owned(),
        team: "team".to_owned(),
        ..Jwt::default()
    };
    World::with(|draft, settings| {
        draft.callers.jwt = Some(jwt);
        if let Some(folder) = state {
            settings.state = StateStore::Folder(folder.path().to_owned());
        }
    })
    .await
}

async fn call(world: &World, key: &str) -> Answer {
    send(with_key(world.address, CHAT, key, chat("hi"))).await
}

#[tokio::test]
async fn a_token_stands_for_whom_it_claims() {
    let (issuer, signer) = (Upstream::start().await, Signer::new("a"));
    publish(&issuer, &[signer.published()]);
    let mut world = world(&issuer, None).await;
    let answer = call(&world, &signer.token(json!({"aud": ["other", "llm"]}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let receipt = world.receipt().await;
    assert_eq!((&*receipt.caller, &*receipt.team), ("robot", "payments"));
    // Keys go on beside tokens.
    assert_eq!(call(&world, "alpha-key").await.status, 200);
    assert_eq!(&*world.receipt().await.caller, "alpha");
}

#[tokio::test]
async fn rsa_and_ecdsa_sign_too() {
    let issuer = Upstream::start().await;
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
            .unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    publish(
        &issuer,
        &[
            json!({"kty": "RSA", "kid": "rsa", "alg": "RS256", "n": RSA_MODULUS, "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "kid": "ec", "x": encoded(x), "y": encoded(y)}),
        ],
    );
    let world = world(&issuer, None).await;
    let message = unsigned(&json!({"alg": "ES256", "kid": "ec"}), json!({}));
    let signature = encoded(pair.sign(&random, message.as_bytes()).unwrap());
    for token in [RSA_TOKEN, &format!("{message}.{signature}")] {
        let answer = call(&world, token).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let damaged = token.replacen(".eyJ", ".eyK", 1);
        assert_ne!(damaged, token);
        assert_eq!(call(&world, &damaged).await.status, 401);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said() {
    let (issuer, signer, other) = (Upstream::start().await, Signer::new("a"), Signer::new("a"));
    publish(&issuer, &[signer.published()]);
    let mut world = world(&issuer, None).await;
    let good = signer.token(json!({}));
    let header = |header: Value| signer.signed(&header, json!({}));
    let bare = unsigned(&json!({"alg": "none", "kid": "a"}), json!({}));
    for (token, words) in [
        (signer.token(json!({"exp": 1_000_000_000})), "has expired"),
        (
            signer.token(json!({"exp": null})),
            "`exp` of this token is no number",
        ),
        (
            signer.token(json!({"exp": "4102444800"})),
            "`exp` of this token is no number",
        ),
        (signer.token(json!({"nbf": YEAR_2100})), "not valid yet"),
        (
            signer.token(json!({"iss": "https://evil.dev"})),
            "another issuer",
        ),
        (signer.token(json!({"iss": null})), "another issuer"),
        (signer.token(json!({"aud": "other"})), "another audience"),
        (signer.token(json!({"aud": null})), "another audience"),
        (signer.token(json!({"sub": null})), "has no text as `sub`"),
        (signer.token(json!({"sub": 7})), "has no text as `sub`"),
        (
            other.token(json!({})),
            "the signature of this token is wrong",
        ),
        (
            good.replace(".ey", ".eyA"),
            "the signature of this token is wrong",
        ),
        (
            header(json!({"alg": "EdDSA", "kid": "b"})),
            "signed with a key that its issuer does not publish",
        ),
        (
            header(json!({"alg": "RS256", "kid": "a"})),
            "signed with a key that its issuer does not publish",
        ),
        (
            header(json!({"alg": "HS256", "kid": "a"})),
            "not signed with RS256, ES256 or EdDSA",
        ),
        (
            header(json!({"alg": "EdDSA", "kid": "a", "crit": ["b64"]})),
            "not signed with RS256, ES256 or EdDSA",
        ),
        (format!("{bare}."), "not signed with RS256, ES256 or EdDSA"),
        (format!("{good}="), "this token is none"),
    ] {
        let answer = call(&world, &token).await;
        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(answer.error("code"), "invalid_token");
        assert!(
            answer.error("message").contains(words),
            "{words}: {}",
            answer.text
        );
    }
    assert_eq!(call(&world, &good).await.status, 200);
    assert_eq!(world.one.calls(), 1);
}

#[tokio::test]
async fn a_new_key_is_asked_for_and_an_unknown_one_not_again() {
    let (mut issuer, old, new) = (
        Upstream::start().await,
        Signer::new("old"),
        Signer::new("new"),
    );
    publish(&issuer, &[old.published()]);
    let world = world(&issuer, None).await;
    assert_eq!(call(&world, &old.token(json!({}))).await.status, 200);
    publish(&issuer, &[new.published()]);
    let answer = call(&world, &new.token(json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // What the issuer has withdrawn is not believed any more.
    for _ in 0..3 {
        assert_eq!(call(&world, &old.token(json!({}))).await.status, 401);
    }
    assert_eq!(issuer.calls(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_fault_of_the_caller_and_opens_nothing() {
    let (issuer, signer, folder) = (
        Upstream::start().await,
        Signer::new("a"),
        TempDir::new().unwrap(),
    );
    issuer.fails(500).fails(500).fails(500);
    let mut away = world(&issuer, None).await;
    let answer = call(&away, &signer.token(json!({}))).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error("code"), "token_keys_unavailable");
    assert_eq!(away.one.calls(), 0);
    assert!(
        send(get(away.admin, "/readyz"))
            .await
            .text
            .contains("answered 500")
    );
    assert_eq!(call(&away, "alpha-key").await.status, 200);

    // Fetched once, they are there at the next start, whether the issuer is or not.
    let issuer = Upstream::start().await;
    publish(&issuer, &[signer.published()]);
    let first = world(&issuer, Some(&folder)).await;
    assert_eq!(call(&first, &signer.token(json!({}))).await.status, 200);
    first.server.shutdown().await;
    issuer.fails(500).fails(500).fails(500);
    let second = world(&issuer, Some(&folder)).await;
    assert_eq!(call(&second, &signer.token(json!({}))).await.status, 200);
}
