//! Relationship fields of real packages, and broken ones.

use super::*;

fn one(field: &str) -> Relation {
    let (clauses, problems) = parse(field);
    assert_eq!(problems, Vec::<String>::new(), "{field}");
    assert_eq!(clauses.len(), 1, "{field}");
    clauses[0][0].clone()
}

#[test]
fn a_field_is_clauses_of_alternatives() {
    let field =
        "libc6 (>= 2.34), default-mta | mail-transport-agent,\n perl:any, a(=1)[amd64 !i386],";
    let (clauses, problems) = parse(field);
    assert!(problems.is_empty());
    let text: Vec<Vec<String>> = clauses
        .iter()
        .map(|clause| clause.iter().map(Relation::to_string).collect())
        .collect();
    assert_eq!(
        text,
        [
            vec!["libc6 (>= 2.34)"],
            vec!["default-mta", "mail-transport-agent"],
            vec!["perl:any"],
            vec!["a (= 1) [amd64 !i386]"],
        ]
    );
    assert_eq!(clauses[2][0].qualifier.as_deref(), Some("any"));
    assert_eq!(clauses[0][0].version, Some((Op::Ge, "2.34".to_owned())));
}

#[test]
fn an_empty_field_asks_for_nothing() {
    assert_eq!(parse(""), (Vec::new(), Vec::new()));
    assert_eq!(parse(" \n "), (Vec::new(), Vec::new()));
}

#[test]
fn every_sign_compares_in_debian_order() {
    for (field, yes, no) in [
        ("x (<< 1.0)", "1.0~rc1", "1.0"),
        ("x (<= 1.0)", "1.0", "1.0-1"),
        ("x (= 1.0)", "0:1.0", "1.0+b1"),
        ("x (>= 1.0)", "1.0-1", "1.0~"),
        ("x (>> 1.0)", "1.0-1", "1.0"),
        // The old signs mean "or equal".
        ("x (< 1.0)", "1.0", "1.1"),
        ("x (> 1.0)", "1.0", "0.9"),
        ("x (1.0)", "1.0", "1.1"),
    ] {
        assert!(one(field).satisfied_by_version(yes), "{field} {yes}");
        assert!(!one(field).satisfied_by_version(no), "{field} {no}");
    }
    assert!(one("x").satisfied_by_version("anything"));
}

#[test]
fn a_relation_counts_on_its_architectures() {
    for (field, architecture, counts) in [
        ("x", "amd64", true),
        ("x [amd64]", "amd64", true),
        ("x [amd64]", "arm64", false),
        ("x [!amd64]", "amd64", false),
        ("x [!amd64 !i386]", "arm64", true),
        ("x [linux-any]", "amd64", true),
        ("x [any-amd64]", "amd64", true),
        ("x [any-amd64]", "kfreebsd-amd64", true),
        ("x [kfreebsd-any]", "amd64", false),
        ("x [any]", "amd64", true),
    ] {
        assert_eq!(
            one(field).applies_to(architecture),
            counts,
            "{field} {architecture}"
        );
    }
}

#[test]
fn a_clause_that_is_not_understood_is_left_out_and_said() {
    for bad in [
        "x (>= 1.0",
        "x (=> 1.0)",
        "x (>=)",
        "x (>= 1 2)",
        "x [amd64",
        "x y",
        "x:",
        "(>= 1)",
        "x <!nocheck>",
        "a | ",
        "ü",
        "${misc:Depends}",
    ] {
        let (clauses, problems) = parse(&format!("before, {bad}, after"));
        assert_eq!(clauses.len(), 2, "{bad}");
        assert_eq!(problems.len(), 1, "{bad}");
    }
}
