//! `healthcheck-tool`: a health check for whose sake tools stay aboard.

use plimsoll_model::{Evidence, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Remove curl, wget and other network tools: a health check that calls one keeps it in the
    /// image, and often a shell with it. The application can ask itself.
    ///
    /// ## Example
    ///
    /// ```image
    /// HEALTHCHECK CMD curl -f http://localhost/    # finding
    /// ```
    ///
    /// ```image
    /// HEALTHCHECK CMD-SHELL wget -qO- http://localhost/    # finding
    /// HEALTHCHECK CMD-SHELL wget -qO- http://localhost/    # finding [shell-form]
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The application's own answer.
    ///
    /// ```image
    /// HEALTHCHECK CMD /app --ping
    /// ```
    ///
    /// ## Remedy
    ///
    /// A subcommand of the application, or a small static program that does nothing else:
    /// `HEALTHCHECK CMD ["/app", "--ping"]`.
    id: "healthcheck-tool",
    practice: "remove curl, wget and other network tools",
    summary: "the health check needs a tool that should not be there",
    severity: Low,
    development: Info,
    run: run,
}

const TOOLS: &[&str] = &["ash", "bash", "curl", "nc", "netcat", "sh", "socat", "wget"];

fn run(look: &Look, findings: &mut Findings) {
    let Some([form, words @ ..]) = look.image.config.healthcheck.as_deref() else {
        return;
    };
    let line = words.join(" ");
    let words: Vec<&str> = match &**form {
        "CMD" => words.iter().take(1).map(String::as_str).collect(),
        "CMD-SHELL" => line.split_whitespace().collect(),
        _ => return,
    };
    let name = |word: &&str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        TOOLS.contains(&name).then(|| name.to_owned())
    };
    let Some(tool) = words.iter().find_map(name) else {
        return;
    };
    let evidence = Evidence::Config {
        key: "HEALTHCHECK",
        value: text::printable(line.as_bytes()),
    };
    findings.add(
        format!("HEALTHCHECK calls `{tool}`, which must therefore stay"),
        vec![evidence],
        "HEALTHCHECK CMD [\"/app\", \"--ping\"]: let the application answer itself",
    );
}
