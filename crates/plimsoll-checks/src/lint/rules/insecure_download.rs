//! `insecure-download`: certificates or signatures are not checked.

use crate::dockerfile::Keyword;
use crate::dockerfile::shell::Command;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A check that is turned off lets anybody between here and the server decide what is in the image.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN curl -kfsSLo /tmp/tool https://example.org/tool
    /// # finding
    /// RUN pip install --no-cache-dir --trusted-host example.org flask==3.1.0
    /// # finding
    /// ENV NODE_TLS_REJECT_UNAUTHORIZED=0
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN curl -fsSLo /tmp/tool https://example.org/tool
    /// RUN git -c http.sslVerify=true clone --depth 1 -b v1 https://example.org/tool.git
    /// ENV NODE_TLS_REJECT_UNAUTHORIZED=1
    /// ```
    ///
    /// ## Remedy
    ///
    /// Install `ca-certificates`; add the firm's own certificate to it where that is missing.
    id: "insecure-download",
    summary: "certificates or signatures are not checked",
    severity: Medium,
    aliases: ["CKV2_DOCKER_2", "CKV2_DOCKER_3", "CKV2_DOCKER_4", "CKV2_DOCKER_5", "CKV2_DOCKER_6", "CKV2_DOCKER_7", "CKV2_DOCKER_8", "CKV2_DOCKER_9", "CKV2_DOCKER_10", "CKV2_DOCKER_11", "CKV2_DOCKER_12", "CKV2_DOCKER_13", "CKV2_DOCKER_14", "CKV2_DOCKER_15", "CKV2_DOCKER_16"],
    run: run,
}

/// What turns a check off: the program, the argument, the other name.
const SWITCHES: &[(&[&str], &str, &[&str])] = &[
    (&["curl"], "--insecure", &["CKV2_DOCKER_2"]),
    (&["wget"], "--no-check-certificate", &["CKV2_DOCKER_3"]),
    (
        &["pip", "pip3", "python", "python3"],
        "--trusted-host",
        &["CKV2_DOCKER_4"],
    ),
    (&["apk"], "--allow-untrusted", &["CKV2_DOCKER_7"]),
    (
        &["apt-get", "apt", "aptitude"],
        "--allow-unauthenticated",
        &["CKV2_DOCKER_8"],
    ),
    (
        &["yum", "dnf", "microdnf"],
        "--nogpgcheck",
        &["CKV2_DOCKER_9"],
    ),
    (&["rpm"], "--nosignature", &["CKV2_DOCKER_10"]),
    (&["rpm"], "--nodigest", &["CKV2_DOCKER_10"]),
    (&["apt-get", "apt"], "--force-yes", &["CKV2_DOCKER_11"]),
    (&["zypper"], "--no-gpg-checks", &["CKV2_DOCKER_9"]),
];

/// What turns a check off when it is set.
const VARIABLES: [(&str, &[&str], &[&str]); 5] = [
    ("PYTHONHTTPSVERIFY", &["0"], &["CKV2_DOCKER_5"]),
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"], &["CKV2_DOCKER_6"]),
    ("NPM_CONFIG_STRICT_SSL", &["false"], &["CKV2_DOCKER_12"]),
    ("GIT_SSL_NO_VERIFY", &["1", "true"], &["CKV2_DOCKER_14"]),
    ("PIP_TRUSTED_HOST", &[], &["CKV2_DOCKER_16"]),
];

const REMEDY: &str = "install ca-certificates, with the firm's own certificate where it needs one";

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        if let Some((what, aliases)) = switched(command) {
            let message = format!("{} {what}: what it fetches is not checked", command.name());
            hits.add(command.span(), message, REMEDY).aliases(aliases);
        }
        for (name, value) in &command.assignments {
            if let Some(aliases) = variable(name, value) {
                let message = format!("{name}={value}: what is fetched is not checked");
                hits.add(command.span(), message, REMEDY).aliases(aliases);
            }
        }
        if command.name() == "export" {
            for word in command.arguments() {
                if let Some((name, value)) = word.text.split_once('=')
                    && let Some(aliases) = variable(name, value)
                {
                    let message = format!("{}: what is fetched is not checked", word.text);
                    hits.add(word.span.clone(), message, REMEDY)
                        .aliases(aliases);
                }
            }
        }
    }
    for (_, env) in sheet.of(Keyword::Env).chain(sheet.of(Keyword::Arg)) {
        for pair in env.pairs() {
            let value = pair.value.as_ref().map_or("", |value| &value.text);
            let value = value.trim_matches(['"', '\'']);
            if let Some(aliases) = variable(&pair.key.text, value) {
                let message = format!("{}={value}: what is fetched is not checked", pair.key.text);
                hits.add(env.source(&pair.key.at), message, REMEDY)
                    .aliases(aliases);
            }
        }
    }
}

fn variable(name: &str, value: &str) -> Option<&'static [&'static str]> {
    let row = VARIABLES.iter().find(|(known, values, _)| {
        known.eq_ignore_ascii_case(name)
            && match values {
                [] => !value.is_empty(),
                values => values.iter().any(|known| known.eq_ignore_ascii_case(value)),
            }
    });
    row.map(|(_, _, aliases)| *aliases)
}

/// What an argument turns off.
fn switched(command: &Command) -> Option<(&'static str, &'static [&'static str])> {
    let name = command.name();
    // A letter in a group: `-kfsSL`; what stands behind a letter with a value is that value.
    if name == "curl" {
        let short = command.arguments().iter().any(|word| {
            let text = &*word.text;
            text.starts_with('-')
                && !text.starts_with("--")
                && text[1..]
                    .chars()
                    .take_while(|c| !"ouHXdAeTmxwbcD".contains(*c))
                    .any(|c| c == 'k')
        });
        if short {
            return Some(("-k", &["CKV2_DOCKER_2"]));
        }
    }
    for (programs, switch, aliases) in SWITCHES {
        let given = command
            .arguments()
            .iter()
            .any(|word| word.text.split('=').next() == Some(switch));
        if programs.contains(&name) && given {
            return Some((switch, aliases));
        }
    }
    let words: Vec<&str> = command.arguments().iter().map(|word| &*word.text).collect();
    let joined = words.join(" ");
    if matches!(name, "npm" | "yarn") && joined.contains("set strict-ssl false") {
        return Some(("strict-ssl false", &["CKV2_DOCKER_13"]));
    }
    if name == "git"
        && (joined.contains("http.sslVerify false") || joined.contains("http.sslVerify=false"))
    {
        return Some(("http.sslVerify false", &["CKV2_DOCKER_14"]));
    }
    if joined.contains("sslverify=false") || joined.contains("sslverify=0") {
        return Some(("sslverify=false", &["CKV2_DOCKER_15"]));
    }
    None
}
