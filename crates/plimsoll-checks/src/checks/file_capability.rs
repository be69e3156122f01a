//! `file-capability`: programs that get a part of root's rights from an extended attribute.

use plimsoll_model::{ImagePath, Problem};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Keep only needed packages: a program with file capabilities starts with a part of root's
    /// rights, whoever starts it. It is less than set-uid root, and as easy to overlook: no mode
    /// shows it.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/tool  0755 90k  security.capability=0100000200200000000000000000000000000000  # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Other extended attributes, an empty set, and capabilities on a file nobody may execute.
    ///
    /// ```image
    /// /usr/bin/tool   0755 90k  user.note=00
    /// /usr/bin/empty  0755 90k  security.capability=0100000200000000000000000000000000000000
    /// /usr/bin/spare  0644 90k  security.capability=0100000200200000000000000000000000000000
    /// ```
    ///
    /// ## Remedy
    ///
    /// Take it off where the file is brought in (`RUN setcap -r FILE`), or give the container the
    /// capability it needs (`--cap-add`) and no file.
    id: "file-capability",
    practice: "keep only needed packages",
    summary: "a program gets capabilities from its file, whoever starts it",
    severity: Medium,
    development: Low,
    run: run,
}

/// Where Linux keeps them (capabilities(7)).
const ATTRIBUTE: &[u8] = b"security.capability";

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    for (path, node) in tree.iter() {
        let attributes = node.meta.xattrs.as_deref();
        let value = attributes.and_then(|attributes| attributes.get(ATTRIBUTE));
        let Some(value) = value.filter(|_| node.is_executable()) else {
            continue;
        };
        let gets = match permitted(value) {
            // A file may hold an empty set, which gives nothing.
            Some(0) => continue,
            Some(set) => names(set),
            None => {
                findings.problem(unreadable(path));
                "capabilities that could not be read".to_owned()
            }
        };
        findings.add(
            format!("`{path}` gets {gets}, whoever starts it"),
            vec![programs::evidence(tree, path)],
            format!("RUN setcap -r {path}"),
        );
    }
}

fn unreadable(path: &ImagePath) -> Problem {
    Problem::at(path, "its security.capability is not of a form we know")
}

/// The permitted set of a `vfs_cap_data`: a word with the revision in its top byte, then pairs of
/// permitted and inheritable words, lowest first; revision 3 adds the user id of a namespace's
/// root. Source: linux/capability.h.
fn permitted(value: &[u8]) -> Option<u64> {
    let word = |index: usize| {
        let bytes = value.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    match (word(0)? >> 24, value.len()) {
        (1, 12) => Some(u64::from(word(1)?)),
        (2, 20) | (3, 24) => Some(u64::from(word(1)?) | u64::from(word(3)?) << 32),
        _ => None,
    }
}

/// The capabilities by name, in the order of their numbers (linux/capability.h).
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

fn names(set: u64) -> String {
    let bits = (0..64).filter(|bit| set >> bit & 1 == 1);
    let names = bits.map(|bit| match NAMES.get(bit) {
        Some(name) => format!("cap_{name}"),
        None => format!("capability {bit}"),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn the_three_revisions_are_read() {
        assert_eq!(permitted(&bytes(&[1 << 24, 1 << 13, 0])), Some(1 << 13));
        assert_eq!(
            permitted(&bytes(&[2 << 24 | 1, 1, 0, 1, 0])),
            Some(1 << 32 | 1)
        );
        assert_eq!(permitted(&bytes(&[3 << 24, 2, 0, 0, 0, 1000])), Some(2));
    }

    #[test]
    fn nonsense_is_no_set() {
        for value in [
            &b""[..],
            b"\x01",
            &bytes(&[2 << 24, 1]),
            &bytes(&[9 << 24, 1, 0, 0, 0]),
        ] {
            assert_eq!(permitted(value), None, "{value:?}");
        }
    }

    #[test]
    fn capabilities_have_names_and_unknown_ones_a_number() {
        assert_eq!(
            names(1 << 10 | 1 << 13),
            "cap_net_bind_service, cap_net_raw"
        );
        assert_eq!(
            names(1 << 40 | 1 << 63),
            "cap_checkpoint_restore, capability 63"
        );
    }
}
