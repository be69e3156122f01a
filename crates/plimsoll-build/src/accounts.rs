//! Users and groups of the image: `passwd(5)`, `group(5)`, `shadow(5)`, `gshadow(5)`.

use std::io;

use plimsoll_model::ImagePath;

use crate::stage::Stage;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const SHADOW: &str = "/etc/shadow";
const GSHADOW: &str = "/etc/gshadow";

/// A user to be added; `None` where the image's rules choose.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: u32,
    pub(crate) comment: String,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// Lines of one of the files, split at colons.
fn lines(stage: &Stage, file: &str) -> Vec<Vec<String>> {
    let text = stage.read_text(&ImagePath::new(file));
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split(':').map(str::to_owned).collect())
        .collect()
}

fn save(stage: &mut Stage, file: &str, lines: &[Vec<String>], mode: u32) -> io::Result<()> {
    let text: String = lines.iter().map(|line| line.join(":") + "\n").collect();
    stage.write(&ImagePath::new(file), text.as_bytes(), mode)
}

/// The number of a user, by name or as a number.
pub(crate) fn user(stage: &Stage, name: &str) -> Option<u32> {
    number(stage, PASSWD, name)
}

/// The number of a group, by name or as a number.
pub(crate) fn group(stage: &Stage, name: &str) -> Option<u32> {
    number(stage, GROUP, name)
}

fn number(stage: &Stage, file: &str, name: &str) -> Option<u32> {
    let named = lines(stage, file).into_iter().find(|line| line[0] == name);
    match named {
        Some(line) => line.get(2)?.parse().ok(),
        // Root is root, also in an image without accounts.
        None if name == "root" => Some(0),
        None => name.parse().ok(),
    }
}

/// The line of a user or group (`getent`), by name or number.
pub(crate) fn entry(stage: &Stage, database: &str, key: &str) -> Option<String> {
    let file = format!("/etc/{database}");
    let line = lines(stage, &file)
        .into_iter()
        .find(|line| line[0] == key || line.get(2).is_some_and(|number| number == key))?;
    Some(line.join(":"))
}

/// The main group of a user.
pub(crate) fn main_group(stage: &Stage, name: &str) -> Option<u32> {
    let line = lines(stage, PASSWD)
        .into_iter()
        .find(|line| line[0] == name)?;
    line.get(3)?.parse().ok()
}

/// The first number that neither file uses, upwards or downwards.
pub(crate) fn free(
    stage: &Stage,
    range: std::ops::RangeInclusive<u32>,
    upwards: bool,
) -> Option<u32> {
    let used: std::collections::BTreeSet<u32> = [PASSWD, GROUP]
        .iter()
        .flat_map(|file| lines(stage, file))
        .filter_map(|line| line.get(2)?.parse().ok())
        .collect();
    let mut numbers = range.filter(|number| !used.contains(number));
    if upwards {
        numbers.next()
    } else {
        numbers.next_back()
    }
}

/// Adds a user.
pub(crate) fn add_user(stage: &mut Stage, user: &NewUser, uid: u32) -> io::Result<()> {
    let has_shadow = stage.is_file(&ImagePath::new(SHADOW));
    let mut users = lines(stage, PASSWD);
    let password = if has_shadow { "x" } else { "!" };
    users.push(
        [
            &user.name,
            password,
            &uid.to_string(),
            &user.gid.to_string(),
            &user.comment,
            &user.home,
            &user.shell,
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    save(stage, PASSWD, &users, 0o644)?;
    if has_shadow {
        let mut shadow = lines(stage, SHADOW);
        let line = format!("{}:!:{}::::::", user.name, stage.time / 86_400);
        shadow.push(line.split(':').map(str::to_owned).collect());
        save(stage, SHADOW, &shadow, 0o640)?;
    }
    Ok(())
}

/// Adds a group.
pub(crate) fn add_group(stage: &mut Stage, name: &str, gid: u32) -> io::Result<()> {
    let mut groups = lines(stage, GROUP);
    let gid = gid.to_string();
    groups.push([name, "x", &gid, ""].map(str::to_owned).to_vec());
    save(stage, GROUP, &groups, 0o644)?;
    if stage.is_file(&ImagePath::new(GSHADOW)) {
        let mut shadow = lines(stage, GSHADOW);
        shadow.push([name, "!", "", ""].map(str::to_owned).to_vec());
        save(stage, GSHADOW, &shadow, 0o640)?;
    }
    Ok(())
}

/// Puts a user into a group; nothing happens where it is already there.
pub(crate) fn join(stage: &mut Stage, user: &str, group: &str) -> io::Result<bool> {
    let mut found = false;
    for (file, mode) in [(GROUP, 0o644), (GSHADOW, 0o640)] {
        if !stage.is_file(&ImagePath::new(file)) {
            continue;
        }
        let mut groups = lines(stage, file);
        for line in groups.iter_mut().filter(|line| line[0] == group) {
            found = true;
            if let Some(members) = line.get_mut(3) {
                let mut names: Vec<&str> = members.split(',').filter(|n| !n.is_empty()).collect();
                if !names.contains(&user) {
                    names.push(user);
                }
                *members = names.join(",");
            }
        }
        save(stage, file, &groups, mode)?;
    }
    Ok(found)
}

/// Takes a user or a group out of its files.
pub(crate) fn remove(stage: &mut Stage, name: &str, is_group: bool) -> io::Result<bool> {
    let files = if is_group {
        [(GROUP, 0o644), (GSHADOW, 0o640)]
    } else {
        [(PASSWD, 0o644), (SHADOW, 0o640)]
    };
    let mut found = false;
    for (file, mode) in files {
        if stage.is_file(&ImagePath::new(file)) {
            let all = lines(stage, file);
            let kept: Vec<_> = all.iter().filter(|line| line[0] != name).cloned().collect();
            if kept.len() < all.len() {
                found = true;
                save(stage, file, &kept, mode)?;
            }
        }
    }
    Ok(found)
}

/// Moves the passwords to the shadow files, as `shadowconfig on` does: mode 0640, group `shadow`.
pub(crate) fn make_shadow(stage: &mut Stage) -> io::Result<()> {
    let days = (stage.time / 86_400).to_string();
    let shadow_group = group(stage, "shadow").unwrap_or(0);
    for (file, shadow_file) in [(PASSWD, SHADOW), (GROUP, GSHADOW)] {
        let mut entries = lines(stage, file);
        let mut shadow = lines(stage, shadow_file);
        for line in &mut entries {
            let Some(password) = line.get_mut(1) else {
                continue;
            };
            let hidden = std::mem::replace(password, "x".to_owned());
            if shadow.iter().any(|known| known[0] == line[0]) {
                continue;
            }
            let hidden = if hidden == "x" {
                "*".to_owned()
            } else {
                hidden
            };
            let fields = if file == PASSWD {
                vec![line[0].clone(), hidden, days.clone()]
                    .into_iter()
                    .chain(["0", "99999", "7", "", "", ""].map(str::to_owned))
                    .collect()
            } else {
                vec![
                    line[0].clone(),
                    hidden,
                    String::new(),
                    line.get(3).cloned().unwrap_or_default(),
                ]
            };
            shadow.push(fields);
        }
        save(stage, file, &entries, 0o644)?;
        save(stage, shadow_file, &shadow, 0o640)?;
        stage.change(&ImagePath::new(shadow_file), true, |meta| {
            meta.mode = 0o640;
            meta.gid = shadow_group;
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plimsoll_model::MemoryContents;

    use super::*;

    fn stage() -> Stage {
        let mut stage = Stage::new(Arc::new(MemoryContents::default()), 86_400 * 20_000);
        let passwd = b"root:*:0:0:root:/root:/bin/bash\nwww-data:*:33:33::/var/www:/x\n";
        let group = b"root:*:0:\nshadow:*:42:\nwww-data:*:33:\n";
        stage.write(&PASSWD.into(), passwd, 0o644).unwrap();
        stage.write(&GROUP.into(), group, 0o644).unwrap();
        stage
    }

    #[test]
    fn passwords_move_to_shadow_files() {
        let mut stage = stage();
        make_shadow(&mut stage).unwrap();
        assert!(
            stage
                .read_text(&PASSWD.into())
                .starts_with("root:x:0:0:root:")
        );
        assert!(
            stage
                .read_text(&SHADOW.into())
                .starts_with("root:*:20000:0:99999:7:::\n")
        );
        assert!(stage.read_text(&GSHADOW.into()).contains("shadow:*::\n"));
        let meta = &stage.node(&SHADOW.into()).unwrap().meta;
        assert_eq!((meta.mode, meta.gid), (0o640, 42));
        let before = stage.read_text(&SHADOW.into());
        make_shadow(&mut stage).unwrap();
        assert_eq!(stage.read_text(&SHADOW.into()), before);
    }

    #[test]
    fn users_and_groups_are_added_and_taken_away() {
        let mut stage = stage();
        make_shadow(&mut stage).unwrap();
        assert_eq!(user(&stage, "www-data"), Some(33));
        assert_eq!(group(&stage, "7"), Some(7));
        assert_eq!(user(&stage, "nobody"), None);
        assert_eq!(free(&stage, 33..=99, true), Some(34));
        assert_eq!(free(&stage, 33..=99, false), Some(99));
        add_group(&mut stage, "redis", 100).unwrap();
        let new = NewUser {
            name: "redis".into(),
            gid: 100,
            home: "/var/lib/redis".into(),
            shell: "/usr/sbin/nologin".into(),
            ..NewUser::default()
        };
        add_user(&mut stage, &new, 101).unwrap();
        assert_eq!(
            entry(&stage, "passwd", "101").unwrap(),
            "redis:x:101:100::/var/lib/redis:/usr/sbin/nologin"
        );
        assert_eq!(main_group(&stage, "redis"), Some(100));
        assert!(
            stage
                .read_text(&SHADOW.into())
                .ends_with("redis:!:20000::::::\n")
        );
        assert!(join(&mut stage, "redis", "www-data").unwrap());
        assert_eq!(
            entry(&stage, "group", "www-data").unwrap(),
            "www-data:x:33:redis"
        );
        assert!(remove(&mut stage, "redis", false).unwrap());
        assert!(!remove(&mut stage, "redis", false).unwrap());
    }
}
