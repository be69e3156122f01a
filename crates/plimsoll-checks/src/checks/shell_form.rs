//! `shell-form`: a command line that needs a shell to be read.

use plimsoll_model::{Evidence, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Remove shells: a command in shell form (`CMD app --flag` in place of
    /// `CMD ["app", "--flag"]`) is handed to `/bin/sh -c`, so the shell must stay in the image. The
    /// shell is then process 1, and many shells do not pass signals on: the container is killed
    /// after a timeout, not stopped.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /bin/sh -c /app    # finding
    /// ```
    ///
    /// A health check may need one as well:
    ///
    /// ```image
    /// HEALTHCHECK CMD-SHELL /app --ping || exit 1    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The exec form, and a command that is only an argument of the entrypoint.
    ///
    /// ```image
    /// ENTRYPOINT /app
    /// CMD sh -c
    /// HEALTHCHECK CMD /app --ping
    /// ```
    ///
    /// ## Remedy
    ///
    /// The exec form: `ENTRYPOINT ["/app"]`. Where a variable must be expanded, let the application
    /// read it from its environment.
    id: "shell-form",
    practice: "remove shells",
    summary: "the command line is read by a shell",
    severity: Low,
    development: Info,
    run: run,
}

fn run(subject: &Look, findings: &mut Findings) {
    let config = &subject.image.config;
    let command = match config.entrypoint.is_empty() {
        true => ("CMD", &config.cmd),
        false => ("ENTRYPOINT", &config.entrypoint),
    };
    let health = config.healthcheck.as_deref().unwrap_or_default();
    let (key, words) = command;
    if let [shell, flag, script, ..] = &words[..]
        && is_shell(shell)
        && is_command_flag(flag)
    {
        report(findings, key, words, shell, script);
    }
    if let [form, script, ..] = health
        && form == "CMD-SHELL"
    {
        report(findings, "HEALTHCHECK", health, "/bin/sh", script);
    }
}

fn report(findings: &mut Findings, key: &'static str, words: &[String], shell: &str, script: &str) {
    let shell = text::printable(shell.as_bytes());
    let start: String = script.chars().take(60).collect();
    let start = text::printable(start.as_bytes());
    let evidence = Evidence::Config {
        key,
        value: words.join(" "),
    };
    findings.add(
        format!("{key} hands `{start}` to {shell}, which must therefore stay"),
        vec![evidence],
        format!("{key} in exec form: {key} [\"program\", \"argument\"]"),
    );
}

fn is_shell(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    matches!(name, "sh" | "ash" | "bash" | "dash" | "zsh" | "ksh")
}

/// `-c`, alone or with other flags: `-ec`, `-lc`.
fn is_command_flag(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|flags| !flags.starts_with('-') && flags.ends_with('c'))
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use crate::Look;

    /// The keys found in a configuration of these words.
    fn found(entrypoint: &[&str], cmd: &[&str]) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut fixture = Fixture::default();
        fixture.image.config.entrypoint = words(entrypoint);
        fixture.image.config.cmd = words(cmd);
        let (findings, _) = super::CHECK.on(&Look::plain(&fixture.subject()));
        let evidence = findings.iter().flat_map(|finding| &finding.evidence);
        evidence.map(ToString::to_string).collect()
    }

    #[test]
    fn without_an_entrypoint_the_command_is_what_is_started() {
        assert_eq!(
            found(&[], &["/bin/sh", "-c", "app"]),
            ["CMD /bin/sh -c app"]
        );
        assert_eq!(found(&["/app"], &["/bin/sh", "-c", "app"]), [""; 0]);
    }

    #[test]
    fn a_shell_by_any_flag_that_ends_in_c_reads_a_command() {
        assert_eq!(
            found(&["bash", "-ec", "app"], &[]),
            ["ENTRYPOINT bash -ec app"]
        );
        for words in [
            &["bash", "--rc", "app"][..],
            &["bash", "app"],
            &["bash", "-c"],
            &["/entry", "-c", "app"],
        ] {
            assert_eq!(found(words, &[]), [""; 0], "{words:?}");
        }
    }
}
