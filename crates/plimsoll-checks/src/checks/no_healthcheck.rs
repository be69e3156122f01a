//! `no-healthcheck`: nobody can tell whether the service works.

use plimsoll_model::{Evidence, text};

use super::shell;
use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Say how to tell that it works: an image that offers a service on a port, and no
    /// `HEALTHCHECK`, counts as well as long as its process exists, whether it answers or not. (CIS
    /// Docker Benchmark 4.6.) Kubernetes asks by probes of its own and does not look at this one.
    ///
    /// ## Example
    ///
    /// ```image
    /// /bin/dash         0755 125k   # finding [shell]
    /// EXPOSE 80/tcp
    /// HEALTHCHECK NONE              # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// An image that says how, one that offers nothing, and one without a shell, which is asked from
    /// outside.
    ///
    /// ```image
    /// EXPOSE 80/tcp
    /// HEALTHCHECK NONE
    /// ```
    ///
    /// ```image
    /// /bin/dash    0755 125k   # finding [shell]
    /// EXPOSE 80/tcp
    /// HEALTHCHECK  CMD /app --ping
    /// ```
    ///
    /// ## Remedy
    ///
    /// `HEALTHCHECK CMD ["/app", "--ping"]`, answered by the application itself, or a probe of the
    /// orchestrator; waive this where the image only ever runs under the latter.
    id: "no-healthcheck",
    practice: "say how to tell that it works",
    summary: "a service has no HEALTHCHECK",
    severity: Info,
    run: run,
}

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let test = config.healthcheck.as_deref().unwrap_or_default();
    let has_one = !test.is_empty() && test != ["NONE"];
    if config.exposed_ports.is_empty() || has_one || shell::names(look).is_empty() {
        return;
    }
    let evidence = Evidence::Config {
        key: "HEALTHCHECK",
        value: test.join(" "),
    };
    let ports = text::printable(config.exposed_ports.join(" ").as_bytes());
    findings.add(
        format!("the image offers a service on {ports} and no HEALTHCHECK"),
        vec![evidence],
        "HEALTHCHECK CMD [\"/app\", \"--ping\"], or a probe of the orchestrator",
    );
}
