//! `named-user`: a user by name cannot be told from root.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A cluster that only admits users other than root (`runAsNonRoot`) sees a name and cannot know
    /// which number it has in the image: it refuses to start it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/node:22.11-slim
    /// # finding
    /// USER node
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/node:22.11-slim
    /// USER 1000:node
    /// ```
    ///
    /// ## Remedy
    ///
    /// The number in place of the name: `USER 1000`.
    id: "named-user",
    summary: "USER is a name, not a number",
    severity: Info,
    aliases: ["DL3066"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Some(last) = sheet.last() else { return };
    let mut users = sheet
        .within(last)
        .iter()
        .filter(|one| one.is(Keyword::User));
    if let Some(user) = users.next_back()
        && let Some(word) = user.text()
    {
        let name = word.text.trim_matches(['"', '\'']);
        let name = name.split(':').next().unwrap_or_default();
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        // The users of Windows have no numbers.
        let is_windows = ["ContainerUser", "ContainerAdministrator"]
            .iter()
            .any(|user| name.eq_ignore_ascii_case(user));
        if !number && !is_windows && !name.contains('$') && name != "root" {
            hits.add(
                user.source(&word.at),
                format!("a cluster cannot tell that {name} is not root"),
                "USER with the number of this user",
            );
        }
    }
}
