//! `waypost key`: files of keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use waypost_runtime::{KeyFile, key_digest};

use crate::harness::waypost;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn keys(path: &Path) -> Value {
    json(&fs::read_to_string(path).unwrap())["keys"].clone()
}

/// A folder and the path of a key file in it that does not exist yet.
fn place() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.json").display().to_string();
    (folder, path)
}

#[test]
fn a_new_key_is_printed_once_and_kept_as_a_digest() {
    let (folder, path) = place();
    let ran = waypost(&[
        "key",
        "new",
        &path,
        "--team",
        "payments",
        "--agent",
        "refunds",
        "--id",
        "bot",
        "--model",
        "gpt-5*",
        "--model",
        "phi",
        "--expires",
        "90d",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let key = ran.stdout.trim();
    assert_eq!((key.len(), key.get(..4)), (42, Some("wpk_")));
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(key));
    assert!(KeyFile::parse(&text).is_ok());
    let entry = &keys(path.as_ref())[0];
    assert_eq!(entry["sha256"], key_digest(key));
    assert_eq!(entry["models"], json(r#"["gpt-5*", "phi"]"#));
    assert_eq!(
        (&entry["team"], &entry["id"]),
        (&"payments".into(), &"bot".into())
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for command in [
        vec!["key", "list", &path],
        vec!["key", "list", &path, "--format", "json"],
    ] {
        let listed = waypost(&command).stdout;
        assert!(
            listed.contains("bot") && listed.contains("active") && !listed.contains(key),
            "{listed}"
        );
    }
    // Nothing else is left beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_second_key_leaves_the_first() {
    let (_folder, path) = place();
    let made =
        |id: &str| json(&waypost(&["key", "new", &path, "--id", id, "--format", "json"]).stdout);
    let (first, second) = (made("a"), made("b"));
    assert_ne!(first["key"], second["key"]);
    assert_eq!(keys(path.as_ref()).as_array().unwrap().len(), 2);
    assert_eq!(keys(path.as_ref())[0]["sha256"], first["entry"]["sha256"]);
}

#[test]
fn a_key_is_revoked_by_id_by_its_beginning_or_by_itself_and_once_more_changes_nothing() {
    let (_folder, path) = place();
    let made =
        |id: &str| json(&waypost(&["key", "new", &path, "--id", id, "--format", "json"]).stdout);
    let (_, b, c) = (made("a"), made("b"), made("c"));
    let begins = b["entry"]["begins"].as_str().unwrap();
    for which in ["a", begins, c["key"].as_str().unwrap()] {
        let ran = waypost(&["key", "revoke", &path, which]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.starts_with("revoked: "), "{}", ran.stdout);
    }
    let before = fs::read_to_string(&path).unwrap();
    assert!(
        keys(path.as_ref())
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["revoked"].is_string())
    );
    let again = waypost(&["key", "revoke", &path, "a"]);
    assert_eq!(
        (again.code, &*again.stdout),
        (
            0,
            &*format!(
                "was revoked before: `a` ({}…)\n",
                keys(path.as_ref())[0]["begins"].as_str().unwrap()
            )
        )
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn what_is_not_there_or_means_several_is_refused() {
    let (_folder, path) = place();
    waypost(&["key", "new", &path, "--id", "a"]);
    waypost(&["key", "new", &path, "--id", "b"]);
    let before = fs::read_to_string(&path).unwrap();
    for which in ["c", "wpk_", "wpk_000000000000", ""] {
        assert_eq!(waypost(&["key", "revoke", &path, which]).code, 2, "{which}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_read_is_not_overwritten_nor_quoted() {
    let (_folder, path) = place();
    fs::write(&path, r#"{"keys":[{"key":"very-secret","tema":"x"}]}"#).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    let ran = waypost(&["key", "new", &path]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean `team`?"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("very-secret"));
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_plain_key_is_never_shown() {
    let (_folder, path) = place();
    fs::write(&path, r#"{"keys":[{"key":"very-secret","id":"a"}]}"#).unwrap();
    for format in ["human", "json"] {
        for action in [vec!["list", &path], vec!["revoke", &path, "a"]] {
            let command = [vec!["key"], action, vec!["--format", format]].concat();
            let ran = waypost(&command);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            assert!(!ran.stdout.contains("very-secret"));
        }
    }
}

#[test]
fn an_expiry_is_to_come() {
    let (_folder, path) = place();
    for wrong in ["soon", "0d", "-3d", "2020-01-01", "9999999999999d", "d"] {
        let expires = format!("--expires={wrong}");
        assert_eq!(waypost(&["key", "new", &path, &expires]).code, 2, "{wrong}");
    }
    assert!(!Path::new(&path).exists());
    assert_eq!(
        waypost(&["key", "new", &path, "--expires", "2999-01-31"]).code,
        0
    );
    assert_eq!(keys(path.as_ref())[0]["expires"], "2999-01-31T00:00:00Z");
}
