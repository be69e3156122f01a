//! What outlives one maintainer script: packages, debconf's answers, diversions, triggers.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::ImagePath;

/// What outlives one maintainer script.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Debian's word for the architecture of the image.
    pub(crate) architecture: String,
    /// The packages that are unpacked, with their versions.
    pub(crate) packages: BTreeMap<String, Installed>,
    /// Path as a package ships it, directories included → the packages that do.
    pub(crate) shipped: BTreeMap<ImagePath, Vec<String>>,
    /// Debconf's templates, by name.
    pub(crate) templates: BTreeMap<String, Template>,
    /// Debconf's answers, by question.
    pub(crate) answers: BTreeMap<String, String>,
    /// Flags of questions (`seen`) that are set.
    pub(crate) flags: BTreeSet<(String, String)>,
    /// Paths that are diverted: where to, and for which package's sake (empty for a local one).
    pub(crate) diversions: BTreeMap<ImagePath, Diversion>,
    /// Lines of `dpkg-statoverride`: path → (user, group, mode).
    pub(crate) overrides: BTreeMap<ImagePath, (String, String, String)>,
    /// Triggers that were activated and not yet answered.
    pub(crate) triggers: BTreeSet<String>,
    /// A counter for names of temporary files.
    pub(crate) temporary: u32,
}

/// A package that is unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    /// Its version.
    pub(crate) version: String,
    /// Its architecture.
    pub(crate) architecture: String,
    /// Its `postinst` is through.
    pub(crate) configured: bool,
}

/// A template of debconf.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    /// The default answer.
    pub(crate) default: String,
    /// The choices, of a selection.
    pub(crate) choices: String,
}

/// A path that is diverted (`dpkg-divert(1)`).
#[derive(Debug, Clone)]
pub(crate) struct Diversion {
    /// Where the file of every other package goes.
    pub(crate) to: ImagePath,
    /// The package whose own file keeps the name.
    pub(crate) package: String,
}

impl World {
    /// Takes in the templates of a package: stanzas of `Template`, `Default`, `Choices`.
    pub(crate) fn load_templates(&mut self, text: &[u8]) {
        for stanza in plimsoll_packages::deb822::stanzas(text).flatten() {
            let field = |name: &str| {
                let value = stanza.get(name).unwrap_or_default();
                value.lines().next().unwrap_or_default().trim().to_owned()
            };
            let name = field("Template");
            if !name.is_empty() {
                let template = Template {
                    default: field("Default"),
                    choices: field("Choices"),
                };
                self.templates.insert(name, template);
            }
        }
    }

    /// Debconf's answer to a question: given, or the template's default.
    pub(crate) fn answer(&self, question: &str) -> Option<String> {
        let given = self.answers.get(question).cloned();
        given.or_else(|| Some(self.templates.get(question)?.default.clone()))
    }
}
