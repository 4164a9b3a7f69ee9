//! What holds for every command: help, mistakes, completions.

use crate::harness::waypost;

#[test]
fn help_and_version_are_results() {
    let help = waypost(&["--help"]);
    assert_eq!((help.code, &*help.stderr), (0, ""));
    for command in [
        "check",
        "fmt",
        "test",
        "build",
        "why",
        "run",
        "explain",
        "completions",
    ] {
        assert!(help.stdout.contains(command), "{command}");
        let own = waypost(&[command, "--help"]);
        assert_eq!((own.code, &*own.stderr), (0, ""), "{command}");
    }
    let version = waypost(&["--version"]);
    assert_eq!(version.code, 0);
    assert!(version.stdout.starts_with("waypost "));
}

#[test]
fn what_is_not_understood_ends_with_2() {
    for arguments in [
        &["chekc"][..],
        &["check"],
        &["check", "a", "--format", "sarif"],
        &["build", "a"],
        &["why", "a", "--request", "b", "--caller", "shoe=3"],
        &["completions", "ksh"],
        &[],
    ] {
        let ran = waypost(arguments);
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn completions_of_each_shell() {
    for (shell, sign) in [
        ("bash", "complete -F _waypost"),
        ("zsh", "#compdef waypost"),
        ("fish", "complete -c waypost"),
    ] {
        let ran = waypost(&["completions", shell]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""));
        assert!(ran.stdout.contains(sign), "{shell}");
        assert!(ran.stdout.contains("stdin-filename"), "{shell}");
    }
}
