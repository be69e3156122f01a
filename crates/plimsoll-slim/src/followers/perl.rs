//! Perl: modules a script uses, their loadable parts, character tables, and commands it starts.

use std::collections::BTreeSet;
use std::io;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::ahead;
use crate::commands;
use crate::keep::{Keep, Pull};
use crate::known::{Learned, weight_of};
use crate::own;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// Perl loads a module when a `use` is compiled or a `require` is reached, which may be at the
    /// first request of a route. Each kept script and module is read for the names behind `use`,
    /// `no`, `require` and `do`, documentation aside; they are looked for in the directories of
    /// `@INC` and in `PERL5LIB` (`perlfunc(1)`, `perlrun(1)`). With a module comes its directory
    /// below `auto`, where the parts are that are loaded by its name (`XSLoader(3)`,
    /// `AutoLoader(3)`); with the core its character tables, `unicore`, which a pattern names
    /// (`perluniprops(1)`); with `Encode` all encodings, which data names (`Encode::Supported(3)`).
    /// The application's other scripts, in its working directory or beside one that runs, are read
    /// too.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /srv/app.pl
    /// /usr/bin/perl 0755 elf                                                     # kept
    /// /srv/app.pl 0755 "#!/usr/bin/perl\nuse CGI 4; if ($x) { require JSON::PP; }\n=pod\n\nuse Old;\n\n=cut\nuse parent 'Base::Class';" # kept
    /// /usr/share/perl5/CGI.pm 0644 "package CGI; use strict; require \"cgi-lib.pl\";\n__END__\nuse Old;" # kept [perl]
    /// /usr/share/perl5/cgi-lib.pl 0644 "1;"                                      # kept [perl]
    /// /usr/share/perl5/Base/Class.pm 0644 "1;"                                   # kept [perl]
    /// /usr/share/perl5/Old.pm 0644 "1;"
    /// /usr/lib/perl/5.36/JSON/PP.pm 0644 "1;"                                    # kept [perl]
    /// /usr/lib/perl/5.36/auto/JSON/PP/PP.so 0755 elf                             # kept [perl]
    /// /usr/lib/perl/5.36/auto/Old/Old.so 0755 elf
    /// /usr/lib/perl/5.36/strict.pm 0644 "1;"                                     # kept [perl]
    /// /usr/lib/perl/5.36/unicore/lib/Gc/Lu.pl 0644 "1;"                          # kept [perl]
    /// ```
    ///
    /// What the application's own scripts start by a literal command line (`system`, `exec`,
    /// `qx`, backquotes) will be executed, and comes along, a shell too where the line needs one;
    /// scripts of packages name all kinds of tools for cases that never come, and bring none.
    ///
    /// ```image
    /// ENTRYPOINT /srv/app.pl
    /// ENV PATH=/usr/bin
    /// /usr/bin/perl 0755 elf                                                     # kept
    /// /srv/app.pl 0755 "#!/usr/bin/perl\nprint `date -u | tail`; system('draw', 'x'); # `less`\nprint 'more';" # kept
    /// /usr/bin/date 0755 elf                                                     # kept [perl]
    /// /usr/bin/tail 0755 elf                                                     # kept [perl]
    /// /usr/bin/draw 0755 elf                                                     # kept [perl]
    /// /bin/sh       0755 elf                                                     # kept [perl]
    /// /usr/bin/less 0755 elf
    /// /usr/bin/more 0755 elf
    /// ```
    id: "perl",
    follow: follow,
}

/// Longer scripts are not read.
const SCRIPT_LIMIT: u64 = 4 << 20;
/// More names than this are not read from one script.
const NAME_LIMIT: usize = 10_000;
/// Longer literals are no command lines, in bytes.
const COMMAND_LIMIT: usize = 64 << 10;
/// How large a directory below `auto`, or one of tables, may be.
const PARTS: Cap = Cap {
    files: 5_000,
    bytes: 64_000_000,
};

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if !is_script(scene, path) {
        return;
    }
    // Whose commands are followed: those of what no package owns.
    let is_own = scene.owners().owner(path).is_none();
    let read = || {
        let bytes = scene.rootfs().read(path, SCRIPT_LIMIT)?;
        let text = code(&String::from_utf8_lossy(&bytes));
        let (lines, is_cut) = if is_own {
            started(&text)
        } else {
            Default::default()
        };
        Ok::<_, io::Error>(Asked {
            names: names(&text),
            lines: lines.into_iter().map(str::to_owned).collect(),
            is_cut,
        })
    };
    let asked = match scene.learned(path, if is_own { "own" } else { "" }, read) {
        Ok(asked) => asked,
        Err(error) => return keep.problem(path, format!("is a script nobody read: {error}")),
    };
    let load_path = scene.remembered("perl", || load_path(scene));
    let home = path.parent().unwrap_or_else(ImagePath::root);
    for file in &asked.names {
        let shown = plimsoll_model::text::printable(file.as_bytes());
        let reason = || Reason::by("perl", path, format!("loads {shown}"));
        // What lies beside the script is found by `use lib` and `FindBin`.
        let own = [home.clone(), home.join("lib"), home.join("../lib")];
        let mut places = load_path
            .iter()
            .chain(&own)
            .map(|directory| directory.join(file));
        let is_file = |place: &ImagePath| {
            let found = scene.tree().resolve(place).ok();
            let node = found.and_then(|found| scene.tree().get(found.path));
            node.is_some_and(|node| node.is_file())
        };
        if let Some(place) = places.find(is_file) {
            keep.path(&place, Pull::Opened, reason());
        }
    }
    module(scene, path, &load_path, keep);
    own::home(scene, path, "perl", is_script, keep);
    if asked.is_cut {
        keep.problem(path, ahead::CUT);
    }
    for line in &asked.lines {
        commands::keep(scene, path, line, "perl", keep);
    }
}

/// What a script asks for.
struct Asked {
    /// Files below `@INC`.
    names: BTreeSet<String>,
    /// Command lines.
    lines: BTreeSet<String>,
    /// Whether there are more of those than are read.
    is_cut: bool,
}

impl Learned for Asked {
    fn weight(&self) -> usize {
        weight_of(self.names.iter().chain(&self.lines))
    }
}

fn is_script(scene: &Scene<'_>, path: &ImagePath) -> bool {
    if !scene.tree().get(path).is_some_and(|node| node.is_file()) {
        return false;
    }
    let name = path.file_name();
    [&b".pm"[..], b".pl", b".psgi", b".t"]
        .iter()
        .any(|ending| name.ends_with(ending))
        || matches!(&*scene.look(path), Look::Script(line) if line.windows(4).any(|part| part == b"perl"))
}

/// The directories of `@INC`. They are compiled in, so they are found by their form: where
/// `strict.pm` or `Config.pm` lies, and `perl`, `perl5`, `site_perl`, `vendor_perl` with what is
/// below them with a version.
fn load_path(scene: &Scene<'_>) -> Vec<ImagePath> {
    let named = scene.config().env("PERL5LIB").unwrap_or_default();
    let named = named.split(':').filter(|text| text.starts_with('/'));
    let mut found: Vec<ImagePath> = named.map(ImagePath::from).collect();
    let is_home = |name: &[u8]| {
        matches!(
            name,
            b"perl" | b"perl5" | b"perl-base" | b"site_perl" | b"vendor_perl"
        )
    };
    let is_version = |name: &[u8]| name.starts_with(b"5.");
    for (path, node) in scene.tree().iter() {
        let name = path.file_name();
        let Some(parent) = path.parent() else {
            continue;
        };
        let is_core = matches!(name, b"strict.pm" | b"Config.pm");
        let below = is_version(name) && is_home(parent.file_name());
        let deeper = is_version(parent.file_name())
            && parent.parent().is_some_and(|up| is_home(up.file_name()))
            && name.windows(5).any(|part| part == b"linux");
        if is_core && node.is_file() {
            found.push(parent);
        } else if !node.is_file() && (is_home(name) || below || deeper) && starts_well(path) {
            // A link (`5.36 -> 5.36.0`) leads where another of them is.
            let real = scene.tree().resolve(path).ok();
            found.extend(real.map(|found| found.path));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|directory| seen.insert(directory.clone()));
    found
}

fn starts_well(path: &ImagePath) -> bool {
    ["/etc/perl", "/opt", "/usr"]
        .iter()
        .any(|top| path.starts_with(top))
}

/// The text without documentation (`perlpod(1)`), comment lines and what is behind the end.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut in_pod = false;
    for line in text.lines() {
        if matches!(line.trim_end(), "__END__" | "__DATA__") && !in_pod {
            break;
        }
        let starts_pod =
            line.starts_with('=') && line[1..].starts_with(|c: char| c.is_ascii_alphabetic());
        if starts_pod {
            in_pod = !line.starts_with("=cut");
            continue;
        }
        if !in_pod && !line.trim_start().starts_with('#') {
            // A comment behind code: a hash with a blank on both sides is hardly anything else.
            let end = line.find(" # ").unwrap_or(line.len());
            code.push_str(&line[..end]);
            code.push('\n');
        }
    }
    code
}

/// The files that are asked for, as Perl would look for them below `@INC`.
fn names(text: &str) -> BTreeSet<String> {
    /// Modules whose arguments are modules.
    const LOADERS: &[&str] = &["aliased", "autouse", "base", "if", "parent"];
    let mut names = BTreeSet::new();
    for statement in text.split([';', '\n', '{', '}']) {
        if names.len() >= NAME_LIMIT {
            break;
        }
        let mut words = statement
            .split(|c: char| c.is_whitespace() || "(),'\"".contains(c))
            .filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if !matches!(word, "use" | "no" | "require" | "do") {
                continue;
            }
            let Some(name) = words.next() else {
                break;
            };
            names.extend(file(name));
            if LOADERS.contains(&name) {
                names.extend(words.by_ref().filter_map(file));
            }
        }
    }
    names
}

/// `Foo::Bar` as `Foo/Bar.pm`, a file as itself; `None` for what is neither.
fn file(name: &str) -> Option<String> {
    let is_path = name.ends_with(".pl") || name.ends_with(".pm");
    let is_module = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte));
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    if is_path && is_plain {
        Some(name.to_owned())
    } else {
        is_module.then(|| format!("{}.pm", name.replace("::", "/")))
    }
}

/// The loadable parts of a module, and the tables of the core.
fn module(scene: &Scene<'_>, path: &ImagePath, load_path: &[ImagePath], keep: &mut Keep<'_>) {
    let home = load_path
        .iter()
        .filter(|directory| path.starts_with(directory.as_bytes()));
    let Some(home) = home.max_by_key(|directory| directory.depth()) else {
        return;
    };
    let inside = &path.as_bytes()[home.as_bytes().len()..];
    let Some(name) = inside.strip_suffix(b".pm") else {
        return;
    };
    let name = name.strip_prefix(b"/").unwrap_or(name);
    for directory in load_path {
        let place = directory.join([b"auto/", name].concat());
        let Ok(found) = scene.tree().resolve(&place) else {
            continue;
        };
        // Not the parts of modules below it: `auto/List/Util` is not List's.
        let children = scene.tree().children(&found.path);
        let files = children
            .filter(|(_, node)| node.is_file())
            .map(|(path, _)| path.clone());
        for file in files.collect::<Vec<_>>() {
            keep.path(
                &file,
                Pull::Opened,
                Reason::by("perl", path, "part of the module"),
            );
        }
    }
    if matches!(name, b"strict" | b"charnames" | b"Unicode/UCD") {
        let reason = Reason::by("perl", path, "character tables");
        keep.tree(&home.join("unicore"), PARTS, reason);
    }
    if name == b"Encode" {
        // `Encode::Config` has a module for every encoding that data may name.
        for (file, _) in scene.tree().children(&home.join("Encode")) {
            if file.file_name().ends_with(b".pm") {
                keep.path(file, Pull::Opened, Reason::by("perl", path, "encodings"));
            }
        }
    }
    if name == b"Config" {
        let tables = ["Config_heavy.pl", "Config_git.pl"].map(|name| home.join(name));
        for table in tables {
            keep.path(
                &table,
                Pull::Opened,
                Reason::by("perl", path, "configuration"),
            );
        }
    }
}

/// The literal command lines a script starts, and whether there are more than are read.
fn started(text: &str) -> (BTreeSet<&str>, bool) {
    let mut lines = BTreeSet::new();
    let mut words = 0;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '`' || c.is_ascii_alphabetic()) {
        let from = &rest[at..];
        if words >= ahead::WORD_LIMIT || lines.len() >= NAME_LIMIT {
            return (lines, true);
        }
        if let Some(inside) = from.strip_prefix('`') {
            let end = inside.find('`').unwrap_or(inside.len());
            lines.insert(ahead::within(&inside[..end], COMMAND_LIMIT));
            rest = inside.get(end + 1..).unwrap_or_default();
            continue;
        }
        let end = from
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        // `$system`, `->system`, `%exec`
        let is_name = rest[..at].ends_with(['$', '@', '%', '&', '>', ':']);
        rest = after;
        if is_name || !matches!(word, "exec" | "open" | "qx" | "system") {
            continue;
        }
        words += 1;
        let argument = after.trim_start_matches([' ', '(']);
        let literal = match word {
            "qx" => quoted(after.trim_start()),
            "open" => {
                lines.extend(opened(ahead::near(argument)));
                None
            }
            _ if argument.starts_with(['"', '\'']) => quoted(argument),
            _ => None,
        };
        if let Some((inside, behind)) = literal {
            lines.insert(inside);
            // What a command line says is read once.
            rest = behind;
        }
    }
    (lines, false)
}

/// The command in the arguments of an `open`: `F, "command |"` or `F, "-|", "command", ...`.
fn opened(arguments: &str) -> Option<&str> {
    let statement = arguments.split([';', '\n']).next()?;
    let mut literals = statement.split(['"', '\'']).skip(1).step_by(2);
    let first = literals.next()?;
    if matches!(first, "-|" | "|-") {
        return literals.next();
    }
    let piped = first.trim_end().strip_suffix('|');
    let piped = piped.map(|command| command.trim_end_matches('|'));
    piped.or_else(|| Some(first.strip_prefix('|')?.trim_start_matches('|')))
}

/// What stands between the delimiters a text opens with, and what is behind them (`perlop(1)`,
/// quote-like operators).
fn quoted(text: &str) -> Option<(&str, &str)> {
    let open = text.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        c if c.is_ascii_punctuation() => c,
        _ => return None,
    };
    let inside = &text[open.len_utf8()..];
    let end = ahead::within(inside, COMMAND_LIMIT).find(close)?;
    let behind = inside[end..].strip_prefix(close).unwrap_or_default();
    Some((&inside[..end], behind))
}

#[cfg(test)]
mod tests {
    use super::started;

    #[test]
    fn a_command_far_behind_a_word_is_not_its() {
        let found = |gap: usize| started(&format!("open{}F, 'x |'", ",".repeat(gap))).0.len();
        assert_eq!((found(1), found(5_000)), (1, 0));
        let found = |length: usize| started(&format!("qx({})", "x".repeat(length))).0.len();
        assert_eq!((found(1), found(70_000)), (1, 0));
    }

    #[test]
    fn what_a_command_line_says_is_read_once() {
        let (lines, _) = started("system('open(F, \"x |\")'); open(F, '-|', 'date')");
        assert_eq!(
            lines.into_iter().collect::<Vec<_>>(),
            ["date", "open(F, \"x |\")"]
        );
    }
}
