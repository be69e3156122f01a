//! Records without dpkg.

use plimsoll_model::fixture::Fixture;

use crate::databases::inventory;

#[test]
fn file_names_mean_nothing_and_the_record_everything() {
    let fixture = Fixture::bare(
        r#"/var/lib/dpkg/status.d/bGlic3NsMw 0644 "Package: libssl3\nSource: openssl\nVersion: 3.0\nArchitecture: amd64\nDepends: libc6\n"
           /var/lib/dpkg/status.d/bGlic3NsMw.md5sums 0644 "d41d8cd98f00b204e9800998ecf8427e  usr/lib/libssl.so.3\n"
           /var/lib/dpkg/status.d/libc6 0644 "Package: libc6\nStatus: install ok installed\nVersion: 2.36\nArchitecture: amd64\n"
           /var/lib/dpkg/status.d/libc6.list 0644 "/lib\n/lib/libc.so.6\n"
           /var/lib/dpkg/status.d/tzdata 0644 "Package: tzdata\nVersion: 2025b\nArchitecture: all\n"
           /var/lib/dpkg/status.d/gone 0644 "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n""#,
    );
    let inventory = inventory(&fixture.rootfs);
    let found: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| {
            let files: Vec<_> = package.files.iter().map(ToString::to_string).collect();
            (&*package.name, &*package.version, files.join(" "))
        })
        .collect();
    assert_eq!(
        found,
        [
            ("libc6", "2.36", "/lib/libc.so.6".to_owned()),
            ("libssl3", "3.0", "/usr/lib/libssl.so.3".to_owned()),
            ("tzdata", "2025b", String::new()),
        ]
    );
    let (libc, _) = inventory.by_name("libc6").unwrap();
    let (_, ssl) = inventory.by_name("libssl3").unwrap();
    assert_eq!(ssl.requires, [libc]);
    let problems: Vec<_> = inventory.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["/var/lib/dpkg/status.d: the files of tzdata are not known"]
    );
    let databases: Vec<_> = inventory
        .databases
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(databases.len(), 4, "{databases:?}");
}

#[test]
fn what_cannot_be_read_is_a_problem() {
    let fixture = Fixture::bare(
        r#"/var/lib/dpkg/status.d/odd 0644 "nonsense\n"
           /var/lib/dpkg/status.d/far -> /nowhere
           /var/lib/dpkg/status.d/below/ dir 0755"#,
    );
    let inventory = inventory(&fixture.rootfs);
    assert!(inventory.packages.is_empty());
    assert_eq!(inventory.problems.len(), 1);
}
