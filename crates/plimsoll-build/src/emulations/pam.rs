//! The common PAM configuration that every service includes.

use plimsoll_model::ImagePath;

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// Every service that asks who somebody is includes `/etc/pam.d/common-*`.
    ///
    /// `pam-auth-update(8)` writes them from the profiles of the packages
    /// (`/usr/share/pam-configs`), as on a first installation: the profiles that are on by default,
    /// the highest priority first, in the primary and the additional block of the templates in
    /// `/usr/share/pam`; `success=end` becomes the number of lines to jump over. What was enabled is
    /// noted in `/var/lib/pam`. The `postinst` of `libpam-runtime` is replaced by this call.
    id: "pam",
    commands: &["pam-auth-update"],
    scripts: &[("libpam-runtime", "postinst")],
    run: run,
}

struct Profile {
    name: String,
    priority: i64,
    default: bool,
    /// Field → its lines.
    fields: Vec<(String, Vec<String>)>,
}

impl Profile {
    fn parse(name: &str, text: &str) -> Self {
        let mut profile = Self {
            name: name.to_owned(),
            priority: 0,
            default: false,
            fields: Vec::new(),
        };
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, lines)) = profile.fields.last_mut() {
                    lines.push(line.trim_start().to_owned());
                }
                continue;
            }
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match field {
                "Priority" => profile.priority = value.parse().unwrap_or(0),
                "Default" => profile.default = value == "yes",
                _ => {}
            }
            let lines = (!value.is_empty()).then(|| value.to_owned());
            profile
                .fields
                .push((field.to_owned(), lines.into_iter().collect()));
        }
        profile
    }

    fn lines(&self, field: &str) -> &[String] {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map_or(&[], |(_, lines)| lines)
    }

    /// The lines for the `index`-th module of a block: the first has its own where it says so.
    fn module(&self, kind: &str, index: usize) -> &[String] {
        let first = self.lines(&format!("{kind}-Initial"));
        if index == 0 && !first.is_empty() {
            first
        } else {
            self.lines(kind)
        }
    }
}

fn run(shell: &mut Shell<'_>, _words: &[String]) -> Result<i32, Stop> {
    let directory = ImagePath::new("/usr/share/pam-configs");
    let mut profiles: Vec<Profile> = shell
        .stage
        .list(&directory)
        .iter()
        .map(|path| {
            let name = String::from_utf8_lossy(path.file_name()).into_owned();
            Profile::parse(&name, &shell.stage.read_text(path))
        })
        .filter(|profile| profile.default)
        .collect();
    profiles.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.name.cmp(&b.name)));
    for (file, kind) in [
        ("account", "Account"),
        ("auth", "Auth"),
        ("password", "Password"),
        ("session", "Session"),
        ("session-noninteractive", "Session"),
    ] {
        let quiet = file.ends_with("-noninteractive");
        let used: Vec<&Profile> = profiles
            .iter()
            .filter(|profile| {
                let only = profile.lines(&format!("{kind}-Interactive-Only"));
                !(quiet && only.first().is_some_and(|line| line == "yes"))
            })
            .collect();
        let written = write(shell, file, kind, &used);
        written.map_err(|error| shell.stop(error.to_string()))?;
    }
    let seen: String = profiles
        .iter()
        .map(|profile| format!("{}\n", profile.name))
        .collect();
    let written = shell
        .stage
        .write(&"/var/lib/pam/seen".into(), seen.as_bytes(), 0o644);
    written
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}

fn block<'a>(profiles: &[&'a Profile], kind: &str, block: &str) -> Vec<(&'a str, &'a [String])> {
    let of_block = profiles.iter().filter(|profile| {
        profile
            .lines(&format!("{kind}-Type"))
            .first()
            .is_some_and(|line| line == block)
    });
    of_block
        .enumerate()
        .map(|(index, profile)| (profile.name.as_str(), profile.module(kind, index)))
        .collect()
}

fn write(shell: &mut Shell<'_>, file: &str, kind: &str, used: &[&Profile]) -> std::io::Result<()> {
    let template = ImagePath::new(format!("/usr/share/pam/common-{file}"));
    if !shell.stage.is_file(&template) {
        return Ok(());
    }
    let word = file.strip_suffix("-noninteractive").unwrap_or(file);
    let primary = block(used, kind, "Primary");
    let additional = block(used, kind, "Additional");
    let render = |modules: &[(&str, &[String])], jump: usize| {
        let lines: Vec<&String> = modules.iter().flat_map(|(_, lines)| lines.iter()).collect();
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let count = lines.len() - index - 1 + jump;
            text += &format!("{word}\t{}\n", line.replace("=end", &format!("={count}")));
        }
        text
    };
    let stock = "[default=1]\t\t\tpam_permit.so\n";
    let text: String = shell
        .stage
        .read_text(&template)
        .lines()
        .map(|line| match line {
            _ if line.starts_with('$') && line.ends_with("_primary") => {
                if primary.is_empty() {
                    format!("{word}\t{stock}")
                } else {
                    render(&primary, 1)
                }
            }
            _ if line.starts_with('$') && line.ends_with("_additional") => render(&additional, 0),
            line => format!("{line}\n"),
        })
        .collect();
    let path = ImagePath::new(format!("/etc/pam.d/common-{file}"));
    shell.stage.write(&path, text.as_bytes(), 0o644)?;
    let mut state = String::new();
    if primary.is_empty() {
        state += &format!("Module: null\n{stock}");
    }
    for (name, lines) in primary.iter().chain(&additional) {
        state += &format!("Module: {name}\n{}\n", lines.join("\n"));
    }
    let path = ImagePath::new(format!("/var/lib/pam/{file}"));
    shell.stage.write(&path, state.as_bytes(), 0o644)
}
