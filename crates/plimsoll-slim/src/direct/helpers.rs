//! What programs that a script calls take from outside, beside their arguments and files.

use plimsoll_model::startup::Command;
use plimsoll_model::text::printable;

/// What the answer of a program depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Takes {
    /// Arguments and files alone.
    Nothing,
    /// The day and the hour.
    Clock,
    /// These variables.
    Variables(Vec<String>),
    /// Possibly any variable, and why.
    AnyVariable(&'static str),
    /// Chance: what it makes is to be a secret, or there once only.
    Chance,
    /// The machine, its name or its network.
    Machine,
    /// Nobody knows.
    Unknown,
}

/// Programs whose work is a function of their arguments and of files, the locale aside: the core
/// utilities of POSIX, GNU and BusyBox, and those that hand on to another program with another
/// identity.
#[rustfmt::skip]
const PLAIN: &[&str] = &[
    "[", "base32", "base64", "basename", "bunzip2", "bzcat", "bzip2", "cat", "chgrp", "chmod",
    "chown", "chpst", "cksum", "cmp", "comm", "cp", "csplit", "cut", "diff", "dirname", "echo",
    "egrep", "expand", "expr", "false", "fgrep", "find", "fmt", "fold", "getopt", "gosu", "grep",
    "groups", "gunzip", "gzip", "head", "id", "install", "join", "ldconfig", "ln", "logname", "ls",
    "md5sum", "mkdir", "mkfifo", "mktemp", "mv", "nice", "nl", "nohup", "od", "paste", "pathchk",
    "printf", "pwd", "readlink", "realpath", "rev", "rm", "rmdir", "run-parts", "sed", "seq",
    "setpriv", "setsid", "sha1sum", "sha256sum", "sha512sum", "sleep", "sort", "split", "stat",
    "stdbuf", "strings", "su-exec", "sum", "sync", "tac", "tail", "tar", "tee", "test", "timeout",
    "touch", "tr", "true", "truncate", "tsort", "tty", "unexpand", "uniq", "unlink", "unxz",
    "unzip", "wc", "which", "whoami", "xargs", "xz", "xzcat", "yes", "zcat", "zstd",
];

/// Programs that answer with the machine's own state, or ask others.
#[rustfmt::skip]
const MACHINE: &[&str] = &[
    "arch", "arp", "curl", "df", "dig", "dmesg", "dnsdomainname", "du", "free", "host", "hostid",
    "hostname", "ifconfig", "ip", "lscpu", "lsof", "mount", "nc", "ncat", "netcat", "netstat",
    "nproc", "nslookup", "ping", "ps", "route", "ss", "sysctl", "top", "ulimit", "uname", "uptime",
    "wget", "who",
];

/// Programs that make what is to be secret, or to be there once.
#[rustfmt::skip]
const CHANCE: &[&str] = &[
    "apg", "dbus-uuidgen", "dnssec-keygen", "gpg", "htpasswd", "keytool", "makepasswd", "mcookie",
    "mkpasswd", "pwgen", "rndc-confgen", "shuf", "ssh-keygen", "systemd-machine-id-setup",
    "uuidgen", "wg",
];

/// What OpenSSL's commands make by chance (`openssl(1)`).
#[rustfmt::skip]
const OPENSSL_CHANCE: &[&str] = &[
    "ca", "dhparam", "dsaparam", "ecparam", "gendsa", "genpkey", "genrsa", "passwd", "rand", "req",
];

/// The name a command goes by: BusyBox and the like are what they are called as.
pub(super) fn name(command: &Command) -> String {
    let last = |path: &[u8]| printable(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path));
    let program = last(&command.program);
    let called = command.arguments.first().map(|word| last(word));
    let multiple = ["busybox", "toybox", "coreutils"];
    match called {
        Some(called) if multiple.contains(&&*called) => {
            command.arguments.get(1).map_or(called, |word| last(word))
        }
        Some(called) if multiple.contains(&&*program) => called,
        _ => program,
    }
}

/// What a command takes from outside.
pub(super) fn takes(command: &Command) -> Takes {
    let name = name(command);
    let words: Vec<String> = command
        .arguments
        .iter()
        .map(|word| printable(word))
        .collect();
    // `busybox NAME ...` has one word more in front.
    let first = words
        .iter()
        .position(|word| word.rsplit('/').next() == Some(&name));
    let rest = words
        .get(first.map_or(1, |at| at + 1)..)
        .unwrap_or_default();
    let named = |list: &[&str]| list.contains(&&*name);
    match &*name {
        "date" => Takes::Clock,
        "envsubst" => envsubst(rest),
        "awk" | "gawk" | "mawk" | "nawk" | "original-awk" => {
            match rest.iter().any(|word| word.contains("ENVIRON")) {
                true => Takes::AnyVariable("its program asks for ENVIRON"),
                false => Takes::Nothing,
            }
        }
        "env" => match rest
            .iter()
            .any(|word| !word.starts_with('-') && !word.contains('='))
        {
            true => Takes::Nothing,
            false => Takes::AnyVariable("it lists them all"),
        },
        "printenv" => {
            let names: Vec<String> = rest
                .iter()
                .filter(|w| !w.starts_with('-'))
                .cloned()
                .collect();
            match names.is_empty() {
                true => Takes::AnyVariable("it lists them all"),
                false => Takes::Variables(names),
            }
        }
        "getent" => match rest.first().map(String::as_str) {
            Some("passwd" | "group" | "shadow" | "initgroups") => Takes::Nothing,
            _ => Takes::Machine,
        },
        "openssl" => match rest.first().map(String::as_str) {
            Some(word) if OPENSSL_CHANCE.contains(&word) => Takes::Chance,
            _ => Takes::Unknown,
        },
        _ if named(PLAIN) => Takes::Nothing,
        _ if named(MACHINE) => Takes::Machine,
        _ if named(CHANCE) => Takes::Chance,
        _ => Takes::Unknown,
    }
}

/// `envsubst '$A ${B}'` replaces these alone; without such a word, whatever its input names.
fn envsubst(words: &[String]) -> Takes {
    let Some(format) = words.iter().find(|word| !word.starts_with('-')) else {
        return Takes::AnyVariable("its input names them");
    };
    let mut names = Vec::new();
    for part in format.split('$').skip(1) {
        let part = part.strip_prefix('{').unwrap_or(part);
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        names.push(part[..end.unwrap_or(part.len())].to_owned());
    }
    names.retain(|name| !name.is_empty());
    Takes::Variables(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(program: &str, words: &[&str]) -> Takes {
        takes(&Command {
            program: program.into(),
            arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        })
    }

    #[test]
    fn programs_are_known_by_what_they_are_called() {
        assert_eq!(of("/bin/chown", &["chown", "-R", "x", "."]), Takes::Nothing);
        assert_eq!(of("/bin/busybox", &["sed", "x"]), Takes::Nothing);
        assert_eq!(of("/bin/busybox", &["busybox", "hostname"]), Takes::Machine);
        assert_eq!(
            of("/usr/bin/ssh-keygen", &["ssh-keygen", "-A"]),
            Takes::Chance
        );
        assert_eq!(
            of("/usr/bin/openssl", &["openssl", "rand", "8"]),
            Takes::Chance
        );
        assert_eq!(of("/app/setup", &["setup"]), Takes::Unknown);
        assert_eq!(of("/bin/date", &["date", "+%s"]), Takes::Clock);
    }

    #[test]
    fn variables_are_named_where_the_command_names_them() {
        let two = Takes::Variables(vec!["A".into(), "B_1".into()]);
        assert_eq!(of("/usr/bin/envsubst", &["envsubst", "$A x ${B_1}"]), two);
        assert!(matches!(
            of("/usr/bin/envsubst", &["envsubst"]),
            Takes::AnyVariable(_)
        ));
        assert_eq!(of("/usr/bin/env", &["env", "A=1", "sh"]), Takes::Nothing);
        assert!(matches!(
            of("/usr/bin/env", &["env"]),
            Takes::AnyVariable(_)
        ));
        let awk = of("/usr/bin/awk", &["awk", "{ print ENVIRON[\"A\"] }"]);
        assert!(matches!(awk, Takes::AnyVariable(_)));
        assert_eq!(
            of("/usr/bin/printenv", &["printenv", "A"]),
            Takes::Variables(vec!["A".into()])
        );
    }
}
