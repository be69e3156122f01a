//! Directories that packages declare: `systemd-tmpfiles`.

use plimsoll_model::ImagePath;

use super::{Options, emulation};
use crate::shell::{Shell, Stop};

emulation! {
    /// Newer packages declare the directories their services need in
    /// `/usr/lib/tmpfiles.d/NAME.conf`.
    ///
    /// `systemd-tmpfiles --create NAME.conf` makes directories (`d`, `D`, `v`, `q`, `Q`), files (`f`),
    /// links (`L`) and copies (`C`), and sets owners and modes (`z`, `Z`), as those lines say
    /// (`tmpfiles.d(5)`). Ages are for a running system and have no effect; lines for the boot only
    /// (`!`) are left out. Other lines are reported.
    id: "tmpfiles",
    commands: &["systemd-tmpfiles"],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = Options::new(&words[1..], &["root", "prefix", "exclude-prefix"]);
    if !options.has(&["create"]) {
        return Ok(0);
    }
    for name in &options.operands {
        let file = match name.starts_with('/') {
            true => ImagePath::new(name),
            false => ImagePath::new("/usr/lib/tmpfiles.d").join(name),
        };
        let text = shell.stage.read_text(&file);
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields = super::sysusers::split(line);
            match make(shell, &fields) {
                Ok(true) => {}
                Ok(false) => shell.report(format!("`{line}` in {file} is not emulated")),
                Err(error) => shell.report(format!("`{line}` in {file}: {error}")),
            }
        }
    }
    Ok(0)
}

fn make(shell: &mut Shell<'_>, fields: &[String]) -> std::io::Result<bool> {
    let field = |index: usize| fields.get(index).map_or("", String::as_str);
    let kind: String = field(0).chars().filter(char::is_ascii_alphabetic).collect();
    if field(0).contains('!') {
        return Ok(true);
    }
    if field(1).contains('%') {
        return Ok(false);
    }
    let path = ImagePath::new(field(1));
    let given = u32::from_str_radix(field(2).trim_start_matches(['~', ':']), 8).ok();
    let wanted = format!("{}:{}", field(3), field(4));
    let Some((uid, gid)) = super::files::owner(shell, wanted.trim_end_matches(':')) else {
        return Ok(false);
    };
    let exists = shell.stage.node_itself(&path).is_some();
    match kind.as_str() {
        "d" | "D" | "v" | "q" | "Q" => shell.stage.make_dir(&path, given.unwrap_or(0o755))?,
        "f" if !exists => {
            let text = fields.get(6..).unwrap_or_default().join(" ");
            shell
                .stage
                .write(&path, text.as_bytes(), given.unwrap_or(0o644))?;
        }
        "L" if !exists => {
            let target = fields.get(6).cloned().unwrap_or_default();
            return shell.stage.symlink(&path, target.as_bytes()).map(|()| true);
        }
        "f" | "L" | "e" | "x" | "X" | "r" | "R" => return Ok(true),
        "z" | "Z" if !exists => return Ok(true),
        "z" => {}
        _ => return Ok(false),
    }
    shell.stage.change(&path, true, |meta| {
        meta.mode = given.unwrap_or(meta.mode);
        meta.uid = uid.unwrap_or(meta.uid);
        meta.gid = gid.unwrap_or(meta.gid);
    })?;
    Ok(true)
}
