//! `plimsoll.toml`: what is asked of an image, and what it must be like, in a file beside what it is
//! made from.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use plimsoll_checks::Environment;
use plimsoll_run::probe::quote;
use serde::Deserialize;

use crate::failure::{Failure, Result};
use crate::policy::{Policy, Written};

/// The file that is read where none is named.
const USUAL: &str = "plimsoll.toml";
/// Bytes of such a file.
const LONGEST: u64 = 1 << 20;

/// The page of the file, for `explain config`.
pub(crate) const PAGE: &str = include_str!("settings/page.md");

/// The file.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    probe: Vec<Probe>,
    #[serde(default)]
    run: Vec<Run>,
    #[serde(default)]
    policy: Written,
}

/// `[[run]]`: one more start of the image, with other arguments.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    args: Vec<String>,
}

/// `[[probe]]`: exactly one of the kinds, and its options.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Probe {
    http: Option<String>,
    https: Option<String>,
    tcp: Option<u16>,
    cmd: Option<String>,
    exec: Option<Vec<String>>,
    port: Option<u16>,
    method: Option<String>,
    headers: std::collections::BTreeMap<String, String>,
    body: Option<String>,
    status: Option<Statuses>,
    crawl: Option<u32>,
    depth: Option<u32>,
    send: Option<String>,
    expect: Option<String>,
}

/// One status, or several.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

/// What a file asks for, as the command line would say it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Probes, in the file's order.
    pub(crate) probes: Vec<String>,
    /// Lists of arguments, in the file's order.
    pub(crate) arguments: Vec<String>,
    /// The policy as it is written.
    policy: Written,
    /// The file's name, and what is in it.
    file: String,
    text: String,
}

impl Settings {
    /// What the policy means for this environment, its own if none is named.
    pub(crate) fn policy(&self, environment: Option<Environment>) -> Result<Policy> {
        let policy = self.policy.policy(environment, &self.file, &self.text);
        policy.map_err(|why| {
            Failure::new(format!("cannot understand {}: {why}", self.file))
                .hint("plimsoll explain config has every key")
        })
    }
}

/// Reads `named`, which must be there, or the `plimsoll.toml` of the working directory, which need
/// not.
pub(crate) fn read(named: Option<&Path>) -> Result<Settings> {
    let path = named.map_or_else(|| PathBuf::from(USUAL), Path::to_owned);
    let cannot = |error: &dyn std::error::Error| {
        Failure::because(format_args!("cannot read {}", path.display()), error)
    };
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(cannot(&error)),
    };
    let mut text = String::new();
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| cannot(&error))?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::new(format!(
            "{} has more than {LONGEST} bytes",
            path.display()
        )));
    }
    let settings = parse(&text).map_err(|why| {
        Failure::new(format!("cannot understand {}", path.display()))
            .details(why.lines().map(str::to_owned))
            .hint("plimsoll explain config has every key")
    })?;
    Ok(Settings {
        file: path.display().to_string(),
        text,
        ..settings
    })
}

fn parse(text: &str) -> std::result::Result<Settings, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let line = |words: &Vec<String>| {
        let words = words.iter().map(|word| quote(word.as_bytes()));
        words.collect::<Vec<_>>().join(" ")
    };
    let mut settings = Settings {
        probes: Vec::new(),
        arguments: file.run.iter().map(|run| line(&run.args)).collect(),
        policy: file.policy,
        ..Settings::default()
    };
    for (index, probe) in file.probe.iter().enumerate() {
        let text = probe
            .text()
            .map_err(|why| format!("[[probe]] number {}: {why}", index + 1))?;
        settings.probes.push(text);
    }
    Ok(settings)
}

impl Probe {
    /// The probe as the command line takes it.
    fn text(&self) -> std::result::Result<String, String> {
        let kinds = [
            self.http.is_some(),
            self.https.is_some(),
            self.tcp.is_some(),
            self.cmd.is_some(),
            self.exec.is_some(),
        ];
        if kinds.iter().filter(|named| **named).count() != 1 {
            return Err("give one of http, https, tcp, cmd and exec".to_owned());
        }
        let web = [("http", &self.http), ("https", &self.https)];
        let web = web
            .into_iter()
            .find_map(|(scheme, path)| Some((scheme, path.as_ref()?)));
        let mut own: &[&str] = &[];
        let mut text = if let Some((scheme, path)) = web {
            own = &[
                "port", "method", "headers", "body", "status", "crawl", "depth",
            ];
            match self.port {
                Some(port) => format!("{scheme}://:{port}{path}"),
                None => format!("{scheme}:{path}"),
            }
        } else if let Some(port) = self.tcp {
            own = &["send", "expect"];
            format!("tcp:{port}")
        } else if let Some(words) = &self.exec {
            let words: Vec<String> = words.iter().map(|word| quote(word.as_bytes())).collect();
            format!("exec:{}", words.join(" "))
        } else {
            format!("cmd:{}", self.cmd.as_deref().unwrap_or_default())
        };
        if let Some((_, path)) = web
            && path.contains(char::is_whitespace)
        {
            return Err(format!("the path `{path}` has a space; write %20"));
        }
        for (name, value) in self.options() {
            if !own.contains(&name) {
                return Err(format!("{name} is no option of {text}"));
            }
            if name != "port" {
                text.push(' ');
                text.push_str(&value);
            }
        }
        Ok(text)
    }

    /// Every option that is set: its key, and how the command line says it.
    fn options(&self) -> Vec<(&'static str, String)> {
        let mut set = Vec::new();
        if let Some(port) = self.port {
            set.push(("port", port.to_string()));
        }
        let word = |name: &str, value: &str| quote(format!("{name}={value}").as_bytes());
        for (name, value) in [("method", &self.method), ("body", &self.body)] {
            set.extend(value.as_ref().map(|value| (name, word(name, value))));
        }
        for (name, value) in &self.headers {
            set.push(("headers", word("header", &format!("{name}: {value}"))));
        }
        if let Some(statuses) = &self.status {
            let all = match statuses {
                Statuses::One(status) => vec![status.to_string()],
                Statuses::Several(all) => all.iter().map(u16::to_string).collect(),
            };
            set.push(("status", word("status", &all.join(","))));
        }
        for (name, value) in [("crawl", self.crawl), ("depth", self.depth)] {
            set.extend(value.map(|value| (name, word(name, &value.to_string()))));
        }
        for (name, value) in [("send", &self.send), ("expect", &self.expect)] {
            set.extend(value.as_ref().map(|value| (name, word(name, value))));
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_what_the_command_line_says() {
        let settings = parse(
            r#"
            [[probe]]
            http = "/login"
            port = 8080
            method = "POST"
            headers = { Content-Type = "application/json", Accept = "*/*" }
            body = "{ \"a\": 1 }"
            status = [200, 204]

            [[probe]]
            https = "/"
            crawl = 50
            status = 200

            [[probe]]
            tcp = 6379
            send = "PING\r\n"
            expect = "+PONG"

            [[probe]]
            cmd = "true && true"

            [[probe]]
            exec = ["/bin/check", "a b"]

            [[run]]
            args = ["--version", "a b"]
            "#,
        )
        .unwrap();
        let wanted = [
            r#"http://:8080/login method=POST "body={ \"a\": 1 }" "header=Accept: */*" "header=Content-Type: application/json" status=200,204"#,
            "https:/ status=200 crawl=50",
            r#"tcp:6379 "send=PING\r\n" expect=+PONG"#,
            "cmd:true && true",
            "exec:/bin/check \"a b\"",
        ];
        assert_eq!(settings.probes, wanted);
        assert_eq!(settings.arguments, ["--version \"a b\""]);
        for text in &settings.probes {
            plimsoll_run::Probe::parse(text).unwrap();
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place() {
        for (text, why) in [
            ("[[probe]]\nhttp = \"/\"\nspeed = 1\n", "line 3"),
            ("[policies]\n", "line 1"),
            ("[policy]\nline = 1\n", "line 2"),
            ("[policy.limits]\nbytes = \"much\"\n", "`much` is no size"),
            (
                "[[policy.waiver]]\ncheck = \"shell\"\n",
                "missing field `reason`",
            ),
            ("[[run]]\nargs = 1\n", "line 2"),
            ("[[probe]]\ntcp = \"x\"\n", "line 2"),
            ("[[probe]]\n", "[[probe]] number 1: give one of"),
            ("[[probe]]\nhttp = \"/\"\ntcp = 1\n", "give one of"),
            ("[[probe]]\nhttp = \"/a b\"\n", "has a space"),
            (
                "[[probe]]\ntcp = 1\nbody = \"x\"\n",
                "body is no option of tcp:1",
            ),
            (
                "[[probe]]\ncmd = \"x\"\nport = 1\n",
                "port is no option of cmd:x",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
