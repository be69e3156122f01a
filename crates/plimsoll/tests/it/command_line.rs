//! The command line: what it prints, and how it ends.

use crate::images::{Tar, layout, plimsoll, text};

#[test]
fn help_names_every_verb_and_every_exit_code() {
    let scratch = tempfile::tempdir().unwrap();
    let output = plimsoll(scratch.path(), &["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for verb in [
        "demo", "inspect", "check", "slim", "build", "why", "diff", "lineage", "lint", "db",
        "explain", "list",
    ] {
        assert!(
            help.contains(&format!("\n  {verb}")),
            "{verb} is not in\n{help}"
        );
    }
    for code in [
        "0 fine",
        "1 findings",
        "2 wrong usage",
        "3 something",
        "4 the slimmed",
    ] {
        assert!(help.contains(code), "{code} is not in\n{help}");
    }
}

#[test]
fn what_is_not_there_is_an_error_of_one_line_and_exit_code_2() {
    let scratch = tempfile::tempdir().unwrap();
    for arguments in [
        &["inspect", "oci:nowhere"][..],
        &["inspect", "nowhere.tar"],
        &["slim", "oci:nowhere", "-o", "oci:out"],
        &["build", "nowhere.toml", "-o", "oci:out"],
        &["why", "/bin/sh", "oci:nowhere"],
        &["diff", "oci:nowhere", "oci:nowhere"],
    ] {
        let output = plimsoll(scratch.path(), arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            text(&output)
        );
        let error = String::from_utf8(output.stderr).unwrap();
        let errors: Vec<_> = error
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{error}");
        assert!(errors[0].contains("nowhere"), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn findings_over_the_line_end_with_exit_code_1() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = Tar::default()
        .file("bin/dash", 0o755, b"\x7fELF")
        .symlink("bin/sh", "dash")
        .finish();
    let config = serde_json::json!({ "User": "1000", "Entrypoint": ["/bin/dash"] });
    let image = layout(&scratch.path().join("image"), &config, &[layer]);
    let fine = plimsoll(scratch.path(), &["inspect", &image]);
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine));
    let over = plimsoll(scratch.path(), &["inspect", &image, "--fail-on", "low"]);
    assert_eq!(over.status.code(), Some(1), "{}", text(&over));
    assert!(
        String::from_utf8_lossy(&over.stdout).contains("/bin/sh"),
        "{}",
        text(&over)
    );
    let json = plimsoll(scratch.path(), &["inspect", &image, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let checks: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["check"])
        .collect();
    assert!(checks.iter().any(|check| **check == "shell"), "{checks:?}");
}

#[test]
fn tables_and_pages_are_json_too() {
    let scratch = tempfile::tempdir().unwrap();
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = plimsoll(scratch.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = json(&["list", "--json"]);
    let tables = all["tables"].as_object().unwrap();
    let has = |table: &str, id: &str| {
        let rows = tables[table].as_array().unwrap();
        rows.iter()
            .any(|row| row["id"] == id && row["summary"] != "")
    };
    assert!(has("checks", "shell") && has("formats", "sarif") && has("sources", "oci"));
    let one = json(&["list", "rules", "--json"]);
    assert_eq!(one["tables"]["rules"], all["tables"]["rules"]);
    assert_eq!(one["tables"].as_object().unwrap().len(), 1);
    // By another tool's name, of a check, and of a file that is written by hand.
    for (asked, id) in [
        ("DL3009", "package-lists"),
        ("shell", "shell"),
        ("config", "config"),
    ] {
        let explained = json(&["explain", asked, "--json"]);
        let page = &explained["pages"][0];
        assert_eq!(page["id"], id);
        assert!(page["page"].as_str().unwrap().lines().count() > 5, "{page}");
    }
    let nothing = plimsoll(scratch.path(), &["explain", "nothing", "--json"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(nothing.stdout.is_empty());
}

#[test]
fn pages_and_tables_can_be_read() {
    let scratch = tempfile::tempdir().unwrap();
    let list = plimsoll(scratch.path(), &["list"]);
    let list = String::from_utf8(list.stdout).unwrap();
    for name in [
        "checks",
        "shell",
        "followers",
        "elf",
        "probes",
        "http",
        "databases",
        "feeds",
        "dpkg",
    ] {
        assert!(list.contains(name), "{name} is not in\n{list}");
    }
    let page = plimsoll(scratch.path(), &["explain", "shell"]);
    assert!(
        String::from_utf8_lossy(&page.stdout).contains("## Not a finding"),
        "{}",
        text(&page)
    );
    assert_eq!(
        plimsoll(scratch.path(), &["explain", "nothing"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_recipe_with_a_typing_error_says_where() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(
        scratch.path().join("r.toml"),
        "[image]\nentrypiont = [\"/x\"]\n",
    )
    .unwrap();
    let output = plimsoll(scratch.path(), &["build", "r.toml", "-o", "oci:out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("entrypiont"),
        "{}",
        text(&output)
    );
    assert!(!scratch.path().join("out").exists());
}

#[test]
fn a_recipe_takes_files_from_beside_it_and_from_nowhere_else() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, told) in [
        ("../secret", "beside the recipe"),
        ("/etc/passwd", "beside the recipe"),
        ("gone", "gone"),
    ] {
        let recipe = format!(
            "[[layers]]\nname = \"a\"\npackages = [\"xy\"]\n[[files]]\npath = \"/f\"\nfrom = \"{name}\"\n"
        );
        std::fs::write(scratch.path().join("r.toml"), recipe).unwrap();
        let output = plimsoll(scratch.path(), &["build", "r.toml", "-o", "oci:out"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(told),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn without_a_mirror_the_demo_says_so_and_offers_another_walk() {
    let scratch = tempfile::tempdir().unwrap();
    // Port 9 (discard) of the loopback: nobody listens there.
    let mirror = [
        "demo",
        "--mirror",
        "http://127.0.0.1:9/debian",
        "--suite",
        "stable",
    ];
    let output = plimsoll(scratch.path(), &mirror);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("not reachable"), "{error}");
    assert!(error.contains("plimsoll demo IMAGE"), "{error}");
}
