//! A document with vulnerabilities, as its publisher or another scanner writes it.

use plimsoll_scan::feeds::Compiler;
use plimsoll_scan::{Slice, Texts};

use crate::Target;
use crate::make::{choosing, chosen};

pub(crate) static TARGET: Target = Target {
    id: "feed",
    summary: "a document with vulnerabilities, of a publisher or of another scanner",
    seeds,
    run,
};

/// Names say what some documents are about.
const NAMES: [&str; 12] = [
    "tracker.json",
    "v3.19/main.json",
    "v3.19/main.yaml",
    "osv/CVE-2024-1.json",
    "bitnami.jsonl",
    "kev.csv",
    "kev.json",
    "epss.csv",
    "report.json",
    "list",
    "all.zip",
    "feed.json.gz",
];

fn seeds() -> Vec<Vec<u8>> {
    vec![
        choosing(
            0,
            r#"{"a":{"CVE-2024-1":{"description":"x","releases":{"bookworm":{"status":"resolved","fixed_version":"1.2","urgency":"low","repositories":{"bookworm":"1.2"}}}}}}"#,
        ),
        choosing(
            1,
            r#"{"distroversion":"v3.19","reponame":"main","packages":[{"pkg":{"name":"a","secfixes":{"1.0-r0":["CVE-2024-1"],"0":["CVE-2024-2"]}}}]}"#,
        ),
        choosing(
            2,
            "distroversion: v3.19\nreponame: main\npackages:\n  - pkg:\n      name: a\n      secfixes:\n        1.0-r0:\n          - CVE-2024-1\n",
        ),
        choosing(
            3,
            r#"{"id":"GHSA-1","aliases":["CVE-2024-1"],"modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0"}]}],"versions":["0.1"]}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#,
        ),
        choosing(
            5,
            "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,knownRansomwareCampaignUse\nCVE-2024-1,a,b,c,2024-01-02,d,e,2024-02-02,Known\n",
        ),
        choosing(
            6,
            r#"{"title":"x","catalogVersion":"1","dateReleased":"2024-01-01","count":1,"vulnerabilities":[{"cveID":"CVE-2024-1","dateAdded":"2024-01-02","knownRansomwareCampaignUse":"Known"}]}"#,
        ),
        choosing(
            7,
            "#model_version:v2023.03.01,score_date:2024-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\n",
        ),
        choosing(
            8,
            r#"{"SchemaVersion":2,"ArtifactName":"a","Metadata":{"OS":{"Family":"debian","Name":"12"}},"Results":[{"Target":"a","Class":"os-pkgs","Type":"debian","Vulnerabilities":[{"VulnerabilityID":"CVE-2024-1","PkgName":"a","InstalledVersion":"1","FixedVersion":"2","Severity":"HIGH"}]}]}"#,
        ),
        choosing(
            8,
            r#"{"matches":[{"vulnerability":{"id":"CVE-2024-1","severity":"High","fix":{"versions":["2"],"state":"fixed"}},"artifact":{"name":"a","version":"1","type":"deb"}}],"distro":{"name":"debian","version":"12"}}"#,
        ),
        choosing(
            9,
            "CVE-2024-1\n\t- a 1.2-3 (bug #1)\n\t[bookworm] - a <no-dsa> (Minor)\nCVE-2024-2\n\tRESERVED\n",
        ),
    ]
}

fn run(data: &[u8]) {
    let Some((name, bytes)) = chosen(&NAMES, data) else {
        return;
    };
    let mut compiler = Compiler::default();
    if compiler.file(name, bytes).is_err() || compiler.end().is_err() {
        return;
    }
    for (scope, file) in compiler.finish().slices {
        // What was compiled can be read; marks are no slice.
        if !["kev", "epss"].contains(&scope.name()) {
            let slice = Slice::read(&file, Texts::Read);
            assert!(slice.is_ok(), "{scope:?}: {:?}", slice.err());
        }
    }
}
