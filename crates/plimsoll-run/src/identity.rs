//! Whom an image runs as: `USER` looked up in the image's own user database.

use std::io;

use plimsoll_model::{Config, ImagePath, Rootfs};

use crate::Error;

/// Bytes of `/etc/passwd` and `/etc/group` that are read; a file above that is refused.
const DATABASE_LIMIT: u64 = 4 << 20;
/// The kernel's ids are 32 bits, but runtimes refuse what is above this.
const MAX_ID: u32 = i32::MAX as u32;

/// A user as the kernel and the program's environment see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// All group ids, `gid` among them, sorted.
    pub groups: Vec<u32>,
    /// The name, where the image has one for the id.
    pub name: Option<String>,
    /// Home directory; `/` where the image names none.
    pub home: String,
}

impl Identity {
    /// User 0, group 0, home `/root`.
    pub fn root() -> Self {
        Self {
            uid: 0,
            gid: 0,
            groups: vec![0],
            name: Some(String::from("root")),
            home: String::from("/root"),
        }
    }
}

/// Looks up `config.user` in the image's `/etc/passwd` and `/etc/group`, as Docker does.
///
/// `USER` is empty (user 0), a name or a number, and may have `:group`. A number need not be in the
/// database: then the group is 0 and the home `/`. Other groups that list the user are added only
/// where no group is given. Numbers are never looked up as names.
///
/// # Errors
/// When a name is not in the image, a number is above 2147483647, or a database cannot be read.
pub fn identity(rootfs: &Rootfs, config: &Config) -> Result<Identity, Error> {
    let (user, group) = match config.user.split_once(':') {
        Some((user, group)) => (user, group),
        None => (config.user.as_str(), ""),
    };
    let passwd = database(rootfs, "/etc/passwd")?;
    let wanted = number(if user.is_empty() { "0" } else { user })?;
    let line = lines(&passwd)
        .map(Account::parse)
        .find(|account| match wanted {
            Some(uid) => account.uid == Some(uid),
            None => account.name == user,
        });
    let mut found = match (line, wanted) {
        (Some(account), _) => Identity {
            uid: account.uid.or(wanted).ok_or_else(|| {
                Error::User(format!(
                    "the line of `{user}` in its /etc/passwd has no user id"
                ))
            })?,
            gid: account.gid.unwrap_or(0),
            groups: Vec::new(),
            name: Some(account.name.to_owned()),
            home: account.home.to_owned(),
        },
        (None, Some(uid)) => Identity {
            uid,
            gid: 0,
            groups: Vec::new(),
            name: None,
            home: String::new(),
        },
        (None, None) => {
            let text = format!("user `{user}` is not in its /etc/passwd");
            return Err(Error::User(text));
        }
    };
    if found.home.is_empty() {
        found.home.push('/');
    }
    let groups = database(rootfs, "/etc/group")?;
    if group.is_empty() {
        if let Some(name) = &found.name {
            let member = |line: &&str| {
                line.split(':')
                    .nth(3)
                    .is_some_and(|list| list.split(',').any(|one| one == name))
            };
            let gids = lines(&groups)
                .filter(member)
                .filter_map(|line| line.split(':').nth(2)?.parse::<u32>().ok());
            found.groups.extend(gids);
        }
    } else {
        let wanted = number(group)?;
        let by_name = || {
            let line = lines(&groups).find(|line| line.split(':').next() == Some(group))?;
            line.split(':').nth(2)?.parse().ok()
        };
        found.gid = wanted
            .or_else(by_name)
            .ok_or_else(|| Error::User(format!("group `{group}` is not in its /etc/group")))?;
    }
    found.groups.push(found.gid);
    found.groups.sort_unstable();
    found.groups.dedup();
    Ok(found)
}

/// One line of `passwd(5)`.
struct Account<'a> {
    name: &'a str,
    uid: Option<u32>,
    gid: Option<u32>,
    home: &'a str,
}

impl<'a> Account<'a> {
    fn parse(line: &'a str) -> Self {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or("");
        let uid = fields.nth(1).and_then(|text| text.parse().ok());
        let gid = fields.next().and_then(|text| text.parse().ok());
        let home = fields.nth(1).unwrap_or("");
        Self {
            name,
            uid,
            gid,
            home,
        }
    }
}

/// `Some` if the text is a number; then it must be an id.
fn number(text: &str) -> Result<Option<u32>, Error> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse() {
        Ok(id) if id <= MAX_ID => Ok(Some(id)),
        _ => Err(Error::User(format!("the id {text} is above {MAX_ID}"))),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The text of a database; an image without one (distroless, scratch) has an empty one.
fn database(rootfs: &Rootfs, path: &str) -> Result<String, Error> {
    match rootfs.read(&ImagePath::new(path), DATABASE_LIMIT) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::User(format!("{path}: {error}"))),
    }
}

#[cfg(test)]
mod tests;
