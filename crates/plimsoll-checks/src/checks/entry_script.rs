//! `entry-script`: the program that is started is a script, and keeps its interpreter aboard.

use plimsoll_model::{ImagePath, Problem, text};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Remove shells: an entrypoint that is a shell script keeps a shell in the image, and every
    /// program the script may call. Most of them prepare something that the image could already
    /// hold, and then start the application.
    ///
    /// ## Example
    ///
    /// ```image
    /// /entry      0755 "#!/bin/sh -e\nexec /app \"$@\"\n"   # finding
    /// ENTRYPOINT  /entry
    /// ```
    ///
    /// The program is looked for along `PATH`, and `env` is looked through:
    ///
    /// ```image
    /// /usr/local/bin/entry  0755 "#!/usr/bin/env bash\n"    # finding
    /// ENTRYPOINT            entry
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A script in the language of the application, and scripts that are not started.
    ///
    /// ```image
    /// /serve      0755 "#!/usr/bin/python3\n"
    /// /entry      0755 "#!/bin/sh\n"
    /// ENTRYPOINT  /serve
    /// ```
    ///
    /// ## Remedy
    ///
    /// Do at build time what the script does at each start, and start the application itself.
    id: "entry-script",
    practice: "remove shells",
    summary: "the program that is started is a shell script",
    severity: Info,
    development: Info,
    run: run,
}

/// The kernel reads no more of the first line (`BINPRM_BUF_SIZE`).
const FIRST_LINE: u64 = 256;

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let Some(file) = programs::started(subject) else {
        return;
    };
    let Some(shell) = shell_of(subject, &file, findings) else {
        return;
    };
    findings.add(
        format!("the image starts `{file}`, a script for {shell}, which must therefore stay"),
        vec![programs::evidence(tree, &file)],
        "ENTRYPOINT [\"program\"]: the program the script starts in the end",
    );
}

/// The shell that reads the file at this path, if it is a script for one; a file that cannot be read
/// is a problem.
pub(super) fn shell_of(
    subject: &Look,
    file: &ImagePath,
    findings: &mut Findings,
) -> Option<String> {
    let head = match subject.rootfs.read_head(file, FIRST_LINE) {
        Ok(head) => head,
        Err(error) => {
            findings.problem(Problem::at(file, format!("cannot be read: {error}")));
            return None;
        }
    };
    let interpreter = interpreter(&head)?;
    let name = interpreter.rsplit(|&byte| byte == b'/').next();
    let is_shell = matches!(
        name,
        Some(b"sh" | b"ash" | b"bash" | b"dash" | b"zsh" | b"ksh" | b"busybox")
    );
    is_shell.then(|| text::printable(interpreter))
}

/// The interpreter that the first line of a script names; for `env`, the one it starts.
fn interpreter(head: &[u8]) -> Option<&[u8]> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.split(|&byte| byte == b'\n').next()?;
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let interpreter = words.next()?;
    if !interpreter.ends_with(b"/env") {
        return Some(interpreter);
    }
    // `env -S bash -e` and `env NAME=value bash` both name bash.
    words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))
}
