//! Users and groups that packages declare: `systemd-sysusers`.

use plimsoll_model::ImagePath;

use super::{Options, emulation};
use crate::accounts::{self, NewUser};
use crate::shell::{Shell, Stop};

emulation! {
    /// Newer packages declare their users in `/usr/lib/sysusers.d/NAME.conf` instead of calling
    /// `adduser`.
    ///
    /// `systemd-sysusers NAME.conf` (or without names: every file) makes the users (`u`), groups
    /// (`g`) and memberships (`m`) those lines declare (`sysusers.d(5)`); a number that is not given
    /// is the highest free one below 1000. Lines of ranges (`r`) have no effect. A line that is not
    /// understood is reported.
    id: "sysusers",
    commands: &["systemd-sysusers"],
    scripts: &[],
    run: run,
}

const DIRECTORIES: [&str; 2] = ["/usr/lib/sysusers.d", "/etc/sysusers.d"];

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = Options::new(&words[1..], &["root", "replace", "image"]);
    let mut files: Vec<ImagePath> = Vec::new();
    for name in &options.operands {
        if name.starts_with('/') {
            files.push(ImagePath::new(name));
        } else {
            let mut paths = DIRECTORIES
                .iter()
                .map(|directory| ImagePath::new(directory).join(name));
            files.extend(paths.rfind(|path| shell.stage.is_file(path)));
        }
    }
    if options.operands.is_empty() {
        for directory in DIRECTORIES {
            files.extend(shell.stage.list(&directory.into()));
        }
    }
    for file in files {
        let text = shell.stage.read_text(&file);
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields = split(line);
            let done = declare(shell, &fields);
            match done {
                Ok(true) => {}
                Ok(false) => shell.report(format!("`{line}` in {file} is not understood")),
                Err(error) => return Err(shell.stop(error.to_string())),
            }
        }
    }
    Ok(0)
}

/// Fields at white space, quotes taken away; `-` and nothing are the same.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                field.get_or_insert_default();
            }
            character if character.is_whitespace() && !quoted => fields.extend(field.take()),
            character => field.get_or_insert_default().push(character),
        }
    }
    fields.extend(field);
    for field in &mut fields {
        if field == "-" {
            field.clear();
        }
    }
    fields
}

fn declare(shell: &mut Shell<'_>, fields: &[String]) -> std::io::Result<bool> {
    let field = |index: usize| fields.get(index).map_or("", String::as_str);
    let (kind, name, id) = (field(0).trim_end_matches('!'), field(1), field(2));
    let free = |shell: &Shell<'_>| accounts::free(shell.stage, 100..=999, false).unwrap_or(65_533);
    match kind {
        "g" => {
            if accounts::entry(shell.stage, "group", name).is_none() {
                let gid = id.parse().unwrap_or_else(|_| free(shell));
                accounts::add_group(shell.stage, name, gid)?;
            }
        }
        "u" => {
            if accounts::entry(shell.stage, "passwd", name).is_some() {
                return Ok(true);
            }
            let (uid, group) = id.split_once(':').unwrap_or((id, ""));
            let uid = uid.parse().unwrap_or_else(|_| free(shell));
            let gid =
                match accounts::group(shell.stage, if group.is_empty() { name } else { group }) {
                    Some(gid) => gid,
                    None => {
                        accounts::add_group(shell.stage, name, uid)?;
                        uid
                    }
                };
            let or = |text: &str, default: &str| match text {
                "" => default.to_owned(),
                text => text.to_owned(),
            };
            let user = NewUser {
                name: name.to_owned(),
                uid: Some(uid),
                gid,
                comment: field(3).to_owned(),
                home: or(field(4), "/"),
                shell: or(field(5), "/usr/sbin/nologin"),
            };
            accounts::add_user(shell.stage, &user, uid)?;
        }
        "m" => {
            if accounts::entry(shell.stage, "group", id).is_none() {
                let gid = free(shell);
                accounts::add_group(shell.stage, id, gid)?;
            }
            accounts::join(shell.stage, name, id)?;
        }
        "r" => {}
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_may_be_quoted_or_left_out() {
        let fields = super::split("u _x -:x \"a user\" - /bin/sh");
        assert_eq!(fields, ["u", "_x", "-:x", "a user", "", "/bin/sh"]);
    }
}
