//! Servers that let people in: their shells, and what those read.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Node, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::valve::Cap;

follower! {
    /// A server for logins refuses an account whose shell is not there, and starts the shell of one
    /// that is (OpenSSH: `sshd(8)`, "LOGIN PROCESS"). So where `sshd` or `dropbear` is started, the
    /// shells stay of the accounts that somebody can log in to: those with a password in
    /// `/etc/shadow`, and those with an `authorized_keys` in their home; and with them the small
    /// files there whose names begin with a dot, which that shell and the server read.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/sshd -D
    /// /usr/sbin/sshd       0755 elf                                                     # kept
    /// /etc/passwd          0644 "root:x:0:0::/root:/bin/dash\njan:x:1000:1000::/home/jan:/bin/bash\nmia:x:1001:1001::/home/mia:/bin/rbash\nlp:x:7:7::/lp:/bin/zsh\n" # kept
    /// /etc/shadow          0640 "root:*:1::::::\njan:!:1::::::\nmia:$y$x:1::::::\nlp:!$y$x:1::::::\n"
    /// /bin/dash            0755 elf
    /// /bin/bash            0755 elf                                                     # kept [login]
    /// /bin/rbash           0755 elf                                                     # kept [login]
    /// /bin/zsh             0755 elf
    /// /home/jan/.ssh/authorized_keys 0600 "ssh-ed25519 AAAA jan\n"                      # kept [login]
    /// /home/jan/.profile   0644 "umask 077\n"                                           # kept [login]
    /// /home/jan/notes      0644 "text\n"
    /// /root/.profile       0644 "mesg n\n"
    /// ```
    ///
    /// ## Not followed
    ///
    /// Where no such server is started.
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server              0755 elf                                                     # kept
    /// /usr/sbin/sshd       0755 elf
    /// /etc/passwd          0644 "jan:x:1000:1000::/home/jan:/bin/bash\n"                # kept
    /// /home/jan/.ssh/authorized_keys 0600 "ssh-ed25519 AAAA jan\n"
    /// /bin/bash            0755 elf
    /// ```
    id: "login",
    follow: follow,
}

/// Programs that let people in.
const SERVERS: &[&[u8]] = &[b"dropbear", b"sshd"];
/// More accounts than this are not looked at.
const LIMIT: usize = 1_000;
/// A file that a shell reads when it starts.
const SMALL: u64 = 256 << 10;

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if !keep.is_executed(path) || !SERVERS.contains(&path.file_name()) {
        return;
    }
    let users = scene.text(&"/etc/passwd".into()).unwrap_or_default();
    let shadow = scene.text(&"/etc/shadow".into()).unwrap_or_default();
    let passwords: BTreeMap<&str, &str> = shadow
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    for line in users.lines().take(LIMIT) {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, _, _, _, home, shell] = fields[..] else {
            continue;
        };
        let home = ImagePath::root().join(home);
        // `*` and `!` are no password's hash, and `!` before one locks it (shadow(5)).
        let password = passwords.get(name).copied().unwrap_or("*");
        let has_keys = ["authorized_keys", "authorized_keys2"]
            .into_iter()
            .any(|keys| scene.tree().resolve(&home.join(".ssh").join(keys)).is_ok());
        if password.starts_with(['*', '!']) && !has_keys {
            continue;
        }
        let shown = plimsoll_model::text::printable(name.as_bytes());
        let reason =
            |what: &str| Reason::by("login", path, format!("{what} of {shown}, who can log in"));
        // An account without one has the system's (passwd(5)).
        let shell = match shell {
            "" => "/bin/sh",
            shell => shell,
        };
        let shell = ImagePath::new(shell);
        keep.path(&shell, Pull::Executed, reason("the shell"));
        keep.path(&home, Pull::Opened, reason("the home"));
        keep.tree(&home.join(".ssh"), Cap::NAMED, reason("the keys"));
        let small = |node: &Node| node.is_file() && node.size() <= SMALL;
        let Ok(found) = scene.tree().resolve(&home) else {
            continue;
        };
        let files = scene.tree().children(&found.path);
        let files = files.filter(|(file, node)| small(node) && file.file_name().starts_with(b"."));
        let files: Vec<ImagePath> = files.map(|(file, _)| file.clone()).collect();
        for file in files {
            if !keep.leaves_secret(&file) {
                keep.path(&file, Pull::Named, reason("a file in the home"));
            }
        }
    }
}
