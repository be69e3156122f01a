//! The list of login shells, `/etc/shells`.

use plimsoll_model::ImagePath;

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// `/etc/shells` lists the shells one may log in with.
    ///
    /// `update-shells` (of `debianutils`) enters every shell that a package names in
    /// `/usr/share/debianutils/shells.d`, each also under its merged `/usr` name, where it is there.
    /// `add-shell` and `remove-shell` enter and strike out the shells they are given.
    id: "shells",
    commands: &["add-shell", "remove-shell", "update-shells"],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let file = ImagePath::new("/etc/shells");
    let command = words[0].rsplit('/').next().unwrap_or_default();
    let text = shell.stage.read_text(&file);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push("# /etc/shells: valid login shells".to_owned());
    }
    let mut wanted: Vec<String> = words[1..]
        .iter()
        .filter(|word| word.starts_with('/'))
        .cloned()
        .collect();
    if command == "remove-shell" {
        lines.retain(|line| !wanted.contains(line));
    } else {
        if command == "update-shells" {
            let mut files = vec![ImagePath::new("/usr/share/debianutils/shells")];
            files.extend(shell.stage.list(&"/usr/share/debianutils/shells.d".into()));
            for path in files {
                let text = shell.stage.read_text(&path);
                let named = text.lines().map(str::trim).filter(|l| l.starts_with('/'));
                wanted.extend(named.map(str::to_owned));
            }
        }
        for name in wanted {
            for name in [name.clone(), format!("/usr{name}")] {
                let there = shell.stage.node(&name.as_str().into()).is_some();
                if there && !name.starts_with("/usr/usr") && !lines.contains(&name) {
                    lines.push(name);
                }
            }
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let written = shell.stage.write(&file, text.as_bytes(), 0o644);
    written
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}
