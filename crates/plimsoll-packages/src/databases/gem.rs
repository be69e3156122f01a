//! Ruby gems, by their specifications.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, KnownBy, Package};

use super::{Reading, database};

database! {
    /// Ruby gems as `gem` and bundler install them, and those that come with Ruby: a specification
    /// `NAME-VERSION.gemspec` in a directory `specifications` (of default gems in `default` below it).
    ///
    /// The second line of what `gem` installs says name, version and platform; where it is missing,
    /// the assignments of the specification do, else the name of the file.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec 0644 "# -*- encoding: utf-8 -*-\n# stub: rack 2.2.8 ruby lib\n\nGem::Specification.new do |s|\n  s.name = \"rack\".freeze\nend\n"
    /// /var/lib/gems/3.1.0/gems/rack-2.2.8/lib/rack.rb 0644 1k
    /// ```
    ///
    /// ```packages
    /// rack 2.2.8 /var/lib/gems/3.1.0/gems/rack-2.2.8/lib/rack.rb /var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec
    /// ```
    id: "gem",
    ecosystem: ecosystem::GEM,
    wants: &["**/specifications/*.gemspec", "**/specifications/default/*.gemspec"],
    read: read,
    link: None,
}

const LIMIT: u64 = 4 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let Some(bytes) = reading.file(path, LIMIT) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let stem = String::from_utf8_lossy(path.file_name()).into_owned();
        let stem = stem.strip_suffix(".gemspec").unwrap_or(&stem).to_owned();
        let Some((name, version, platform)) = identity(&text, &stem) else {
            reading.problem(path, "does not say which gem it is about");
            continue;
        };
        let mut files = vec![path.clone()];
        if let Some(gem) = place(path, &stem) {
            files.extend(reading.below(&gem, |_| false));
        }
        files.sort();
        reading.add(Package {
            ecosystem: ecosystem::GEM,
            name,
            version,
            architecture: if platform == "ruby" {
                String::new()
            } else {
                platform
            },
            vendor: list(&text, "authors").join(", "),
            licences: [list(&text, "licenses"), list(&text, "license")].concat(),
            known_by: KnownBy::Metadata,
            files,
            database: Some(path.clone()),
            ..Package::default()
        });
    }
}

/// Name, version and platform.
fn identity(text: &str, stem: &str) -> Option<(String, String, String)> {
    let stub = text
        .lines()
        .take(5)
        .find_map(|line| line.strip_prefix("# stub: "));
    if let Some(stub) = stub {
        let mut words = stub.split_whitespace().map(str::to_owned);
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            return Some((name, version, words.next().unwrap_or_default()));
        }
    }
    let one = |field| list(text, field).into_iter().next();
    if let (Some(name), Some(version)) = (one("name"), one("version")) {
        return Some((name, version, one("platform").unwrap_or_default()));
    }
    // NAME-VERSION[-PLATFORM]: the version is the first part that begins with a digit.
    let parts: Vec<&str> = stem.split('-').collect();
    let digit = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    let index = parts.iter().position(digit).filter(|index| *index > 0)?;
    let (name, rest) = parts.split_at(index);
    Some((name.join("-"), rest[0].to_owned(), rest[1..].join("-")))
}

/// The quoted words assigned to a field: `s.licenses = ["MIT".freeze]`, `s.name = %q{x}`,
/// `s.version = Gem::Version.new("1")`.
fn list(text: &str, field: &str) -> Vec<String> {
    for line in text.lines() {
        let Some((left, right)) = line.split_once('=') else {
            continue;
        };
        let is_field = left
            .trim()
            .rsplit_once('.')
            .is_some_and(|(_, name)| name == field);
        if !is_field {
            continue;
        }
        if let Some((_, rest)) = right.split_once("%q{") {
            return rest
                .split('}')
                .next()
                .map(str::to_owned)
                .into_iter()
                .collect();
        }
        let quote = if right.contains('"') { '"' } else { '\'' };
        let words = right.split(quote).skip(1).step_by(2);
        return words.map(str::to_owned).collect();
    }
    Vec::new()
}

/// `specifications/STEM.gemspec` is about `gems/STEM`; that of a default gem about files of Ruby's
/// own library.
fn place(specification: &ImagePath, stem: &str) -> Option<ImagePath> {
    let directory = specification.parent()?;
    let is_ours = directory.file_name() == b"specifications";
    is_ours.then_some(directory.parent()?.join("gems").join(stem))
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn a_gem_is_named_by_its_stub_its_fields_or_its_file() {
        let of = |text: &str, stem: &str| {
            identity(text, stem)
                .map(|(name, version, platform)| format!("{name} {version} {platform}"))
        };
        let stub = "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.0 x86_64-linux lib\n";
        assert_eq!(of(stub, "x").unwrap(), "nokogiri 1.15.0 x86_64-linux");
        let fields = "Gem::Specification.new do |s|\n  s.name = %q{a}\n  s.version = Gem::Version.new('1.2')\nend";
        assert_eq!(of(fields, "x").unwrap(), "a 1.2 ");
        assert_eq!(
            of("", "net-http-0.3.0-java").unwrap(),
            "net-http 0.3.0 java"
        );
        assert_eq!(of("", "nothing"), None);
    }
}
