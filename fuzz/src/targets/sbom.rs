//! A bill of materials, or a list of packages.

use plimsoll_packages::{listing, sbom};

use crate::Target;

pub(crate) static TARGET: Target = Target {
    id: "sbom",
    summary: "a bill of materials, or a list of packages",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","bom-ref":"a","name":"a","version":"1","purl":"pkg:deb/debian/a@1?arch=amd64&distro=debian-12","components":[{"type":"library","name":"b"}]}],"dependencies":[{"ref":"a","dependsOn":["a"]}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/%40x/a@1"}]}],"relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-a"}]}"#,
        r#"{"artifacts":[{"name":"a","version":"1","type":"deb","purl":"pkg:deb/a@1"}],"distro":{"id":"debian","versionID":"12"},"schema":{"version":"1"}}"#,
        r#"{"name":"httpd","os":"debian 10","deb":[["a","1","b","1"]],"apk":[["c","1-r0"]],"rpm":["d-1-1.x86_64"]}"#,
        "# debian 12\na 1.0\nb\t2.0\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn run(data: &[u8]) {
    std::hint::black_box(sbom::kind(data));
    let _ = std::hint::black_box(sbom::read(data));
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = std::hint::black_box(listing::read(text));
    }
}
