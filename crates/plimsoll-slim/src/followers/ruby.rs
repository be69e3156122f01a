//! Ruby: features a script requires, gems and what they depend on, encodings.

use std::collections::BTreeSet;
use std::io;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::ahead;
use crate::keep::{Keep, Pull};
use crate::known::{Learned, weight_of};
use crate::own;
use crate::scene::{Look, Scene};
use crate::valve::Cap;

follower! {
    /// Ruby loads most of its code when a constant is first used or a line with `require` is
    /// reached. Each kept script is read for the names behind `require`, `require_relative`,
    /// `load` and `autoload`; they are looked for as Ruby does, in its library directories, in
    /// `RUBYLIB` and in the directories of gems (Ruby documentation, `Kernel#require`,
    /// `Module#autoload`). A name with something computed at its end (`"digest/#{kind}"`) means
    /// all that fit. A library that names a part of its own in any other string
    /// (`register_lazy :ERB, 'tilt/erb'` in `tilt.rb`) will load it by that.
    ///
    /// The application's other scripts, in its working directory or beside one that runs, are read
    /// too: frameworks load them by convention. A gem of which anything is loaded is kept whole: its `lib`, its compiled extensions, its
    /// specification, and so are the gems it depends on at run time (RubyGems, "Specification
    /// Reference"). With the interpreter come its encodings and transcoders, loaded by the name
    /// that `String#encode` is given.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/ruby /srv/config.ru
    /// /usr/bin/ruby 0755 elf needed=libruby-3.1.so.3.1                                # kept
    /// /usr/lib/libruby-3.1.so.3.1 0644 elf                                            # kept [elf]
    /// /srv/config.ru 0644 "get('/xml') { require \"xml\"; require 'web/base' }\n# require 'old'\n"  # kept
    /// /usr/lib/ruby/3.1.0/rbconfig.rb 0644 "x"
    /// /usr/lib/ruby/3.1.0/enc/euc_jp.so 0644 elf                                      # kept [ruby]
    /// /usr/lib/ruby/3.1.0/old.rb 0644 "x"
    /// /usr/lib/ruby/3.1.0/digest.rb 0644 "require \"digest/#{name}\"\n"              # kept [ruby]
    /// /usr/lib/ruby/3.1.0/digest/sha2.so 0644 elf                                     # kept [ruby]
    /// /usr/lib/ruby/vendor_ruby/xml.rb 0644 "require_relative 'xml/node'\nautoload(:Digest, 'digest')\nlazy :T, 'xml/late', 'old/er'\n" # kept [ruby]
    /// /usr/lib/ruby/vendor_ruby/xml/node.rb 0644 "x"                                  # kept [ruby]
    /// /usr/lib/ruby/vendor_ruby/xml/late.rb 0644 "x"                                  # kept [ruby]
    /// /usr/lib/ruby/vendor_ruby/old/er.rb 0644 "x"
    /// /gems/specifications/web-1.0.gemspec 0644 "s.add_runtime_dependency(%q<rack>.freeze, [\"> 1\"])\n s.add_development_dependency(\"test\")\n" # kept [ruby]
    /// /gems/gems/web-1.0/lib/web/base.rb 0644 "x"                                     # kept [ruby]
    /// /gems/gems/web-1.0/lib/web/rare.rb 0644 "x"                                     # kept [ruby]
    /// /gems/gems/web-1.0/spec/web_spec.rb 0644 "x"
    /// /gems/specifications/rack-2.2.gemspec 0644 "x"                                  # kept [ruby]
    /// /gems/gems/rack-2.2/lib/rack.rb 0644 "x"                                        # kept [ruby]
    /// /gems/extensions/x86_64-linux/3.1.0/rack-2.2/rack.so 0644 elf                   # kept [ruby]
    /// /gems/specifications/test-1.0.gemspec 0644 "x"
    /// /gems/gems/test-1.0/lib/test.rb 0644 "x"
    /// ```
    id: "ruby",
    follow: follow,
}

/// Longer scripts are not read.
const SCRIPT_LIMIT: u64 = 4 << 20;
/// More names than this are not read from one script.
const NAME_LIMIT: usize = 10_000;
/// How large a directory of a gem may be that is kept whole.
const GEM: Cap = Cap {
    files: 5_000,
    bytes: 64_000_000,
};

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let name = path.file_name();
    if name.starts_with(b"libruby") || name.starts_with(b"ruby") {
        encodings(scene, path, keep);
    }
    if is_script(scene, path) {
        script(scene, path, keep);
        own::home(scene, path, "ruby", is_script, keep);
    }
    if name.ends_with(b".rb") || name.ends_with(b".so") {
        gem(scene, path, keep);
    }
}

fn is_script(scene: &Scene<'_>, path: &ImagePath) -> bool {
    if !scene.tree().get(path).is_some_and(|node| node.is_file()) {
        return false;
    }
    let name = path.file_name();
    let is_named = [&b".rb"[..], b".ru", b".rake"]
        .iter()
        .any(|ending| name.ends_with(ending));
    is_named
        || matches!(name, b"Rakefile" | b"Gemfile")
        || matches!(&*scene.look(path), Look::Script(line) if line.windows(4).any(|part| part == b"ruby"))
}

/// The directories Ruby searches, nearest first: those of the environment, of the site, of the
/// distribution, its own, those of gems.
///
/// They are compiled in, so they are found by their form: `site_ruby`, `vendor_ruby`, `ruby/3.1.0`
/// and what is below them with a version or an `rbconfig.rb`; `gems/NAME-VERSION/lib` and the
/// extensions beside it.
fn load_path(scene: &Scene<'_>) -> Vec<ImagePath> {
    let named = scene.config().env("RUBYLIB").unwrap_or_default();
    let named = named.split(':').filter(|text| text.starts_with('/'));
    let mut found: Vec<(u8, ImagePath)> = named.map(|text| (0, text.into())).collect();
    let is_version = |name: &[u8]| {
        name.contains(&b'.')
            && name
                .iter()
                .all(|&byte| byte.is_ascii_digit() || byte == b'.')
    };
    for (path, node) in scene.tree().iter() {
        let name = path.file_name();
        let Some(parent) = path.parent() else {
            continue;
        };
        if name == b"rbconfig.rb" {
            found.push((3, parent));
        } else if !node.is_dir() {
            continue;
        } else if name == b"site_ruby" || parent.file_name() == b"site_ruby" {
            found.push((1, path.clone()));
        } else if name == b"vendor_ruby" || is_version(name) && parent.file_name() == b"vendor_ruby"
        {
            found.push((2, path.clone()));
        } else if is_version(name) && parent.file_name() == b"ruby" {
            found.push((3, path.clone()));
        } else if name == b"lib" && parent.parent().is_some_and(|up| up.file_name() == b"gems") {
            found.push((4, path.clone()));
        } else if path.components().rev().nth(3) == Some(b"extensions") {
            found.push((5, path.clone()));
        }
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, path)| path).collect()
}

fn script(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let read = || {
        let bytes = scene.rootfs().read(path, SCRIPT_LIMIT)?;
        let (names, is_cut) = names(&String::from_utf8_lossy(&bytes));
        Ok::<_, io::Error>(Names { names, is_cut })
    };
    let names = match scene.learned(path, "", read) {
        Ok(names) => names,
        Err(error) => return keep.problem(path, format!("is a script nobody read: {error}")),
    };
    let load_path = scene.remembered("ruby", || load_path(scene));
    let home = path.parent().unwrap_or_else(ImagePath::root);
    if names.is_cut {
        keep.problem(path, ahead::CUT);
    }
    for Name { text, how } in &names.names {
        let shown = plimsoll_model::text::printable(text.as_bytes());
        let own = [home.clone(), path.clone()];
        let is_relative = *how == How::Beside;
        let found = if *how == How::Mentioned {
            if !is_part_of(path, text) {
                continue;
            }
            features(scene, &load_path, text)
        } else if is_relative || text.starts_with('.') {
            features(scene, &own, text)
        } else {
            // `File.expand_path("../x", __FILE__)` and plain `load "x.rb"` are beside the script.
            let found = features(scene, &load_path, text);
            if found.is_empty() {
                features(scene, &own[..1], text)
            } else {
                found
            }
        };
        let verb = match how {
            How::Mentioned => "names",
            How::Searched | How::Beside => "requires",
        };
        for place in found {
            let reason = Reason::by("ruby", path, format!("{verb} {shown}"));
            keep.path(&place, Pull::Opened, reason);
        }
    }
}

/// Whether a feature is a part of the library that the script at `path` is of: `tilt/erb` for
/// `tilt.rb` and for what is below `tilt/`.
fn is_part_of(path: &ImagePath, feature: &str) -> bool {
    let first = feature.split('/').next().unwrap_or_default().as_bytes();
    let stem = path.file_name().strip_suffix(b".rb");
    stem == Some(first) || path.components().any(|part| part == first)
}

/// A name in a script that may be a feature.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    /// As it is written; a hole at its end as `*`.
    text: String,
    how: How,
}

/// How a script names a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// Behind `require` and its like.
    Searched,
    /// Behind `require_relative`.
    Beside,
    /// In any other string.
    Mentioned,
}

/// What a script names.
struct Names {
    names: BTreeSet<Name>,
    /// Whether there are more than are read.
    is_cut: bool,
}

impl Learned for Names {
    fn weight(&self) -> usize {
        weight_of(self.names.iter().map(|name| &name.text))
    }
}

/// The literals that stand behind a word that loads, in the same statement, and all others with a
/// slash in them; and whether there are more than are read.
fn names(text: &str) -> (BTreeSet<Name>, bool) {
    const WORDS: &[&str] = &[
        "require",
        "require_relative",
        "autoload",
        "load",
        "require_dependency",
    ];
    let mut names = BTreeSet::new();
    let mut words = 0;
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        if line == "__END__" {
            break;
        }
        let mut rest = line;
        while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            let from = &rest[at..];
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            rest = after;
            if WORDS.contains(&word) {
                words += 1;
                if words > ahead::WORD_LIMIT || names.len() >= NAME_LIMIT {
                    return (names, true);
                }
                let after = ahead::near(after);
                let statement = after.split([';', '}']).next().unwrap_or_default();
                // A hole closes with the brace that would end the statement.
                let statement = if statement.contains("#{") {
                    after
                } else {
                    statement
                };
                let literals = literals(statement).filter_map(pattern);
                let how = match word {
                    "require_relative" => How::Beside,
                    _ => How::Searched,
                };
                names.extend(literals.map(|text| Name { text, how }));
            }
        }
        let mentioned = literals(line).filter(|text| text.contains('/') && !text.starts_with('/'));
        for text in mentioned.filter_map(pattern) {
            if names.len() >= NAME_LIMIT {
                return (names, true);
            }
            let how = How::Mentioned;
            names.insert(Name { text, how });
        }
    }
    (names, false)
}

/// The string literals of a statement.
fn literals(statement: &str) -> impl Iterator<Item = &str> {
    let mut rest = statement;
    std::iter::from_fn(move || {
        let open = rest.find(['\'', '"'])?;
        let quote = rest.as_bytes()[open];
        let inside = &rest[open + 1..];
        let end = inside.find(char::from(quote)).unwrap_or(inside.len());
        rest = inside.get(end + 1..).unwrap_or_default();
        Some(&inside[..end])
    })
}

/// A literal as a name, `*` for a hole at its end; `None` for what says nothing.
fn pattern(literal: &str) -> Option<String> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-./+@".contains(&byte))
    };
    match literal.split_once("#{") {
        None => is_name(literal).then(|| literal.to_owned()),
        Some((before, after)) => {
            let is_at_end = after.ends_with('}') && !after.contains("#{");
            (is_at_end && is_name(before) && before.ends_with('/')).then(|| format!("{before}*"))
        }
    }
}

/// Where a feature is in `directories`: the first script, else the first library; all that fit for
/// a pattern.
fn features(scene: &Scene<'_>, directories: &[ImagePath], name: &str) -> Vec<ImagePath> {
    let is_file = |place: &ImagePath| {
        let found = scene.tree().resolve(place).ok();
        let node = found.and_then(|found| scene.tree().get(found.path));
        node.is_some_and(|node| node.is_file())
    };
    if let Some(directory) = name.strip_suffix("/*") {
        let above = directories.iter().map(|above| above.join(directory));
        let above = above.filter_map(|above| Some(scene.tree().resolve(&above).ok()?.path));
        let inside = above.flat_map(|above| {
            let children = scene.tree().children(&above).map(|(path, _)| path.clone());
            children.collect::<Vec<_>>()
        });
        let fits = inside.filter(|path| {
            let name = path.file_name();
            is_file(path) && (name.ends_with(b".rb") || name.ends_with(b".so"))
        });
        return fits.collect();
    }
    let has_ending = name.ends_with(".rb") || name.ends_with(".so") || name.ends_with(".ru");
    let endings: &[&str] = if has_ending { &[""] } else { &[".rb", ".so"] };
    for ending in endings {
        let full = format!("{name}{ending}");
        let mut places = directories.iter().map(|directory| directory.join(&full));
        if let Some(place) = places.find(is_file) {
            return vec![place];
        }
    }
    Vec::new()
}

/// A file of a gem: the gem, and those it depends on.
fn gem(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(home) = path
        .ancestors()
        .find(|above| above.parent().is_some_and(|up| up.file_name() == b"gems"))
    else {
        return;
    };
    let Some(store) = home.parent().and_then(|gems| gems.parent()) else {
        return;
    };
    let name = home.file_name();
    let specification = [name, b".gemspec"].concat();
    let specification = store.join("specifications").join(specification);
    let reason = || Reason::by("ruby", path, "is of this gem");
    if keep.is_new_home("gem", &home) {
        keep.path(&specification, Pull::Opened, reason());
        keep.tree(&home.join("lib"), GEM, reason());
        let load_path = scene.remembered("ruby", || load_path(scene));
        for directory in load_path.iter() {
            let is_extension = directory.components().any(|part| part == b"extensions");
            if directory.file_name() == name && is_extension {
                keep.tree(directory, GEM, reason());
            }
        }
        let text = scene.text(&specification).unwrap_or_default();
        for needed in dependencies(&text) {
            depends(scene, &specification, needed, &store, keep);
        }
    }
}

/// The names of the gems a specification needs at run time.
fn dependencies(text: &str) -> BTreeSet<&str> {
    let calls = ["add_runtime_dependency", "add_dependency"];
    let calls = calls
        .iter()
        .flat_map(|call| text.match_indices(call).map(|(at, _)| at + call.len()));
    let names = calls.filter_map(|at| {
        let rest = ahead::near(&text[at..]).trim_start_matches(['(', ' ']);
        let (open, close) = [("%q<", '>'), ("\"", '"'), ("'", '\'')]
            .into_iter()
            .find(|(open, _)| rest.starts_with(open))?;
        rest[open.len()..].split(close).next()
    });
    names
        .take(NAME_LIMIT)
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect()
}

/// A gem that another depends on: what its name loads, which brings the gem.
fn depends(scene: &Scene<'_>, by: &ImagePath, name: &str, store: &ImagePath, keep: &mut Keep<'_>) {
    let shown = plimsoll_model::text::printable(name.as_bytes());
    let reason = || Reason::by("ruby", by, format!("depends on {shown}"));
    let load_path = scene.remembered("ruby", || load_path(scene));
    // `rack-protection` loads `rack/protection` or `rack-protection`.
    for feature in [name.to_owned(), name.replace('-', "/")] {
        for place in features(scene, &load_path, &feature) {
            keep.path(&place, Pull::Opened, reason());
        }
    }
    let specifications = store.join("specifications");
    let children = scene.tree().children(&specifications);
    let own: Vec<ImagePath> = children
        .map(|(path, _)| path)
        .filter(|path| {
            let rest = path.file_name().strip_prefix(name.as_bytes());
            let rest = rest.and_then(|rest| rest.strip_prefix(b"-"));
            rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        })
        .cloned()
        .collect();
    for specification in own {
        keep.path(&specification, Pull::Opened, reason());
    }
}

/// The encodings and transcoders of the interpreter, below the directory with its `rbconfig.rb`.
fn encodings(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    if !matches!(&*scene.look(path), Look::Elf(_)) {
        return;
    }
    for directory in scene.remembered("ruby", || load_path(scene)).iter() {
        if scene.tree().contains(directory.join("rbconfig.rb")) {
            let reason = Reason::by("ruby", path, "encodings");
            keep.tree(&directory.join("enc"), GEM, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_far_behind_a_word_is_not_its() {
        let found = |gap: usize| names(&format!("load{}'x'", " ".repeat(gap))).0.len();
        assert_eq!((found(1), found(5_000)), (1, 0));
    }
}
