//! `waypost build`.

use crate::harness::{BROKEN, FILE, Folder, example, shared, waypost};
use std::collections::BTreeMap;
use waypost_policies::Plan;

fn contents(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn the_plan_loads_and_every_file_is_named() {
    let folder = Folder::new("build-plan");
    let path = folder.write("a.route", FILE);
    let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, format!("{}\n", folder.join("out/plan.waypost")));
    let bytes = std::fs::read(folder.join("out/plan.waypost")).unwrap();
    assert_eq!(Plan::load(bytes).unwrap().tiers().len(), 2);
}

#[test]
fn two_builds_are_the_same_and_stale_manifests_go() {
    for shape in ["waypost", "layered"] {
        let folder = Folder::new(&format!("build-{shape}"));
        let out = folder.join("out");
        let build = || waypost(&["build", &example(), "-o", &out, "--shape", shape]);
        let ran = build();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let manifests = folder.join("out/manifests");
        let first = contents(&manifests);
        assert!(first.len() > 10, "{:?}", first.keys());
        assert_eq!(ran.stdout.lines().count(), first.len() + 1);
        let stale = "metadata:\n  labels:\n    app.kubernetes.io/managed-by: waypost\n";
        folder.write("out/manifests/99-service-gone.yaml", stale);
        let mine = ["notes.yaml", "98-ingress-mine.yaml"];
        for name in mine {
            folder.write(&format!("out/manifests/{name}"), "mine");
        }
        let again = build();
        assert!(again.stderr.contains("removed"), "{}", again.stderr);
        let mut second = contents(&manifests);
        for name in mine {
            assert_eq!(second.remove(name).unwrap(), b"mine");
        }
        assert_eq!(first, second);
        assert!(first.keys().next().unwrap().starts_with("00-"));
    }
}

#[test]
fn a_build_is_the_same_from_every_folder() {
    let folder = Folder::new("build-elsewhere");
    let copy = std::fs::read_to_string(example()).unwrap();
    let path = folder.write("deep/er/agents.route", &copy);
    let roundabout = folder.join("deep/er/../er/agents.route");
    let mut built = Vec::new();
    for (at, from) in [example(), path, roundabout].iter().enumerate() {
        let out = folder.join(&format!("out-{at}"));
        let ran = waypost(&["build", from, "-o", &out]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let manifests = contents(&folder.join(&format!("out-{at}/manifests")));
        built.push((contents(&out), manifests));
    }
    assert_eq!(built[0], built[1]);
    assert_eq!(built[0], built[2]);
}

#[test]
fn quiet_leaves_results_and_errors() {
    let folder = Folder::new("build-quiet");
    let ran = waypost(&["build", "-q", &example(), "-o", &folder.join("out")]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    assert!(ran.stdout.contains("plan.waypost"));
    let path = folder.write("a.route", BROKEN);
    let ran = waypost(&["build", "-q", &path, "-o", &folder.join("other")]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error[WP0"), "{}", ran.stderr);
}

#[test]
fn what_does_not_compile_writes_nothing() {
    let folder = Folder::new("build-broken");
    let path = folder.write("a.route", BROKEN);
    let ran = waypost(&["build", &path, "-o", &folder.join("out")]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(!std::path::Path::new(&folder.join("out")).exists());
}

#[test]
fn manifests_pass_the_definitions_of_the_data_folder() {
    let Some(crds) = shared("crds") else {
        return;
    };
    let folder = Folder::new("build-crds");
    let out = folder.join("out");
    let ran = waypost(&[
        "build",
        &example(),
        "-o",
        &out,
        "--shape",
        "layered",
        "--crds",
        &crds,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("checked against its definition"),
        "{}",
        ran.stderr
    );
    let empty = Folder::new("build-no-crds");
    let ran = waypost(&["build", &example(), "-o", &out, "--crds", &empty.path()]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no CustomResourceDefinition"),
        "{}",
        ran.stderr
    );
}
