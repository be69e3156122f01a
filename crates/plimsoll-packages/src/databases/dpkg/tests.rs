//! dpkg's database in the states it is found in.

use plimsoll_model::Inventory;
use plimsoll_model::fixture::Fixture;

use crate::databases::inventory;

/// The inventory of a tree with this status file and what else `more` says.
fn read(status: &str, more: &str) -> Inventory {
    let status = status.replace('"', "\\\"").replace('\n', "\\n");
    let text = format!("/var/lib/dpkg/status 0644 \"{status}\"\n{more}");
    inventory(&Fixture::bare(&text).rootfs)
}

fn problems(inventory: &Inventory) -> Vec<String> {
    inventory.problems.iter().map(ToString::to_string).collect()
}

fn package(name: &str, status: &str, more: &str) -> String {
    format!("Package: {name}\nStatus: {status}\nVersion: 1\nArchitecture: amd64\n{more}\n")
}

fn files(inventory: &Inventory, name: &str) -> Vec<String> {
    let (_, package) = inventory.by_name(name).unwrap();
    package.files.iter().map(ToString::to_string).collect()
}

fn lists(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("/var/lib/dpkg/info/{name}.list 0644 \"/.\\n\"\n"))
        .collect()
}

#[test]
fn a_record_becomes_a_package() {
    let status = "Package: libc6\nEssential: yes\nStatus: install ok installed\nPriority: optional\n\
                  Section: libs\nInstalled-Size: 12\nArchitecture: amd64\nMulti-Arch: same\n\
                  Source: glibc (2.36-8)\nVersion: 2.36-8+b1\n\
                  Conffiles:\n /etc/ld.so.conf.d/x.conf d4e7 \n /etc/old d4e7 obsolete\n\
                  Description: the library\n long\n";
    let more = r#"/var/lib/dpkg/info/libc6:amd64.list 0644 "/.\n/etc\n/etc/ld.so.conf.d\n/etc/ld.so.conf.d/x.conf\n/lib\n/lib/libc.so.6\n/usr/share/doc/libc6\n"
                  /var/lib/dpkg/info/libc6.list 0644 "/wrong\n"
                  /usr/lib/libc.so.6 0755 1k
                  /lib -> usr/lib
                  /usr/share/doc/libc6/ dir 0755"#;
    let inventory = read(status, more);
    assert_eq!(problems(&inventory), [""; 0]);
    let libc = &inventory.packages[0];
    assert_eq!((&*libc.name, &*libc.version), ("libc6", "2.36-8+b1"));
    assert_eq!((&*libc.section, &*libc.priority), ("libs", "optional"));
    assert_eq!(libc.source.as_deref(), Some("glibc"));
    assert_eq!(libc.source_version.as_deref(), Some("2.36-8"));
    assert!(libc.essential);
    assert_eq!(libc.installed_size, 12 * 1024);
    assert_eq!(libc.record, status);
    // The link /lib is a directory to the package, and the empty directory is none of its files.
    assert_eq!(
        files(&inventory, "libc6"),
        ["/etc/ld.so.conf.d/x.conf", "/lib/libc.so.6"]
    );
    let conffiles: Vec<_> = libc.conffiles.iter().map(ToString::to_string).collect();
    assert_eq!(conffiles, ["/etc/ld.so.conf.d/x.conf", "/etc/old"]);
    let owners = inventory.owners(&Fixture::bare(more).rootfs.tree);
    let owned: Vec<_> = owners.keys().map(ToString::to_string).collect();
    assert_eq!(owned, ["/usr/lib/libc.so.6"]);
}

#[test]
fn a_package_counts_when_its_files_are_there() {
    for (status, counts, trouble) in [
        ("install ok installed", true, None),
        ("hold ok installed", true, None),
        ("deinstall ok installed", true, None),
        ("install ok unpacked", true, None),
        ("install ok half-configured", true, None),
        ("install ok triggers-awaited", true, None),
        ("install ok triggers-pending", true, None),
        (
            "install reinstreq half-installed",
            true,
            Some("half-installed"),
        ),
        ("install ok strange", true, Some("unknown Status")),
        ("nonsense", true, Some("unknown Status")),
        ("deinstall ok config-files", false, None),
        ("purge ok not-installed", false, None),
    ] {
        let inventory = read(&package("a", status, ""), &lists(&["a"]));
        assert_eq!(inventory.packages.len(), usize::from(counts), "{status}");
        match trouble {
            None => assert_eq!(problems(&inventory), [""; 0], "{status}"),
            Some(words) => assert!(problems(&inventory)[0].contains(words), "{status}"),
        }
    }
}

#[test]
fn a_strange_record_is_a_problem_with_its_line() {
    for (record, counts, problem) in [
        (
            "Package: b\nVersion: 1\n",
            true,
            "line 6: package b: no Status",
        ),
        (
            "Package: b\nStatus: install ok installed\n",
            true,
            "line 6: package b: no Version",
        ),
        (
            "Package: ../../x\nStatus: install ok installed\n",
            false,
            "line 6: a record without a",
        ),
        (
            "Version: 1\n",
            false,
            "line 6: a record without a package name",
        ),
        (
            "Package: b\nnonsense\n",
            false,
            "line 7: neither a field nor a continuation",
        ),
    ] {
        let status = package("a", "install ok installed", "") + record;
        let inventory = read(&status, &lists(&["a", "b"]));
        assert_eq!(
            inventory.packages.len(),
            1 + usize::from(counts),
            "{record}"
        );
        let found = problems(&inventory);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(problem), "{found:?}");
    }
}

#[test]
fn packages_whose_files_are_not_known_are_said_in_one_problem() {
    let status: String = ["a", "b", "c", "d", "e", "f"]
        .map(|name| package(name, "install ok installed", ""))
        .concat();
    let found = problems(&read(&status, ""));
    let expected =
        "/var/lib/dpkg/status: the files of 6 packages are not known: a, b, c, d, e, ...";
    assert_eq!(found, [expected]);
    let one = problems(&read(&package("a", "install ok installed", ""), ""));
    assert_eq!(one, ["/var/lib/dpkg/status: the files of a are not known"]);
}

#[test]
fn digests_do_where_the_list_is_missing() {
    let status = package("a", "install ok installed", "Conffiles:\n /etc/a d4e7\n");
    let sums =
        r#"/var/lib/dpkg/info/a.md5sums 0644 "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a b\n""#;
    let inventory = read(&status, sums);
    assert_eq!(files(&inventory, "a"), ["/etc/a", "/usr/bin/a b"]);
    assert_eq!(problems(&inventory), [""; 0]);
}

#[test]
fn a_diverted_file_lies_elsewhere_except_for_who_diverted_it() {
    let status = [
        package("dash", "install ok installed", ""),
        package("bash", "install ok installed", ""),
    ]
    .concat();
    let lists = r#"/var/lib/dpkg/info/dash.list 0644 "/bin\n/bin/sh\n/usr\n/usr/mine\n"
                   /var/lib/dpkg/info/bash.list 0644 "/bin\n/bin/sh\n/usr\n/usr/mine\n""#;
    let diversions = r#"
                   /var/lib/dpkg/diversions 0644 "/bin/sh\n/bin/sh.distrib\ndash\n/usr/mine\n/usr/theirs\n:\n""#;
    let inventory = read(&status, &format!("{lists}{diversions}"));
    assert_eq!(files(&inventory, "dash"), ["/bin/sh", "/usr/theirs"]);
    assert_eq!(
        files(&inventory, "bash"),
        ["/bin/sh.distrib", "/usr/theirs"]
    );
    assert_eq!(problems(&inventory), [""; 0]);
    let broken = format!("{lists}\n/var/lib/dpkg/diversions 0644 \"/bin/sh\\n\"");
    let found = problems(&read(&status, &broken));
    assert!(
        found[0].contains("in the middle of a diversion"),
        "{found:?}"
    );
}

#[test]
fn the_journal_counts_over_the_status() {
    let status = [
        package("a", "install ok installed", ""),
        package("b", "install ok installed", ""),
    ]
    .concat();
    let journal = r#"/var/lib/dpkg/updates/0000 0644 "Package: a\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\n"
                     /var/lib/dpkg/updates/0001 0644 "Package: c\nStatus: install ok unpacked\nVersion: 2\nArchitecture: amd64\n"
                     /var/lib/dpkg/updates/tmp.i 0644 "nonsense""#;
    let inventory = read(&status, &format!("{journal}\n{}", lists(&["b", "c"])));
    let names: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| &*package.name)
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(problems(&inventory), [""; 0]);
}

#[test]
fn a_package_recorded_twice_is_said() {
    let status = package("a", "install ok installed", "").repeat(2);
    let inventory = read(&status, &lists(&["a"]));
    assert_eq!(inventory.packages.len(), 1);
    assert!(problems(&inventory)[0].contains("recorded twice"));
}

#[test]
fn requirements_lead_to_what_is_installed() {
    let installed = "install ok installed";
    let status = [
        package("app", installed, "Pre-Depends: libc\nDepends: missing | mta, real (>= 1), app, old (>= 2) | newer, awk\n"),
        package("libc", installed, ""),
        package("postfix", installed, "Provides: mta\n"),
        package("real", installed, ""),
        package("rival", installed, "Provides: real (= 9)\n"),
        package("old", installed, ""),
        package("stale", installed, "Provides: newer\n"),
        package("mawk", "deinstall ok config-files", "Provides: awk\n"),
    ]
    .concat();
    let inventory = read(
        &status,
        &lists(&["app", "libc", "postfix", "real", "rival", "old", "stale"]),
    );
    let (_, app) = inventory.by_name("app").unwrap();
    let names: Vec<_> = app
        .requires
        .iter()
        .map(|&id| &*inventory.get(id).unwrap().name)
        .collect();
    assert_eq!(names, ["libc", "postfix", "real", "stale"]);
}

#[test]
fn a_requirement_with_a_version_is_not_met_by_a_provision_without() {
    let installed = "install ok installed";
    let status = [
        package("app", installed, "Depends: virtual (>= 1)\n"),
        package("bare", installed, "Provides: virtual\n"),
        package("full", installed, "Provides: virtual (= 2)\n"),
    ]
    .concat();
    let inventory = read(&status, &lists(&["app", "bare", "full"]));
    let (_, app) = inventory.by_name("app").unwrap();
    let (full, _) = inventory.by_name("full").unwrap();
    assert_eq!(app.requires, [full]);
}

#[test]
fn a_dependency_that_cannot_be_read_is_a_problem() {
    let status = package("a", "install ok installed", "Depends: b (=> 1)\n");
    let found = problems(&read(&status, &lists(&["a"])));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("package a 1: Depends cannot be read"),
        "{found:?}"
    );
}

#[test]
fn text_in_another_encoding_loses_no_package() {
    let fixture = Fixture::bare(
        r#"/var/lib/dpkg/status 0644 "Package: a\nStatus: install ok installed\nMaintainer: J\xf6rg\nVersion: 1\n"
           /var/lib/dpkg/info/a.list 0644 "/.\n""#,
    );
    let inventory = inventory(&fixture.rootfs);
    assert_eq!(inventory.packages.len(), 1);
    assert!(problems(&inventory)[0].contains("UTF-8"));
}

#[test]
fn a_tree_without_packages_has_none_and_no_problem() {
    let inventory = inventory(&Fixture::bare("/app 0755 1k").rootfs);
    assert!(inventory.packages.is_empty() && inventory.problems.is_empty());
    assert!(inventory.databases.is_empty());
}
