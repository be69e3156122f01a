//! What VEX documents take out of the count, and what they do not.

use plimsoll_model::vulnerability::Affected;

use super::*;

fn facts() -> ScanFacts {
    let one = |id: &str, name: &str| Vulnerability {
        id: id.to_owned(),
        package: Affected {
            ecosystem: "deb",
            name: name.to_owned(),
            version: "3.0-1".to_owned(),
            source: "openssl".to_owned(),
            source_version: "3.0-1".to_owned(),
            purl: format!("pkg:deb/debian/{name}@3.0-1?arch=amd64&distro=debian-12"),
            ..Affected::default()
        },
        ..Vulnerability::default()
    };
    ScanFacts {
        vulnerabilities: vec![
            one("CVE-1", "libssl3"),
            one("CVE-1", "openssl"),
            one("CVE-2", "libssl3"),
            one("CVE-3", "libssl3"),
        ],
        ..ScanFacts::default()
    }
}

fn left(document: &str, image: ImageNames<'_>) -> Vec<String> {
    let mut facts = facts();
    let vex = Vex::parse("vex", document.as_bytes()).unwrap();
    vex.apply(&mut facts, image);
    let left = facts.vulnerabilities.iter();
    left.map(|it| format!("{} {}", it.id, it.package.name))
        .collect()
}

fn openvex(statements: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{statements}]}}"#
    )
}

#[test]
fn a_statement_counts_for_the_package_it_names() {
    let text = openvex(
        r#"{"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:deb/debian/libssl3@3.0-1?arch=amd64"}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
           {"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:deb/debian/libssl3@2.9"}],"status":"not_affected","justification":"component_not_present"},
           {"vulnerability":{"name":"CVE-3"},"products":[{"@id":"pkg:deb/debian/libssl3"}],"status":"affected","action_statement":"wait"}"#,
    );
    assert_eq!(
        left(&text, ImageNames::default()),
        ["CVE-1 openssl", "CVE-2 libssl3", "CVE-3 libssl3"]
    );
}

#[test]
fn a_source_package_is_all_that_is_built_from_it() {
    let text = openvex(
        r#"{"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:deb/debian/openssl@3.0-1?arch=source"}],"status":"fixed"}"#,
    );
    assert_eq!(
        left(&text, ImageNames::default()),
        ["CVE-2 libssl3", "CVE-3 libssl3"]
    );
}

#[test]
fn an_image_may_be_named_whole_or_by_parts() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let text = openvex(&format!(
        r#"{{"vulnerability":{{"name":"CVE-1"}},"products":[{{"@id":"pkg:oci/web@{digest}","subcomponents":[{{"@id":"pkg:deb/debian/openssl"}}]}}],"status":"not_affected","impact_statement":"never started"}},
            {{"vulnerability":{{"name":"https://nvd.nist.gov/vuln/detail/CVE-2"}},"products":["registry.example/web:1"],"status":"not_affected","impact_statement":"x"}}"#
    ));
    let image = ImageNames {
        name: "registry.example/web:1",
        digest: &digest,
    };
    assert_eq!(left(&text, image), ["CVE-1 libssl3", "CVE-3 libssl3"]);
    let other = ImageNames {
        name: "registry.example/db:1",
        digest: "sha256:b",
    };
    assert_eq!(left(&text, other).len(), 4);
}

#[test]
fn the_later_statement_counts() {
    let text = openvex(
        r#"{"vulnerability":{"name":"CVE-1"},"products":["pkg:deb/debian/libssl3"],"status":"affected","timestamp":"2026-02-01T00:00:00Z"},
           {"vulnerability":{"name":"CVE-1"},"products":["pkg:deb/debian/libssl3"],"status":"not_affected","timestamp":"2026-01-02T00:00:00Z"}"#,
    );
    assert_eq!(left(&text, ImageNames::default()).len(), 4);
}

#[test]
fn csaf_says_the_same() {
    let text = r#"{"document":{"category":"csaf_vex","csaf_version":"2.0","tracking":{"current_release_date":"2026-01-01T00:00:00Z"}},
      "product_tree":{"branches":[{"branches":[
         {"product":{"name":"web","product_id":"P1","product_identification_helper":{"purl":"pkg:oci/web"}}},
         {"product":{"name":"libssl3","product_id":"P2","product_identification_helper":{"purl":"pkg:deb/debian/libssl3"}}}]}],
       "relationships":[{"category":"default_component_of","product_reference":"P2","relates_to_product_reference":"P1","full_product_name":{"name":"x","product_id":"P1:P2"}}]},
      "vulnerabilities":[
        {"cve":"CVE-1","product_status":{"known_not_affected":["P1:P2"]},"flags":[{"label":"component_not_present","product_ids":["P1:P2"]}],"threats":[{"category":"impact","details":"not linked"}]},
        {"cve":"CVE-3","product_status":{"known_affected":["P2"]}}]}"#;
    let image = ImageNames {
        name: "registry.example/web:1",
        digest: "",
    };
    assert_eq!(
        left(text, image),
        ["CVE-1 openssl", "CVE-2 libssl3", "CVE-3 libssl3"]
    );
    let mut facts = facts();
    Vex::parse("vex", text.as_bytes())
        .unwrap()
        .apply(&mut facts, image);
    let quiet = &facts.quiet[0];
    assert_eq!(
        (&*quiet.justification, &*quiet.reason),
        ("component_not_present", "not linked")
    );
}

#[test]
fn what_is_no_vex_is_refused() {
    for text in ["", "{}", "[]", r#"{"@context":"https://openvex.dev/ns"}"#] {
        assert!(Vex::parse("x", text.as_bytes()).is_err(), "{text}");
    }
    let bad = openvex(r#"{"vulnerability":{"name":"CVE-1"},"products":[],"status":"fine"}"#);
    let error = Vex::parse("x", bad.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "statement 1: the status `fine` is not known");
}
