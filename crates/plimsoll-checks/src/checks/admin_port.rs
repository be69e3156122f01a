//! `admin-port`: ports by which machines are run, not applications used.

use plimsoll_model::{Evidence, Severity};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// One application per image: a port for logins, for a container engine or for a debugger is no
    /// part of what the application offers, and whoever reaches it owns the container, or the host.
    ///
    /// ## Example
    ///
    /// ```image
    /// EXPOSE 22/tcp 80/tcp   # finding
    /// ```
    ///
    /// Debuggers listen as well:
    ///
    /// ```image
    /// EXPOSE 5005/tcp        # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The ports of applications, and the same numbers of UDP.
    ///
    /// ```image
    /// EXPOSE 80/tcp 443/tcp 3306/tcp 22/udp 2222/tcp
    /// ```
    ///
    /// ## Remedy
    ///
    /// Take the `EXPOSE` out, and what listens there. `docker exec` and `kubectl port-forward` reach
    /// a container without a port.
    id: "admin-port",
    practice: "one application per image",
    summary: "a port for administration is exposed",
    severity: High,
    development: Low,
    run: run,
}

/// The port, what listens there (IANA's registry, and the defaults of debuggers), and whether it
/// gives whole machines away.
const PORTS: &[(u16, &str, Severity)] = &[
    (22, "SSH", Severity::High),
    (23, "telnet", Severity::High),
    (512, "rexec", Severity::High),
    (513, "rlogin", Severity::High),
    (514, "rsh", Severity::High),
    (1044, "a Java debugger", Severity::Medium),
    (2345, "the Go debugger", Severity::Medium),
    (2375, "the Docker engine, without TLS", Severity::Critical),
    (2376, "the Docker engine", Severity::High),
    (3389, "remote desktops", Severity::High),
    (4848, "GlassFish's administration", Severity::Medium),
    (5005, "the Java debugger", Severity::Medium),
    (5678, "the Python debugger", Severity::Medium),
    (5900, "VNC", Severity::High),
    (5901, "VNC", Severity::High),
    (5985, "Windows remote management", Severity::High),
    (5986, "Windows remote management", Severity::High),
    (9229, "the Node.js debugger", Severity::Medium),
    (9990, "WildFly's administration", Severity::Medium),
    (10000, "Webmin", Severity::High),
    (10250, "the kubelet", Severity::High),
    (10255, "the kubelet, without TLS", Severity::High),
];

fn run(look: &Look, findings: &mut Findings) {
    for port in look.image.config.tcp_ports() {
        let Some((_, what, severity)) = PORTS.iter().find(|(number, ..)| *number == port) else {
            continue;
        };
        let evidence = Evidence::Config {
            key: "EXPOSE",
            value: format!("{port}/tcp"),
        };
        findings.add_as(
            *severity,
            format!("EXPOSE {port} is the port of {what}"),
            vec![evidence],
            format!("take EXPOSE {port} out, and what listens there"),
        );
    }
}
