//! Alternatives: one name for several programs that do the same.

use std::collections::BTreeMap;

use plimsoll_model::ImagePath;

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// `awk`, `pager`, `editor`, `which`, `java` are links through `/etc/alternatives` to whichever
    /// program of several is the best that is installed.
    ///
    /// `update-alternatives --install LINK NAME PATH PRIORITY [--slave ...]` enters the program in
    /// `/var/lib/dpkg/alternatives/NAME`, in the form `update-alternatives(1)` writes; the program of
    /// the highest priority gets the links. A slave's link is made only where its file is there.
    /// `--remove` takes a program out again, `--auto` chooses again, `--set` chooses by hand,
    /// `--query`, `--display` and `--list` answer with the paths. Its log is not written.
    id: "alternatives",
    commands: &["update-alternatives"],
    scripts: &[],
    run: run,
}

const ADMIN: &str = "/var/lib/dpkg/alternatives";
const LINKS: &str = "/etc/alternatives";

/// A name and its choices.
#[derive(Debug, Default, PartialEq, Eq)]
struct Group {
    manual: bool,
    link: String,
    /// Slave name → its link.
    slaves: BTreeMap<String, String>,
    /// Path → priority and the slaves' paths.
    choices: BTreeMap<String, (i64, BTreeMap<String, String>)>,
}

impl Group {
    /// Reads the administrative file: mode, link, slaves, blank line, choices.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut group = Self {
            manual: lines.next()? == "manual",
            link: lines.next()?.to_owned(),
            ..Self::default()
        };
        loop {
            let name = lines.next()?;
            if name.is_empty() {
                break;
            }
            group
                .slaves
                .insert(name.to_owned(), lines.next()?.to_owned());
        }
        loop {
            let path = lines.next()?;
            if path.is_empty() {
                return Some(group);
            }
            let priority = lines.next()?.trim().parse().ok()?;
            let mut slaves = BTreeMap::new();
            for name in group.slaves.keys() {
                let slave = lines.next()?;
                if !slave.is_empty() {
                    slaves.insert(name.clone(), slave.to_owned());
                }
            }
            group.choices.insert(path.to_owned(), (priority, slaves));
        }
    }

    fn to_text(&self) -> String {
        let mode = if self.manual { "manual" } else { "auto" };
        let mut text = format!("{mode}\n{}\n", self.link);
        for (name, link) in &self.slaves {
            text += &format!("{name}\n{link}\n");
        }
        text.push('\n');
        for (path, (priority, slaves)) in &self.choices {
            text += &format!("{path}\n{priority}\n");
            for name in self.slaves.keys() {
                text += slaves.get(name).map_or("", String::as_str);
                text.push('\n');
            }
        }
        text.push('\n');
        text
    }

    /// The choice of the highest priority; of equal ones the first in the order of the paths.
    fn best(&self) -> Option<&str> {
        let mut best: Option<(&str, i64)> = None;
        for (path, (priority, _)) in &self.choices {
            if best.is_none_or(|(_, highest)| *priority > highest) {
                best = Some((path, *priority));
            }
        }
        best.map(|(path, _)| path)
    }
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let mut install: Option<[&str; 4]> = None;
    let mut slaves = Vec::new();
    let mut action: Option<(&str, Vec<&str>)> = None;
    let mut rest = words[1..].iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let mut take = |count: usize| -> Vec<&str> { rest.by_ref().take(count).collect() };
        match word {
            "--install" => install = take(4).try_into().ok(),
            "--slave" => {
                if let Ok::<[&str; 3], _>(slave) = take(3).try_into() {
                    slaves.push(slave);
                }
            }
            "--remove" | "--set" => action = Some((word, take(2))),
            "--remove-all" | "--auto" | "--query" | "--display" | "--list" => {
                action = Some((word, take(1)));
            }
            "--altdir" | "--admindir" | "--log" | "--root" | "--instdir" => drop(take(1)),
            _ => {}
        }
    }
    if let Some([link, name, path, priority]) = install {
        return enter(shell, link, name, path, priority, &slaves);
    }
    let Some((action, operands)) = action else {
        shell.report(format!("`{}` is not emulated", words.join(" ")));
        return Ok(0);
    };
    let name = operands.first().copied().unwrap_or_default();
    let Some(mut group) = load(shell, name) else {
        // Nothing to take away is fine; nothing to ask is an error.
        return Ok(if action.starts_with("--remove") { 0 } else { 2 });
    };
    match (action, operands.get(1)) {
        ("--remove", Some(path)) => {
            group.choices.remove(*path);
        }
        ("--remove-all", _) => group.choices.clear(),
        ("--auto", _) => group.manual = false,
        ("--set", Some(path)) => {
            group.manual = true;
            let path = (*path).to_owned();
            return settle(shell, name, &group, Some(&path));
        }
        _ => {
            let mut text: String = group
                .choices
                .keys()
                .map(|path| format!("{path}\n"))
                .collect();
            if action == "--query" {
                let best = group.best().unwrap_or_default();
                text = format!(
                    "Name: {name}\nLink: {}\nBest: {best}\nValue: {best}\n",
                    group.link
                );
            }
            shell.print(text.as_bytes());
            return Ok(0);
        }
    }
    settle(shell, name, &group, None)
}

fn load(shell: &Shell<'_>, name: &str) -> Option<Group> {
    let path = ImagePath::new(ADMIN).join(name);
    let bytes = shell.stage.read(&path).ok()?;
    Group::parse(&String::from_utf8_lossy(&bytes))
}

fn enter(
    shell: &mut Shell<'_>,
    link: &str,
    name: &str,
    path: &str,
    priority: &str,
    slaves: &[[&str; 3]],
) -> Result<i32, Stop> {
    let Ok(priority) = priority.parse::<i64>() else {
        return Ok(2);
    };
    // The program itself must be there: `update-alternatives` refuses otherwise.
    if shell.stage.node(&ImagePath::new(path)).is_none() {
        return Ok(2);
    }
    let mut group = load(shell, name).unwrap_or_default();
    group.link = link.to_owned();
    let mut files = BTreeMap::new();
    for [slave_link, slave, file] in slaves {
        group
            .slaves
            .insert((*slave).to_owned(), (*slave_link).to_owned());
        files.insert((*slave).to_owned(), (*file).to_owned());
    }
    group.choices.insert(path.to_owned(), (priority, files));
    let current = group.manual.then(|| {
        let target = shell
            .stage
            .link(&ImagePath::new(LINKS).join(name))
            .unwrap_or_default();
        String::from_utf8_lossy(target).into_owned()
    });
    settle(shell, name, &group, current.as_deref())
}

/// Writes the administrative file and the links of the choice.
fn settle(
    shell: &mut Shell<'_>,
    name: &str,
    group: &Group,
    choice: Option<&str>,
) -> Result<i32, Stop> {
    let admin = ImagePath::new(ADMIN).join(name);
    let result = match choice.or_else(|| group.best()) {
        None => {
            shell.stage.remove(&admin);
            unlink(shell, name, &group.link);
            for (slave, link) in &group.slaves {
                unlink(shell, slave, link);
            }
            Ok(())
        }
        Some(choice) => write(shell, name, group, choice, &admin),
    };
    result
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}

fn write(
    shell: &mut Shell<'_>,
    name: &str,
    group: &Group,
    choice: &str,
    admin: &ImagePath,
) -> std::io::Result<()> {
    shell
        .stage
        .write(admin, group.to_text().as_bytes(), 0o644)?;
    link(shell, name, &group.link, choice)?;
    let empty = BTreeMap::new();
    let files = group.choices.get(choice).map_or(&empty, |(_, files)| files);
    for (slave, slave_link) in &group.slaves {
        match files.get(slave) {
            Some(file) if shell.stage.node(&ImagePath::new(file)).is_some() => {
                link(shell, slave, slave_link, file)?;
            }
            _ => unlink(shell, slave, slave_link),
        }
    }
    Ok(())
}

fn link(shell: &mut Shell<'_>, name: &str, link: &str, target: &str) -> std::io::Result<()> {
    let middle = ImagePath::new(LINKS).join(name);
    shell.stage.symlink(&middle, target.as_bytes())?;
    // A real file in the place of the link is somebody's own and stays.
    let outer = ImagePath::new(link);
    if shell.stage.node_itself(&outer).is_none() || shell.stage.link(&outer).is_some() {
        shell.stage.symlink(&outer, middle.as_bytes())?;
    }
    Ok(())
}

fn unlink(shell: &mut Shell<'_>, name: &str, link: &str) {
    let middle = ImagePath::new(LINKS).join(name);
    shell.stage.remove(&middle);
    let outer = ImagePath::new(link);
    if shell.stage.link(&outer) == Some(middle.as_bytes()) {
        shell.stage.remove(&outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrative_file_is_read_as_it_is_written() {
        let text = "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n\
                    /usr/bin/nawk\n\n/usr/bin/gawk\n10\n\n/usr/bin/gawk\n/usr/bin/mawk\n5\n\
                    /usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n";
        let group = Group::parse(text).unwrap();
        assert_eq!(group.to_text(), text);
        assert_eq!(group.best(), Some("/usr/bin/gawk"));
        assert_eq!(Group::parse("auto\n/usr/bin/awk\n"), None);
    }
}
