//! `development-setting`: variables that turn debugging on, or checking off.

use plimsoll_model::{Evidence, Severity, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production, and so do its settings: a debug mode shows the
    /// source and the variables to whoever causes an error, and is slow. A switch that turns the
    /// checking of certificates off, once needed behind a proxy, stays for good.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENV FLASK_DEBUG=1                     # finding
    /// ```
    ///
    /// ```image
    /// ENV NODE_TLS_REJECT_UNAUTHORIZED=0    # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The same variables set for production.
    ///
    /// ```image
    /// ENV NODE_ENV=production
    /// ENV FLASK_DEBUG=0
    /// ENV NODE_TLS_REJECT_UNAUTHORIZED=1
    /// ```
    ///
    /// ## Remedy
    ///
    /// Set them where the image is started for development, not in the image; give a private
    /// authority's certificate to the image in place of turning the checking off.
    id: "development-setting",
    practice: "development tools stay out of production",
    summary: "a variable turns debugging on, or the checking of certificates off",
    severity: Medium,
    development: Info,
    run: run,
}

/// Turns checking off: the variable and its value.
const INSECURE: &[(&str, &[&str])] = &[
    ("GIT_SSL_NO_VERIFY", &["1", "true"]),
    ("GOINSECURE", &["*"]),
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"]),
    ("NPM_CONFIG_STRICT_SSL", &["0", "false"]),
    ("PYTHONHTTPSVERIFY", &["0"]),
];

/// Turns debugging on.
const DEBUGGING: &[(&str, &[&str])] = &[
    ("APP_DEBUG", &["1", "true"]),
    ("APP_ENV", &["dev", "development", "local"]),
    ("ASPNETCORE_ENVIRONMENT", &["development"]),
    ("DJANGO_DEBUG", &["1", "true"]),
    ("DOTNET_ENVIRONMENT", &["development"]),
    ("FLASK_DEBUG", &["1", "true"]),
    ("FLASK_ENV", &["development"]),
    ("NODE_ENV", &["dev", "development"]),
    ("RACK_ENV", &["development"]),
    ("RAILS_ENV", &["development", "test"]),
    ("WERKZEUG_DEBUG_PIN", &["off"]),
];

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let rows = INSECURE.iter().map(|row| {
        (
            row,
            Severity::High,
            "turns the checking of certificates off",
        )
    });
    let debugging = DEBUGGING.iter();
    let debugging = debugging.map(|row| (row, CHECK.severity, "is for development"));
    for ((name, values), severity, does) in rows.chain(debugging) {
        // Some are read in lower case as well, as npm does.
        let lower = name.to_ascii_lowercase();
        let value = config.env(name).or_else(|| config.env(&lower));
        let Some(value) = value.filter(|value| values.contains(&&*value.to_ascii_lowercase()))
        else {
            continue;
        };
        let shown = text::printable(value.as_bytes());
        let evidence = Evidence::Config {
            key: "ENV",
            value: format!("{name}={shown}"),
        };
        findings.add_as(
            severity,
            format!("ENV {name}={shown} {does}"),
            vec![evidence],
            format!("take ENV {name} out of the Dockerfile"),
        );
    }
}
