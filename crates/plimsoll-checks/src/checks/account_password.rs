//! `account-password`: users who can log in by a password that everybody can read or guess.

use std::io;

use plimsoll_model::{Evidence, ImagePath, Problem, Severity, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// No secrets in the image: the password of an account is the same in every container, and its
    /// hash is there to be guessed at leisure. An empty one makes root of everybody who can start
    /// `su`; a second account with number 0 is root by another name.
    ///
    /// ## Example
    ///
    /// ```image
    /// /etc/shadow  0640 "root:::0:::::\napp:$6$salt$hash:19000:0:99999:7:::\n"   # finding
    /// ```
    ///
    /// ```image
    /// /etc/passwd  0644 "root:x:0:0:::\ntoor:x:0:0:::\n"    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Accounts nobody can log in to.
    ///
    /// ```image
    /// /etc/passwd  0644 "root:x:0:0:::\napp:x:65532:65532:::\n"
    /// /etc/shadow  0640 "root:*:19000:0:99999:7:::\napp:!:19000:0:99999:7:::\n"
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN passwd -l root`; no account of an image needs a password.
    id: "account-password",
    practice: "no secrets in the image",
    summary: "an account has a password, or none at all",
    severity: High,
    run: run,
}

/// More bytes than this are no list of accounts.
const LIMIT: u64 = 1024 * 1024;

fn run(look: &Look, findings: &mut Findings) {
    for path in ["/etc/passwd", "/etc/shadow"].map(ImagePath::from) {
        let bytes = match look.rootfs.read(&path, LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let message = format!("cannot be read, so accounts cannot be judged: {error}");
                findings.problem(Problem::at(&path, message));
                continue;
            }
        };
        let lines = bytes.split(|&byte| byte == b'\n').enumerate();
        for (index, line) in lines {
            let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
            let [name, password, number, ..] = fields[..] else {
                continue;
            };
            let name = text::printable(name);
            let is_list = path.file_name() == b"passwd";
            let (severity, what) = if password.is_empty() {
                (CHECK.severity, "has an empty password")
            } else if password.starts_with(b"$") || password.starts_with(b"_") {
                (
                    Severity::Medium,
                    "has a password, the same in every container",
                )
            } else if is_list && number == b"0" && name != "root" {
                (
                    CHECK.severity,
                    "has number 0 and so is root by another name",
                )
            } else {
                continue;
            };
            let evidence = Evidence::Line {
                path: path.clone(),
                line: index + 1,
            };
            findings.add_as(
                severity,
                format!("the account `{name}` {what}"),
                vec![evidence],
                format!("RUN passwd -l {name}"),
            );
        }
    }
}
