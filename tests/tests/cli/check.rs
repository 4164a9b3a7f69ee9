//! `waypost check`.

use crate::harness::{BROKEN, FILE, Folder, example, json, shared, waypost, waypost_with};

#[test]
fn a_sound_file_says_nothing_on_stdout() {
    let folder = Folder::new("check-sound");
    let path = folder.write("a.route", FILE);
    let ran = waypost(&["check", &path]);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr, "no errors in 1 file\n");
    assert_eq!(waypost(&["check", "--quiet", &path]).stderr, "");
}

#[test]
fn findings_go_to_stdout_and_their_number_to_stderr() {
    let ran = waypost_with(&["check", "-", "--stdin-filename", "x.route"], BROKEN);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("error[WP0"), "{}", ran.stdout);
    assert!(ran.stdout.contains("[x.route:"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 error in x.route\n");
}

#[test]
fn each_finding_on_one_line() {
    let ran = waypost_with(&["check", "-", "--format", "concise"], BROKEN);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("stdin.route:"), "{}", ran.stdout);
    assert!(ran.stdout.contains(": error[WP0"), "{}", ran.stdout);
}

#[test]
fn findings_as_json() {
    let ran = waypost_with(&["check", "-", "--format", "json"], BROKEN);
    let document = json(&ran.stdout);
    assert_eq!(document["version"], 1);
    let found = &document["diagnostics"][0];
    assert_eq!(found["severity"], "error");
    assert_eq!(found["file"], "stdin.route");
    let line = found["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(BROKEN.lines().nth(line - 1).unwrap().contains("strogn"));
    let start = found["range"]["start"]["byte"].as_u64().unwrap() as usize;
    let end = found["range"]["end"]["byte"].as_u64().unwrap() as usize;
    assert_eq!(&BROKEN[start..end], "strogn");
    let clean = waypost_with(&["check", "-", "--format", "json"], FILE);
    assert_eq!(clean.stdout, "{\"diagnostics\":[],\"version\":1}\n");
    assert_eq!(clean.code, 0);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ran = waypost(&["check", "no/such.route"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "error: cannot read `no/such.route`: there is no such file\n"
    );
}

#[test]
fn a_file_that_is_not_text_is_named() {
    let folder = Folder::new("check-bytes");
    let path = folder.write("a.route", "");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    let ran = waypost(&["check", &path]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.ends_with("it is not UTF-8\n"), "{}", ran.stderr);
}

#[test]
fn folders_are_searched_and_parts_belong_to_their_whole() {
    let folder = Folder::new("check-folder");
    folder.write(
        "deep/whole.route",
        &format!("{FILE}\nimport \"part.route\"\n"),
    );
    // By itself this would be an error: it has no tier `strong`.
    let part = "waypost 1\ncontent part { accept \"part\"  start strong }\n";
    let part = folder.write("deep/part.route", part);
    folder.write(".hidden/broken.route", BROKEN);
    let ran = waypost(&["check", &folder.path()]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "no errors in 1 file\n");
    assert_eq!(waypost(&["check", &part]).code, 1);
}

#[test]
fn a_folder_without_files_is_a_mistake() {
    let folder = Folder::new("check-empty");
    let ran = waypost(&["check", &folder.path()]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no .route file"), "{}", ran.stderr);
}

#[test]
fn colours_come_only_when_asked_for() {
    let escapes = |arguments: &[&str]| {
        let ran = waypost_with(arguments, BROKEN);
        assert_eq!(ran.code, 1);
        ran.stdout.contains('\u{1b}')
    };
    assert!(!escapes(&["check", "-"]));
    assert!(!escapes(&["check", "-", "--color", "never"]));
    assert!(escapes(&["--color", "always", "check", "-"]));
}

#[test]
fn warnings_are_counted_and_left_to_others() {
    let text = FILE.replace("anonymous allow", "anonymous deny");
    let ran = waypost_with(&["check", "-"], &text);
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "no errors in 1 file\n1 warning: `waypost lint` shows them\n"
    );
}

#[test]
fn what_is_no_text_is_named() {
    let folder = Folder::new("check-binary");
    let path = folder.join("a.route");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let ran = waypost(&["check", &path]);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert_eq!(
        ran.stderr,
        format!("error: cannot read `{path}`: it is not UTF-8\n")
    );
    let importing = format!("{FILE}import \"a.route\"\n");
    let other = folder.write("b.route", &importing);
    let ran = waypost(&["check", "--format", "concise", &other]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("WP0103"), "{}", ran.stdout);
}

#[test]
fn findings_as_workflow_commands() {
    let ran = waypost_with(&["check", "-", "--format", "github"], BROKEN);
    assert_eq!(ran.code, 1);
    let start =
        "::error file=stdin.route,line=7,col=32,endLine=7,endColumn=38,title=WP0101 unknown-name::";
    assert!(ran.stdout.starts_with(start), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
}

#[test]
fn a_document_holds_all_files_also_those_without_findings() {
    let folder = Folder::new("check-documents");
    folder.write("a.route", BROKEN);
    folder.write("b.route", FILE);
    folder.write("c.route", BROKEN);
    let ran = waypost(&["check", "--format", "junit", &folder.path()]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout
            .contains("<testsuites name=\"waypost\" tests=\"3\" failures=\"2\""),
        "{}",
        ran.stdout
    );
    let ran = waypost(&["check", "--format", "sarif", &folder.path()]);
    let log = json(&ran.stdout);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);
    assert_eq!(
        log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// The standard's own schema, where it lies beside the project: its licence is the standard's, not ours.
#[test]
fn sarif_is_accepted_by_its_schema() {
    let Some(schemas) = shared("schemas") else {
        return;
    };
    let path = std::path::Path::new(&schemas).join("sarif-schema-2.1.0.json");
    let Ok(schema) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    assert_valid(&schema);
}

/// What code scanning demands, in a schema of our own: held everywhere, also where the standard's is not at hand.
#[test]
fn sarif_is_what_code_scanning_demands() {
    let schema = include_str!("../../schemas/code-scanning.json");
    assert_valid(schema);
    let validator = jsonschema::validator_for(&json(schema)).unwrap();
    let broken = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("broken");
    let ran = waypost(&["check", "--format", "sarif", broken.to_str().unwrap()]);
    let sound = json(&ran.stdout);
    // The schema refuses a log that lacks what it asks for.
    for pointer in [
        "/version",
        "/runs/0/tool/driver/name",
        "/runs/0/results/0/message",
    ] {
        let mut log = sound.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let object = log.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        object.remove(field).unwrap();
        assert!(!validator.is_valid(&log), "{pointer}");
    }
}

/// Holds the log of every broken file, and of a sound one, against a schema.
fn assert_valid(schema: &str) {
    let schema = jsonschema::validator_for(&json(schema)).unwrap();
    let broken = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("broken");
    let folder = broken.to_str().unwrap();
    let sound = waypost(&["check", "--format", "sarif", &example()]);
    for ran in [waypost(&["check", "--format", "sarif", folder]), sound] {
        let log = json(&ran.stdout);
        let wrong: Vec<String> = schema
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
