//! `shell`: something an intruder can type into.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Problem, Subject};

use crate::check::check;
use crate::programs::{self, Program, Scripts};
use crate::{Findings, Look};

check! {
    /// Remove shells: whoever can start one in a container can do everything a user at a keyboard
    /// could, and most attacks begin by looking for one. An application rarely needs it: start it
    /// directly, with the exec form of `ENTRYPOINT`.
    ///
    /// Every name counts that starts a shell: links are resolved, other names of the same file are
    /// found, and `/etc/shells` is read for shells of unusual names. BusyBox and toybox are shells,
    /// whatever links they have: `busybox sh` needs none.
    ///
    /// ## Example
    ///
    /// ```image
    /// /bin/dash   0755 125k      # finding
    /// /bin/sh     -> dash        # finding
    /// /opt/run    = /bin/dash    # finding
    /// ```
    ///
    /// Many programs in one file:
    ///
    /// ```image
    /// /bin/busybox  0755 800k    # finding
    /// /bin/sh       -> busybox   # finding
    /// /bin/ls       -> busybox
    /// ```
    ///
    /// A shell that only `/etc/shells` knows:
    ///
    /// ```image
    /// /etc/shells    0644 "# login shells\n/opt/conch\n/opt/gone\n"
    /// /opt/conch     0755 90k    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A link that leads nowhere starts nothing, nor does a file nobody may execute; a script that
    /// is called `sh` is no shell; and a shell that a later layer removes is wasted space, but
    /// nobody can start it.
    ///
    /// ```image
    /// /bin/sh             -> dash
    /// /usr/share/doc/zsh  0644 1k
    /// /usr/local/bin/sh   0755 "#!/app\n"
    /// /usr/bin/nologin    0755 14k
    /// /etc/shells         0644 "/usr/bin/nologin\n"
    /// /bin/bash           0755 1200k   # finding [dead-bytes]
    /// --- layer
    /// /bin/bash           removed
    /// ```
    ///
    /// ## Remedy
    ///
    /// Start the application itself (`ENTRYPOINT ["/app"]`), and let `plimsoll slim IMAGE` leave
    /// the shell ashore: it proves that it was not needed, or names the script that needs it.
    id: "shell",
    practice: "remove shells",
    summary: "a shell is in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// Names of shells, sorted; compared after a version or `-static` is taken off.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "bsd-csh",
    "busybox",
    "csh",
    "dash",
    "elvish",
    "fish",
    "hush",
    "ion",
    "ksh",
    "ksh2020",
    "ksh93",
    "lksh",
    "loksh",
    "mksh",
    "murex",
    "nu",
    "oksh",
    "osh",
    "pdksh",
    "posh",
    "pwsh",
    "rbash",
    "rksh",
    "rzsh",
    "sash",
    "sh",
    "static-sh",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
    "ysh",
    "zsh",
];

/// Listed in `/etc/shells` here and there, to refuse a login.
const NO_SHELLS: &[&str] = &["false", "nologin", "true"];

/// The list of login shells, shells(5).
const LIST: &str = "/etc/shells";

/// More bytes than this are no list of shells.
const LIST_LIMIT: u64 = 64 * 1024;

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let (listed, problem) = listed(subject);
    if let Some(problem) = problem {
        findings.problem(problem);
    }
    for program in find(subject, &listed) {
        let file = &program.file;
        let others: Vec<ImagePath> = program
            .names
            .iter()
            .filter(|name| *name != file)
            .cloned()
            .collect();
        let holds = if program.multicall {
            "holds a shell"
        } else {
            "is a shell"
        };
        let message = if others.is_empty() {
            format!("`{file}` {holds}")
        } else {
            format!(
                "`{file}` {holds}, also started as {}",
                programs::some(&others)
            )
        };
        let evidence = program.names.iter();
        let evidence = evidence.map(|name| programs::evidence(tree, name));
        findings.add(
            message,
            evidence.collect(),
            "plimsoll slim IMAGE, with the application itself as ENTRYPOINT",
        );
    }
}

/// The names under which a shell can be started.
pub(crate) fn names(subject: &Subject) -> Vec<ImagePath> {
    programs::names(find(subject, &listed(subject).0))
}

fn find(subject: &Subject, listed: &BTreeSet<ImagePath>) -> Vec<Program> {
    programs::find(subject, Scripts::No, |path, name| {
        let known = SHELLS.binary_search(&base_name(name)).is_ok();
        (known || listed.contains(path)).then_some(0)
    })
}

/// The files that `/etc/shells` lists, free of links; and why it could not be read.
fn listed(subject: &Subject) -> (BTreeSet<ImagePath>, Option<Problem>) {
    let path = ImagePath::new(LIST);
    let text = match subject.rootfs.read(&path, LIST_LIMIT) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Err(error) => {
            let message =
                format!("cannot be read, so shells of unusual names are not seen: {error}");
            return (BTreeSet::new(), Some(Problem::at(&path, message)));
        }
    };
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let tree = &subject.rootfs.tree;
    let files = lines
        .filter(|line| line.starts_with(b"/"))
        .filter_map(|line| programs::program_at(tree, &ImagePath::new(line)))
        .map(|(file, _)| file)
        .filter(|file| {
            let name = std::str::from_utf8(file.file_name()).unwrap_or_default();
            !NO_SHELLS.contains(&name)
        });
    (files.collect(), None)
}

/// `zsh-5.9` is a `zsh`, `bash-static` a `bash`, `busybox.static` a `busybox`.
fn base_name(name: &str) -> &str {
    let name = name
        .strip_suffix("static")
        .and_then(|rest| rest.strip_suffix(['-', '.']))
        .unwrap_or(name);
    match name.rsplit_once('-') {
        Some((base, version)) if version.starts_with(|digit: char| digit.is_ascii_digit()) => base,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use super::*;

    #[test]
    fn a_list_that_cannot_be_read_is_a_problem_and_known_names_are_found_all_the_same() {
        let fixture = Fixture::new("/etc/shells 0644 65k\n/bin/dash 0755 1k");
        let (findings, problems) = CHECK.on(&Look::plain(&fixture.subject()));
        assert_eq!(findings.len(), 1);
        let problem = problems[0].to_string();
        assert!(
            problem.starts_with("/etc/shells: cannot be read"),
            "{problem}"
        );
        assert!(
            problem.contains("more than the limit of 65536"),
            "{problem}"
        );
    }

    #[test]
    fn the_names_are_sorted_for_the_search() {
        assert!(SHELLS.is_sorted(), "{SHELLS:?}");
    }

    #[test]
    fn a_version_is_no_part_of_a_name() {
        for (name, base) in [
            ("zsh-5.9", "zsh"),
            ("bash-static", "bash"),
            ("busybox.static", "busybox"),
            ("static-sh", "static-sh"),
            ("bsd-csh", "bsd-csh"),
            ("x-1", "x"),
            ("static", "static"),
        ] {
            assert_eq!(base_name(name), base);
        }
    }
}
