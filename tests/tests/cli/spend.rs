//! `waypost spend`.

use crate::harness::{Folder, example, json, waypost, waypost_with};

const FILE: &str = r#"waypost 1
secret keys = env("CALLER_KEYS")
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model cheap { via lab  context 16k  output 4k  price input $0.10  output $0.20 }
model dear { via lab  context 100k  output 10k  price input $2  output $10 }
tiers weak < strong
tier weak { try cheap }
tier strong { try dear }
content { accept "auto"  start weak  escalate to strong when request.tokens > 2000 }
policy {
  callers { keys secret keys  anonymous deny }
  limit  60k tokens / 1m on weak
  budget $50 / day per caller.team on strong
}
"#;

#[test]
fn a_table_for_people() {
    let folder = Folder::new("spend-human");
    let path = folder.write("a.route", FILE);
    let ran = waypost(&["spend", &path]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    insta::assert_snapshot!("spend", ran.stdout);
}

#[test]
fn a_document_for_machines() {
    let folder = Folder::new("spend-json");
    let path = folder.write("a.route", FILE);
    let ran = waypost(&["spend", &path, "--format", "json"]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let document = json(&ran.stdout);
    assert_eq!(document["version"], 1);
    assert_eq!(document["zone"], "UTC");
    assert_eq!(document["replicas"], 1);
    let [weak, strong] = document["tiers"].as_array().unwrap().as_slice() else {
        panic!("{document}")
    };
    assert_eq!(weak["tier"], "weak");
    // 60k held and 60k a minute, at $0.20 a million.
    assert_eq!(weak["everyone"]["hour"]["usd"], "0.732");
    let rule = &weak["everyone"]["hour"]["rules"][0];
    assert_eq!(rule["label"], "60k tokens / 1m");
    assert_eq!(rule["line"], 12);
    assert_eq!(rule["usd"], "0.732");
    assert_eq!(strong["caller"]["day"]["usd"], "50.00");
    let open = &strong["everyone"]["day"];
    assert!(open["usd"].is_null());
    assert_eq!(open["unbounded"]["model"], "dear");
    assert_eq!(open["unbounded"]["nearest"]["label"], "$50 / day");
    assert!(document["total"]["everyone"]["month"]["usd"].is_null());
    assert_eq!(document["total"]["unpriced"].as_array().unwrap().len(), 0);
}

#[test]
fn what_has_no_price_is_said() {
    let text = FILE.replace("price input $0.10  output $0.20", "");
    let ran = waypost_with(&["spend", "-"], &text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said = "`cheap` has no price: what it costs is not in the figures";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert!(ran.stdout.contains("no price"), "{}", ran.stdout);
}

#[test]
fn replicas_count_by_themselves() {
    let text = std::fs::read_to_string(example()).unwrap();
    let text = text.replace("redis secret redis_url", "local");
    let ran = waypost_with(&["spend", "-"], &text);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("10 replicas count by themselves"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("$9,000.00"), "{}", ran.stdout);
}

#[test]
fn replicas_that_share_say_what_they_let_through_beyond_what_is_written() {
    let ran = waypost(&["spend", &example()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Ten, and one while a version is rolled out, hold an eighth in equal parts.
    let said = "over Redis all replicas together let through, beyond what is written, at most:
  `600 requests / 1m`: 66 requests more
  `60k tokens / 1m`: 7491 tokens more
  `$50 / day`: nothing more
  `$900 / month`: nothing more
";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert!(ran.stdout.contains("$900.00"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("$9,000.00"), "{}", ran.stdout);
    let ran = waypost(&["lint", &example()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(said.trim_end()), "{}", ran.stderr);

    let text = std::fs::read_to_string(example()).unwrap();
    let text = text.replace(
        "redis secret redis_url",
        "redis secret redis_url away share",
    );
    let ran = waypost_with(&["spend", "-", "--format", "json"], &text);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let month = &document["shared"][3];
    assert_eq!(month["leased"], 0);
    // An eleventh each, in whole nano-dollars.
    assert_eq!(month["away"], 900_000_000_000_u64 / 11 * 11);
    assert_eq!(document["total"]["everyone"]["month"]["usd"], "1800.00");
}

#[test]
fn a_file_with_errors_has_no_ceiling() {
    let ran = waypost_with(
        &["spend", "-"],
        &FILE.replace("tiers weak < strong", "tiers weak"),
    );
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(ran.stderr.contains("error["), "{}", ran.stderr);
}
