//! `secret-in-config`: passwords and keys that everybody who has the image can read in its
//! configuration.

use std::collections::BTreeSet;

use plimsoll_model::{Evidence, text};

use crate::check::check;
use crate::secrets::{self, masked};
use crate::{Findings, Look};

check! {
    /// No secrets in the image: variables, labels, arguments and the history are stored in clear
    /// text with the image. `docker inspect` shows them, and so does every registry the image was
    /// pushed to. (CIS Docker Benchmark 4.10.)
    ///
    /// ## Example
    ///
    /// ```image
    /// ENV DB_PASSWORD=hunter2    # finding
    /// ```
    ///
    /// A build argument, which the history keeps:
    ///
    /// ```image
    /// HISTORY RUN |1 NPM_TOKEN=c0ffee00c0ffee /bin/sh -c npm ci    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Names of files with secrets in them, values that are filled in later, and public keys and
    /// checksums, whose names sound alike.
    ///
    /// ```image
    /// ENV DB_PASSWORD_FILE=/run/secrets/db
    /// ENV API_TOKEN=
    /// ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568
    /// ENV PASSWORD_MIN_LENGTH=12
    /// HISTORY ARG NPM_TOKEN
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN --mount=type=secret,id=npm ...` while building; while running a mounted file or the
    /// orchestrator's secrets. What was in an image that left the building must be replaced.
    id: "secret-in-config",
    practice: "no secrets in the image",
    summary: "a password, key or token is in the configuration or the history",
    severity: High,
    run: run,
}

const REMEDY: &str = "RUN --mount=type=secret while building, a mounted file while running; \
                      replace the secret";

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for pair in &config.env {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        report("ENV", name, value, &mut seen, findings);
    }
    for (name, value) in &config.labels {
        report("LABEL", name, value, &mut seen, findings);
    }
    for word in &config.command_line() {
        if let Some(what) = secrets::by_form(word) {
            let message = format!("the command line holds {what}");
            findings.add(message, vec![evidence("CMD", &masked(word))], REMEDY);
        }
    }
    for step in &config.history {
        let Some(created_by) = &step.created_by else {
            continue;
        };
        for word in created_by.split_whitespace() {
            let word = word.trim_matches(['"', '\'', ';', ',', '[', ']']);
            match word.split_once('=') {
                Some((name, value)) => {
                    let name = name.trim_start_matches('-');
                    report("HISTORY", name, value, &mut seen, findings);
                }
                None => report("HISTORY", "", word, &mut seen, findings),
            }
        }
    }
}

fn report<'a>(
    key: &'static str,
    name: &str,
    value: &'a str,
    seen: &mut BTreeSet<&'a str>,
    findings: &mut Findings,
) {
    // A command line and its shell have many words that are no names.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let name = if name.bytes().all(is_name) { name } else { "" };
    let value = value.trim_matches(['"', '\'']);
    let Some(what) = secrets::in_pair(name, value) else {
        return;
    };
    // ENV and LABEL are in the history as well.
    if !seen.insert(value) {
        return;
    }
    let place = match key {
        "HISTORY" => "the history holds",
        _ => "the configuration holds",
    };
    let shown = text::printable(name.as_bytes());
    let message = match name.is_empty() {
        true => format!("{place} {what}"),
        false => format!("{place} {what} in {key} `{shown}`"),
    };
    let value = match name.is_empty() {
        true => masked(value),
        false => format!("{name}={}", masked(value)),
    };
    findings.add(message, vec![evidence(key, &value)], REMEDY);
}

fn evidence(key: &'static str, value: &str) -> Evidence {
    Evidence::Config {
        key,
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use super::*;

    #[test]
    fn a_variable_is_told_once_and_never_in_clear() {
        let fixture = Fixture::new(
            "ENV DB_PASSWORD=hunter2hunter2\n\
             HISTORY /bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2hunter2\n\
             HISTORY RUN curl -u me --password=correcthorse https://x.example",
        );
        let (findings, _) = CHECK.on(&Look::plain(&fixture.subject()));
        assert_eq!(findings.len(), 2);
        let shown = format!("{findings:?}");
        assert!(!shown.contains("hunter2hunter2") && !shown.contains("correcthorse"));
        assert!(shown.contains("in ENV `DB_PASSWORD`"), "{shown}");
    }
}
