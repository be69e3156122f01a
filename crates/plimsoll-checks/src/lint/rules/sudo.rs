//! `sudo`: a build is root already.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A build is root unless `USER` says otherwise; `sudo` then does nothing but must be installed,
    /// and it is a set-uid program that an intruder can use as well.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN sudo rm -rf /var/log/app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN rm -rf /var/log/app
    /// ```
    ///
    /// ## Remedy
    ///
    /// `USER root` before what needs root and `USER` of the application behind it; in an entry
    /// script `setpriv` or `gosu`.
    id: "sudo",
    summary: "sudo is used in a build",
    severity: Medium,
    aliases: ["DL3004", "DS-0010", "CKV2_DOCKER_1"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        let wrapper = command
            .wrappers
            .iter()
            .find(|word| word.text.rsplit('/').next() == Some("sudo"));
        let own = (command.name() == "sudo").then(|| &command.words[0]);
        if let Some(word) = wrapper.or(own) {
            hits.add(
                word.span.clone(),
                "sudo in a build: USER says who runs it",
                "USER root before what needs it",
            );
        }
    }
}
