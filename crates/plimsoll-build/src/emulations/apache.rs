//! Apache's modules, configuration snippets and sites: `a2enmod` and its kin.

use plimsoll_model::ImagePath;

use super::{Options, emulation};
use crate::shell::{Shell, Stop};

emulation! {
    /// Debian's Apache reads what is linked in `/etc/apache2/*-enabled`. The `postinst` of `apache2`
    /// enables the default modules, snippets and site by calls that this row answers; which ones is
    /// read from the script itself.
    ///
    /// `a2enmod NAME` links `mods-available/NAME.load` and `.conf` into `mods-enabled`, with the
    /// modules it depends on (the `# Depends:` line of the `.load` file); `a2enconf` and `a2ensite`
    /// link the `.conf` of theirs; `a2dismod`, `a2disconf` and `a2dissite` take the links away;
    /// `a2query` answers whether one is there. What was asked is noted below `/var/lib/apache2`, as
    /// the programs do (`a2enmod(8)`). `apache2_invoke` and `apache2_switch_mpm`, the functions
    /// other packages call, come to the same calls.
    id: "apache",
    commands: &[
        "a2disconf", "a2dismod", "a2dissite", "a2enconf", "a2enmod", "a2ensite", "a2query",
        "apache2_invoke", "apache2_needs_action", "apache2_switch_mpm",
    ],
    scripts: &[],
    run: run,
}

struct Sort {
    word: &'static str,
    folder: &'static str,
    suffix: &'static str,
}

const MODULE: Sort = Sort {
    word: "module",
    folder: "mods",
    suffix: "load",
};
const SNIPPET: Sort = Sort {
    word: "conf",
    folder: "conf",
    suffix: "conf",
};
const SITE: Sort = Sort {
    word: "site",
    folder: "sites",
    suffix: "conf",
};

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = Options::new(&words[1..], &["m_", "s_"]);
    let command = words[0].rsplit('/').next().unwrap_or_default();
    let operands = options.operands.clone();
    let sort = |command: &str| match &command[command.len().min(4)..] {
        _ if command.ends_with("conf") => SNIPPET,
        _ if command.ends_with("site") => SITE,
        _ => MODULE,
    };
    let result = match command {
        "apache2_needs_action" => return Ok(1),
        "apache2_invoke" => {
            let (action, name) = (operands.first(), operands.get(1));
            let (Some(action), Some(name)) = (action, name) else {
                return Ok(1);
            };
            if action.starts_with("en") {
                enable(shell, &sort(action), name, true, 0)
            } else {
                disable(shell, &sort(action), name)
            }
        }
        "apache2_switch_mpm" => {
            let enabled = ImagePath::new("/etc/apache2/mods-enabled");
            for path in shell.stage.list(&enabled) {
                let name = String::from_utf8_lossy(path.file_name()).into_owned();
                if let Some(name) = name.strip_suffix(".load").filter(|n| n.starts_with("mpm_")) {
                    let disabled = disable(shell, &MODULE, name);
                    disabled.map_err(|error| shell.stop(error.to_string()))?;
                }
            }
            let name = format!("mpm_{}", operands.first().copied().unwrap_or_default());
            enable(shell, &MODULE, &name, true, 0)
        }
        "a2query" => {
            // `a2query -m NAME`: is it enabled?
            let sort = match () {
                () if options.has(&["c"]) => SNIPPET,
                () if options.has(&["s"]) => SITE,
                () => MODULE,
            };
            let name = operands.first().copied().unwrap_or_default();
            let path = format!(
                "/etc/apache2/{}-enabled/{name}.{}",
                sort.folder, sort.suffix
            );
            return Ok(i32::from(
                shell.stage.node_itself(&path.as_str().into()).is_none(),
            ));
        }
        _ => {
            let by_maintainer = options.has(&["m", "maintmode"]);
            let mut status = 0;
            for name in operands {
                let sort = sort(command);
                let done = if command.starts_with("a2en") {
                    enable(shell, &sort, name, by_maintainer, 0)
                } else {
                    disable(shell, &sort, name)
                };
                status |= done.map_err(|error| shell.stop(error.to_string()))?;
            }
            return Ok(status);
        }
    };
    result.map_err(|error| shell.stop(error.to_string()))
}

fn enable(
    shell: &mut Shell<'_>,
    sort: &Sort,
    name: &str,
    by_maintainer: bool,
    depth: usize,
) -> std::io::Result<i32> {
    let name = name
        .strip_suffix(&format!(".{}", sort.suffix))
        .unwrap_or(name);
    let available = ImagePath::new(format!("/etc/apache2/{}-available", sort.folder));
    let enabled = ImagePath::new(format!("/etc/apache2/{}-enabled", sort.folder));
    let main = format!("{name}.{}", sort.suffix);
    if !shell.stage.is_file(&available.join(&main)) || depth > 20 {
        return Ok(1);
    }
    if sort.word == "module" {
        let text = shell.stage.read_text(&available.join(&main));
        let depends = text
            .lines()
            .find_map(|line| line.strip_prefix("# Depends:"));
        let depends = depends.unwrap_or_default().to_owned();
        for other in depends.split([' ', ',']).filter(|other| !other.is_empty()) {
            enable(shell, sort, other, by_maintainer, depth + 1)?;
        }
    }
    let mut files = vec![main];
    if sort.word == "module" {
        files.push(format!("{name}.conf"));
    }
    for file in files {
        let link = enabled.join(&file);
        if shell.stage.is_file(&available.join(&file)) && shell.stage.node_itself(&link).is_none() {
            let target = format!("../{}-available/{file}", sort.folder);
            shell.stage.symlink(&link, target.as_bytes())?;
        }
    }
    let by = if by_maintainer { "maint" } else { "admin" };
    let mark = format!("/var/lib/apache2/{}/enabled_by_{by}/{name}", sort.word);
    shell.stage.write(&mark.as_str().into(), b"", 0o644)?;
    Ok(0)
}

fn disable(shell: &mut Shell<'_>, sort: &Sort, name: &str) -> std::io::Result<i32> {
    let enabled = ImagePath::new(format!("/etc/apache2/{}-enabled", sort.folder));
    shell
        .stage
        .remove(&enabled.join(format!("{name}.{}", sort.suffix)));
    if sort.word == "module" {
        shell.stage.remove(&enabled.join(format!("{name}.conf")));
    }
    let mark = format!("/var/lib/apache2/{}/disabled_by_maint/{name}", sort.word);
    shell.stage.write(&mark.as_str().into(), b"", 0o644)?;
    Ok(0)
}
