//! Questions: `debconf`, answered without anybody being asked.

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// Packages ask questions when they are installed. Nobody is there to answer: every question
    /// gets what the package's `config` script set, else the default of its template, as debconf's
    /// non-interactive front end would do (`debconf-devel(7)`).
    ///
    /// The shell functions `db_get`, `db_set`, `db_input`, `db_go` and their kin keep the answers for
    /// the time of the build; debconf's own database (`/var/cache/debconf`) is not written.
    /// `ucf` and `ucfr` put the package's version of a configuration file in place, which is what
    /// they do on a first installation; their registry is not written.
    id: "debconf",
    commands: &[
        "db_beginblock", "db_capb", "db_clear", "db_data", "db_endblock", "db_fget", "db_fset",
        "db_get", "db_go", "db_info", "db_input", "db_metaget", "db_progress", "db_purge",
        "db_register", "db_reset", "db_set", "db_settitle", "db_stop", "db_subst", "db_text",
        "db_title", "db_unregister", "db_version", "db_x_loadtemplatefile", "debconf-set-selections",
        "ucf", "ucfr",
    ],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let word = |index: usize| words.get(index).cloned().unwrap_or_default();
    let command = words[0].rsplit('/').next().unwrap_or_default();
    let mut answer = String::new();
    let status = match command {
        "db_get" => match shell.world.answer(&word(1)) {
            Some(value) => {
                answer = value;
                0
            }
            // "The question does not exist."
            None => 10,
        },
        "db_set" => {
            shell
                .world
                .answers
                .insert(word(1), words[2.min(words.len())..].join(" "));
            0
        }
        "db_reset" => {
            shell.world.answers.remove(&word(1));
            0
        }
        "db_fset" => {
            let flag = (word(1), word(2));
            if word(3) == "true" {
                shell.world.flags.insert(flag);
            } else {
                shell.world.flags.remove(&flag);
            }
            0
        }
        "db_fget" => {
            let known = shell.world.answer(&word(1)).is_some();
            answer = shell.world.flags.contains(&(word(1), word(2))).to_string();
            if known { 0 } else { 10 }
        }
        "db_metaget" => match shell.world.templates.get(&word(1)) {
            Some(template) => {
                answer = match word(2).to_ascii_lowercase().as_str() {
                    "choices" => template.choices.clone(),
                    "default" => template.default.clone(),
                    _ => String::new(),
                };
                0
            }
            None => 10,
        },
        "db_register" => {
            if let Some(template) = shell.world.templates.get(&word(1)).cloned() {
                shell.world.templates.insert(word(2), template);
            }
            0
        }
        // "The question is skipped": nobody is asked.
        "db_input" => 30,
        "ucf" => return config_file(shell, words),
        _ => 0,
    };
    if command.starts_with("db_") {
        shell.assign("RET", answer);
    }
    Ok(status)
}

/// `ucf [options] NEW DESTINATION`.
fn config_file(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = super::Options::new(
        &words[1..],
        &["debconf-template", "state-dir", "sum-file", "src-dir", "s"],
    );
    if options.has(&["purge", "p"]) {
        return Ok(0);
    }
    let [from, to] = options.operands[..] else {
        return Ok(1);
    };
    let (from, to) = (shell.path(from), shell.path(to));
    if shell.stage.is_file(&to) {
        return Ok(0);
    }
    match shell.stage.read(&from) {
        Ok(bytes) => {
            let written = shell.stage.write(&to, &bytes, 0o644);
            written
                .map(|()| 0)
                .map_err(|error| shell.stop(error.to_string()))
        }
        Err(_) => Ok(1),
    }
}
