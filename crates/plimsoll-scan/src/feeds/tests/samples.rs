//! One small document of every kind, made by hand, and what it says.

pub(super) struct Sample {
    pub(super) feed: &'static str,
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// The advisories, one a line.
    pub(super) lines: &'static str,
}

pub(super) const DEBIAN: &str = r#"{
  "zlib": {
    "CVE-2023-1": {"description": "overflow", "scope": "remote", "debianbug": 1, "releases": {
      "bookworm": {"status": "open", "repositories": {"bookworm": "1:1.2.13.dfsg-1"}, "urgency": "not yet assigned", "nodsa": "Minor issue", "nodsa_reason": ""},
      "trixie": {"status": "resolved", "repositories": {}, "fixed_version": "1:1.3.dfsg-1", "urgency": "medium**"},
      "sid": {"status": "resolved", "fixed_version": "0", "urgency": "low"},
      "forky": {"status": "undetermined", "urgency": "not yet assigned"}}},
    "CVE-2023-2": {"releases": {
      "bookworm": {"status": "open", "urgency": "unimportant"},
      "trixie": {"status": "resolved", "fixed_version": "2", "urgency": "unimportant"},
      "bullseye": {"status": "open", "urgency": "end-of-life"}}}
  },
  "curl": {
    "TEMP-0000001-ABCDEF": {"releases": {
      "bookworm": {"status": "open", "urgency": "high", "nodsa": "x", "nodsa_reason": "postponed"},
      "trixie": {"status": "open", "urgency": "high"}}}
  }
}
"#;

pub(super) const KEV_JSON: &str = r#"{"title": "t", "catalogVersion": "1", "dateReleased": "2025-08-25T12:00:00Z", "count": 2, "vulnerabilities": [
  {"cveID": "CVE-2021-44228", "vendorProject": "Apache", "dateAdded": "2021-12-10", "knownRansomwareCampaignUse": "Known"},
  {"cveID": "CVE-2024-1", "dateAdded": "2025-08-25", "knownRansomwareCampaignUse": "Unknown"}]}
"#;

pub(super) const KEV_CSV: &str =
    "cveID,vendorProject,dateAdded,shortDescription,knownRansomwareCampaignUse\r
CVE-2021-44228,Apache,2021-12-10,\"one, \"\"two\"\"\nthree\",Known\r
CVE-2024-1,x,2025-08-25,y,Unknown\r
";

pub(super) const KEV_TABLE: &str =
    "CVE-2021-44228\t2021-12-10\tKnown\nCVE-2024-1\t2025-08-25\tUnknown\n";

pub(super) const EPSS: &str = "#model_version:v2025.03.14,score_date:2026-08-21T12:00:00Z
cve,epss,percentile
CVE-1999-0001,0.01297,0.78923
CVE-2021-44228,0.94358,0.99956
";

pub(super) const ALL: &[Sample] = &[
    Sample {
        feed: "debian",
        name: "debian.json",
        text: DEBIAN,
        lines: "
            debian:11 zlib CVE-2023-2 end-of-life ..
            debian:12 curl TEMP-0000001-ABCDEF deferred .. high
            debian:12 zlib CVE-2023-1 ignored ..
            debian:12 zlib CVE-2023-2 unimportant .. info
            debian:13 curl TEMP-0000001-ABCDEF affected .. high
            debian:13 zlib CVE-2023-1 fixed ..<1:1.3.dfsg-1 medium
            debian:13 zlib CVE-2023-2 unimportant ..<2 info
            debian:forky zlib CVE-2023-1 undetermined ..
            debian:sid zlib CVE-2023-1 not-affected",
    },
    // One file a source package, and one a vulnerability.
    Sample {
        feed: "debian",
        name: "debian/zlib.json",
        text: r#"{"CVE-2023-1": {"releases": {"bookworm": {"status": "open", "urgency": "low"}}}}"#,
        lines: "debian:12 zlib CVE-2023-1 affected .. low",
    },
    Sample {
        feed: "debian",
        name: "debian/zlib/CVE-2023-1.json",
        text: r#"{"description": "x", "releases": {"bookworm": {"status": "open", "urgency": "low"}}}"#,
        lines: "debian:12 zlib CVE-2023-1 affected .. low",
    },
    Sample {
        feed: "debian-list",
        name: "tracker/CVE/2024/CVE-2024-1.json",
        text: r#"{"Header": {"ID": "CVE-2024-1"}, "Annotations": [
            {"Type": "package", "Package": "curl", "Kind": "removed"},
            {"Type": "package", "Release": "trixie", "Package": "curl", "Kind": "not-affected", "Severity": "low"},
            {"Type": "package", "Release": "bookworm", "Package": "curl", "Kind": "fixed", "Version": "1-1", "Severity": "unimportant"}]}"#,
        lines: "
            debian:12 curl CVE-2024-1 unimportant ..<1-1 info
            debian:13 curl CVE-2024-1 not-affected",
    },
    Sample {
        feed: "alpine",
        name: "main.json",
        text: r#"{"apkurl": "x", "archs": ["x86"], "reponame": "main", "distroversion": "v3.20", "packages": [
            {"pkg": {"name": "openafs", "secfixes": {
                "1.8-r0": ["CVE-2018-14466 (AFS/RX)", "CVE-2016-6258 XSA-182"],
                "0": ["CVE-2019-1"],
                "1.9-r1": null,
                "2.0-r0": ["XSA-248"]}}},
            {"pkg": {"name": "none", "secfixes": null}}]}"#,
        lines: "
            alpine:3.20 openafs CVE-2016-6258=XSA-182 fixed ..<1.8-r0
            alpine:3.20 openafs CVE-2018-14466 fixed ..<1.8-r0
            alpine:3.20 openafs CVE-2019-1 not-affected
            alpine:3.20 openafs XSA-248 fixed ..<2.0-r0",
    },
    Sample {
        feed: "alpine",
        name: "v3.10/main.yaml",
        text: "---\ndistroversion: v3.10\nreponame: main\narchs:\n  - x86_64\npackages:\n  - pkg:\n      name: curl\n      secfixes:\n        7.1-r0:\n          - CVE-2018-1\n          - CVE-2018-2 (x)\n        \"0\":\n          - CVE-2018-3\n        1.10:\n          - CVE-2018-4\n        9-r0:\n",
        lines: "
            alpine:3.10 curl CVE-2018-1 fixed ..<7.1-r0
            alpine:3.10 curl CVE-2018-2 fixed ..<7.1-r0
            alpine:3.10 curl CVE-2018-3 not-affected
            alpine:3.10 curl CVE-2018-4 fixed ..<1.10",
    },
    Sample {
        feed: "alpine",
        name: "security.json",
        text: r#"{"apkurl": "{{urlprefix}}/x", "urlprefix": "https://packages.wolfi.example", "reponame": "os", "packages": [
            {"pkg": {"name": "a", "secfixes": {"1-r0": ["CVE-2024-1", "GHSA-aaaa-bbbb-cccc"]}}}]}"#,
        lines: "
            wolfi a CVE-2024-1 fixed ..<1-r0
            wolfi a GHSA-aaaa-bbbb-cccc fixed ..<1-r0",
    },
    Sample {
        feed: "alpine",
        name: "alpine/3.22/main/apache2.json",
        text: r#"{"name": "apache2", "secfixes": {"2.4.66-r0": ["CVE-2025-1"]}}"#,
        lines: "alpine:3.22 apache2 CVE-2025-1 fixed ..<2.4.66-r0",
    },
    Sample {
        feed: "osv",
        name: "PYSEC-2024-1.json",
        text: r#"{"schema_version": "1.6.0", "id": "PYSEC-2024-1", "modified": "2024-05-01T00:00:00Z", "published": "2024-04-01T00:00:00Z",
            "aliases": ["GHSA-x", "CVE-2024-9"], "related": ["CVE-2000-1"], "details": "d",
            "affected": [
                {"package": {"ecosystem": "PyPI", "name": "Zope.Interface", "purl": "pkg:pypi/x"},
                 "ranges": [
                    {"type": "GIT", "repo": "x", "events": [{"introduced": "0"}, {"fixed": "abc"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2.0"}, {"last_affected": "2.4"}, {"introduced": "3.0"}]}],
                 "versions": ["0.1", "1.0"], "ecosystem_specific": {"severity": 7}},
                {"package": {"ecosystem": "PyPI", "name": "counted"}, "versions": ["1.0", "1.1"]},
                {"package": {"ecosystem": "Android", "name": "x"}, "versions": ["1"]},
                {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}],
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
            "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-1"]}}"#,
        lines: "
            pypi counted CVE-2024-9=PYSEC-2024-1=GHSA-x affected =1.0 =1.1 medium binary
            pypi zope-interface CVE-2024-9=PYSEC-2024-1=GHSA-x fixed ..<1.2 2.0..2.4 3.0.. medium binary",
    },
    Sample {
        feed: "osv",
        name: "UBUNTU-CVE-2024-1.json",
        text: r#"[{"id": "UBUNTU-CVE-2024-1", "modified": "2024-05-01T00:00:00Z", "upstream": ["CVE-2024-1"],
            "severity": [{"type": "Ubuntu", "score": "low"}],
            "affected": [
                {"package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "curl"},
                 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.5.0-2"}]}], "versions": ["8.5.0-1"]},
                {"package": {"ecosystem": "Ubuntu:Pro:18.04:LTS", "name": "curl"},
                 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]},
            {"id": "UBUNTU-CVE-2024-2", "modified": "2024-05-01T00:00:00Z", "withdrawn": "2024-06-01T00:00:00Z"}]"#,
        lines: "
            ubuntu:24.04 curl CVE-2024-1=UBUNTU-CVE-2024-1 fixed ..<8.5.0-2 low
            ubuntu-pro:18.04 curl CVE-2024-1=UBUNTU-CVE-2024-1 affected .. low",
    },
    // An announcement becomes a row for each vulnerability it fixes.
    Sample {
        feed: "osv",
        name: "ALSA-2024:1.json",
        text: r#"{"id": "ALSA-2024:1", "modified": "2024-05-01T00:00:00Z", "related": ["CVE-2024-1", "CVE-2024-2"],
            "affected": [{"package": {"ecosystem": "AlmaLinux:9", "name": "curl-minimal"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "7.76-2.el9"}]}]}]}"#,
        lines: "
            almalinux:9 curl-minimal CVE-2024-1=ALSA-2024:1 fixed ..<7.76-2.el9 binary
            almalinux:9 curl-minimal CVE-2024-2=ALSA-2024:1 fixed ..<7.76-2.el9 binary",
    },
    Sample {
        feed: "osv",
        name: "SUSE-SU-2024:1-1.json",
        text: r#"{"id": "SUSE-SU-2024:1-1", "modified": "2024-05-01T00:00:00Z", "upstream": ["CVE-2024-1"],
            "affected": [{"package": {"ecosystem": "SUSE:Linux Enterprise Server 15 SP6", "name": "curl"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.6-1"}]}],
                "ecosystem_specific": {"binaries": [{"curl": "8.6-1", "libcurl4": "8.6-1"}]}}]}"#,
        lines: "
            sles:15.6 curl CVE-2024-1=SUSE-SU-2024:1-1 fixed ..<8.6-1 binary
            sles:15.6 libcurl4 CVE-2024-1=SUSE-SU-2024:1-1 fixed ..<8.6-1 binary",
    },
    Sample {
        feed: "osv",
        name: "answer.json",
        text: r#"{"vulns": [{"id": "GHSA-a-1", "modified": "2024-05-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "npm", "name": "@a/b"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}]}]}]}]}"#,
        lines: "npm @a/b GHSA-a-1 affected 1.0.0.. binary",
    },
    Sample {
        feed: "bitnami",
        name: "BIT-apache-2024-1.json",
        text: r#"{"schema_version": "1.5.0", "id": "BIT-apache-2024-1", "modified": "2024-05-01T00:00:00Z", "aliases": ["CVE-2024-1"],
            "affected": [{"package": {"ecosystem": "Bitnami", "name": "apache", "purl": "pkg:bitnami/apache"},
                "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "2.4.0"}, {"fixed": "2.4.60"}]}]}],
            "database_specific": {"severity": "Critical", "cpes": ["cpe:2.3:a:apache"]}}"#,
        lines: "bitnami apache CVE-2024-1=BIT-apache-2024-1 fixed 2.4.0..<2.4.60 critical binary",
    },
    Sample {
        feed: "exchange",
        name: "own.jsonl",
        text: r#"{"scope": "debian:12", "date": "2026-11-01", "lists_unfixed": false}
{"package": "zlib", "kind": "source", "id": "CVE-2024-1", "fixed": "1.3-1", "severity": "high", "cvss": "CVSS:3.1/AV:N"}
{"package": "zlib", "kind": "source", "id": "X-1", "aliases": ["CVE-2024-2"], "status": "not-affected"}
{"pkg": "apt", "id": "CVE-2011-3374", "trivy_sev": "LOW", "fixed": null, "grype_sev": "Negligible", "seen": "1"}
{"scope": "npm", "package": "a", "id": "GHSA-a-1", "ranges": [[["introduced", "0"], ["last_affected", "2"], ["introduced", "3"]]], "cvss": ["a", "b"]}
{"release": "v3.10", "repo": "main", "name": "curl", "secfixes": {"7-r0": ["CVE-2018-1"]}}
{"id": "BIT-redis-1", "cve": ["CVE-2024-3"], "pkg": "redis", "ranges": [[["introduced", "6"], ["fixed", "7"]]], "scope": "bitnami", "sev": "Low"}
"#,
        lines: "
            alpine:3.10 curl CVE-2018-1 fixed ..<7-r0
            bitnami redis CVE-2024-3=BIT-redis-1 fixed 6..<7 low binary
            debian:12 apt CVE-2011-3374 unimportant .. low binary
            debian:12 zlib CVE-2024-1 fixed ..<1.3-1 high
            debian:12 zlib CVE-2024-2=X-1 not-affected
            npm a GHSA-a-1 affected ..2 3.. binary",
    },
    Sample {
        feed: "kev",
        name: "kev.json",
        text: KEV_JSON,
        lines: "",
    },
    Sample {
        feed: "kev",
        name: "kev.csv",
        text: KEV_CSV,
        lines: "",
    },
    Sample {
        feed: "kev",
        name: "kev.tsv",
        text: KEV_TABLE,
        lines: "",
    },
    Sample {
        feed: "epss",
        name: "epss.csv",
        text: EPSS,
        lines: "",
    },
    Sample {
        feed: "trivy-report",
        name: "old.json",
        text: r#"[{"Target": "debian (debian 10.8)", "Type": "debian", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-2016-1", "PkgName": "coreutils", "InstalledVersion": "8.30-3", "Severity": "LOW",
             "CVSS": {"nvd": {"V2Vector": "AV:L", "V3Vector": "CVSS:3.0/AV:L"}}, "PublishedDate": "2017-02-07T15:59:00Z"}]}]"#,
        lines: "debian:10 coreutils CVE-2016-1 affected .. low binary",
    },
    Sample {
        feed: "trivy-report",
        name: "new.json",
        text: r#"{"SchemaVersion": 2, "CreatedAt": "2026-08-25T12:20:30Z", "Metadata": {"OS": {"Family": "alpine", "Name": "3.10.2"}}, "Results": [
            {"Target": "x (alpine 3.10.2)", "Class": "os-pkgs", "Type": "alpine", "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2019-1", "PkgName": "libcrypto1.1", "InstalledVersion": "1.1.1c-r0", "FixedVersion": "1.1.1d-r0", "Status": "fixed", "Severity": "MEDIUM"}]},
            {"Target": "Java", "Class": "lang-pkgs", "Type": "jar", "Vulnerabilities": [
                {"VulnerabilityID": "CVE-2020-1", "PkgName": "a:b", "InstalledVersion": "1.5", "FixedVersion": "1.4.9, 1.5.3", "Severity": "UNKNOWN"},
                {"VulnerabilityID": "CVE-2020-2", "PkgName": "a:b", "InstalledVersion": "1.5", "Status": "will_not_fix"}]},
            {"Target": "none", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": null}]}"#,
        lines: "
            alpine:3.10 libcrypto1.1 CVE-2019-1 fixed ..<1.1.1d-r0 medium binary
            maven a:b CVE-2020-1 fixed 1.5..<1.4.9 1.5..<1.5.3 binary
            maven a:b CVE-2020-2 ignored .. binary",
    },
    Sample {
        feed: "grype-report",
        name: "grype.json",
        text: r#"{"matches": [
            {"vulnerability": {"id": "CVE-2021-1", "severity": "Negligible", "fix": {"versions": [], "state": "wont-fix"}, "cvss": [{"vector": "CVSS:3.1/AV:N"}]},
             "relatedVulnerabilities": [{"id": "CVE-2021-1"}], "artifact": {"name": "libc6", "version": "2.28", "type": "deb"}},
            {"vulnerability": {"id": "GHSA-a-1", "severity": "High", "fix": {"versions": ["2.0"], "state": "fixed"}},
             "relatedVulnerabilities": [{"id": "CVE-2021-2"}], "artifact": {"name": "Flask", "version": "1.0", "type": "python"}},
            {"vulnerability": {"id": "CVE-2021-3", "severity": "Medium", "fixedInVersion": "1.2"}, "artifact": {"name": "x", "version": "1", "type": "deb"}}],
            "distro": {"name": "debian", "version": "10"}, "descriptor": {"timestamp": "2026-08-25T12:20:30Z"}}"#,
        lines: "
            debian:10 libc6 CVE-2021-1 unimportant .. info binary
            debian:10 x CVE-2021-3 fixed ..<1.2 medium binary
            pypi flask CVE-2021-2=GHSA-a-1 fixed ..<2.0 high binary",
    },
];
