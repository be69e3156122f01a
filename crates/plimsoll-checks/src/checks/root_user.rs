//! `root-user`: the application runs as root because nobody said otherwise.

use std::io;

use plimsoll_model::{Evidence, ImagePath, Problem, Subject, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Run as a user of its own: root in the container is root on the host as soon as one wall
    /// between them breaks, and it may write every file of the image until then. An application
    /// needs root neither to serve on a port above 1023 nor to read its own files.
    ///
    /// ## Example
    ///
    /// ```image
    /// USER root      # finding
    /// ```
    ///
    /// Not set is root as well:
    ///
    /// ```image
    /// USER ""        # finding
    /// ```
    ///
    /// And so is every other name of user 0:
    ///
    /// ```image
    /// /etc/passwd    0644 "toor:x:0:0::/:/app\n"   # finding [account-password]
    /// USER toor:100  # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A user by name who is somebody else. (By number is better: an orchestrator that was told to
    /// refuse root can check a number without looking into the image.)
    ///
    /// ```image
    /// /etc/passwd    0644 "root:x:0:0::/root:/app\nwww:x:33:33::/srv:/app\n"
    /// USER www
    /// ```
    ///
    /// Nor is an image that holds one program, offers nothing on the network, and ends:
    ///
    /// ```image
    /// USER ""
    /// EXPOSE
    /// ```
    ///
    /// ## Remedy
    ///
    /// `USER 65532:65532` as the last `USER` of the Dockerfile, with `COPY --chown=65532:65532` for
    /// what the application must write. A server that starts as root to bind a port below 1024 and
    /// then steps down: let it listen above 1023.
    id: "root-user",
    practice: "run as a user of its own",
    summary: "the application is started as root",
    severity: Medium,
    development: Low,
    run: run,
}

/// More bytes than this are no list of users.
const LIMIT: u64 = 1024 * 1024;

fn run(subject: &Look, findings: &mut Findings) {
    let user = &subject.image.config.user;
    let name = user.split(':').next().unwrap_or_default();
    match number_of(subject, name) {
        Ok(0) if is_lone_program(subject) => {}
        Ok(0) => {
            let message = if name.is_empty() {
                "USER is not set, so the application is started as root".to_owned()
            } else {
                let shown = text::printable(user.as_bytes());
                format!("USER {shown} starts the application as root")
            };
            let evidence = Evidence::Config {
                key: "USER",
                value: user.clone(),
            };
            findings.add(message, vec![evidence], "USER 65532:65532");
        }
        Ok(_) => {}
        Err(problem) => findings.problem(problem),
    }
}

/// Whether there is nothing in the image but the program it starts, and nothing to reach it by:
/// who takes it over finds nothing to start and nothing to change.
fn is_lone_program(subject: &Subject) -> bool {
    let mut files = subject
        .rootfs
        .tree
        .iter()
        .filter(|(_, node)| node.is_file());
    let alone = files.next().is_some() && files.next().is_none();
    alone && subject.image.config.exposed_ports.is_empty()
}

/// The number of a user as a container runtime finds it: by name in `/etc/passwd` first, then as a
/// number.
fn number_of(subject: &Subject, name: &str) -> Result<u32, Problem> {
    if name.is_empty() {
        return Ok(0);
    }
    let path = ImagePath::new("/etc/passwd");
    let listed = match subject.rootfs.read(&path, LIMIT) {
        Ok(passwd) => listed(&passwd, name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("cannot be read, so who USER is cannot be judged: {error}");
            return Err(Problem::at(&path, message));
        }
    };
    let number = listed.or_else(|| name.parse().ok());
    // Docker takes root for 0 also where nothing lists it.
    let number = number.or_else(|| (name == "root").then_some(0));
    number.ok_or_else(|| Problem {
        message: "/etc/passwd does not list this user, so who it is cannot be judged".to_owned(),
        evidence: Evidence::Config {
            key: "USER",
            value: text::printable(name.as_bytes()),
        },
    })
}

/// The number beside a name in the text of a passwd(5).
fn listed(passwd: &[u8], name: &str) -> Option<u32> {
    passwd.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        if fields.next()? != name.as_bytes() {
            return None;
        }
        std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use crate::Look;

    #[test]
    fn a_user_nobody_lists_cannot_be_judged() {
        let fixture = Fixture::new("USER www");
        let (findings, problems) = super::CHECK.on(&Look::plain(&fixture.subject()));
        assert!(findings.is_empty());
        assert_eq!(
            problems[0].to_string(),
            "USER www: /etc/passwd does not list this user, so who it is cannot be judged"
        );
    }

    #[test]
    fn a_name_of_digits_is_looked_up_before_it_is_a_number() {
        for (passwd, found) in [("0:x:33:33:::", 0), ("33:x:0:0:::", 1), ("w:x:0:0:::", 0)] {
            let name = passwd.split(':').next().unwrap();
            let user = if name == "w" { "33" } else { name };
            let fixture = Fixture::new(&format!("/etc/passwd 0644 \"{passwd}\\n\"\nUSER {user}"));
            let (findings, _) = super::CHECK.on(&Look::plain(&fixture.subject()));
            assert_eq!(findings.len(), found, "{passwd}");
        }
    }
}
