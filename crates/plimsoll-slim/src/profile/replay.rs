//! What a profile names in an image, which may be another than the one it was written about.

use plimsoll_model::{
    Evidence, FileTree, Finding, ImagePath, Kind, Observations, Reason, Severity, Subject,
};

use super::condense::{access, see_root};
use super::pattern::MATCH_LIMIT;
use super::{Folded, How, Pattern, Profile, fold};
use crate::valve;

/// More places of one kind are counted and not named.
const MOST_NAMED: usize = 100;
/// A name that stands in so many other versions says too little.
const MOST_VERSIONS: usize = 8;

/// What a profile names in an image.
#[derive(Debug, Default)]
pub struct Replay {
    /// What stands for the runs it was written after.
    pub observations: Observations,
    /// What the slim image missed then: to be added to the plan, see [`crate::add`].
    pub missed: Vec<(ImagePath, Reason)>,
    /// What has drifted.
    pub findings: Vec<Finding>,
}

/// What a profile names in an image, and what of it is gone, moved, or new.
///
/// A path that is not there any more is looked for in other versions: all numbers in its name may
/// differ.
pub fn replay(profile: &Profile, subject: &Subject<'_>) -> Replay {
    let tree = &subject.rootfs.tree;
    let mut replay = Replay::default();
    let mut drift = Drift::default();
    if profile.was_run {
        see_root(&mut replay.observations);
    }
    for group in &profile.groups {
        let ways = [
            (How::Run, &group.run),
            (How::Open, &group.open),
            (How::Link, &group.link),
        ];
        for (how, patterns) in ways {
            for pattern in patterns {
                let found = find(tree, pattern, &mut drift);
                if let Some(folded) = profile.folded.get(pattern) {
                    drift.compare(pattern, folded, &found);
                }
                for path in found {
                    // Of a link in a directory that stays as a whole only itself is meant.
                    let is_link = tree
                        .get(&path)
                        .is_some_and(|n| matches!(n.kind, Kind::Symlink(_)));
                    let how = match is_link && pattern.is_folded() {
                        true => How::Link,
                        false => how,
                    };
                    let seen = &mut replay.observations;
                    seen.add(path.as_bytes(), access(how), &group.by, &group.during);
                }
            }
        }
    }
    for pattern in &profile.missed {
        let found = find(tree, pattern, &mut drift);
        let reason = Reason {
            detail: "missed when the slim image ran, as the profile says".to_owned(),
            ..Reason::rule("repair")
        };
        let found = found.into_iter().map(|path| (path, reason.clone()));
        replay.missed.extend(found);
    }
    replay.findings = drift.findings(tree);
    replay
}

fn find(tree: &FileTree, pattern: &Pattern, drift: &mut Drift) -> Vec<ImagePath> {
    let found = pattern.matches(tree);
    if !found.is_empty() {
        return drift.cut(pattern, found);
    }
    let folds = pattern.is_folded();
    if let Some(open) = pattern.any_version() {
        let found = open.matches(tree);
        if !found.is_empty() && (folds || found.len() <= MOST_VERSIONS) {
            drift.moved.push((pattern.clone(), found[0].clone()));
            return drift.cut(pattern, found);
        }
    }
    // Directories have no need to be named; one that was is there or made by who wants it.
    let is_directory = pattern.path().is_some_and(|path| {
        let found = tree.resolve(&path).ok();
        found
            .and_then(|found| tree.get(found.path))
            .is_some_and(|node| node.is_dir())
    });
    if !is_directory {
        drift.gone.push(pattern.clone());
    } else if let Some(path) = pattern.path() {
        return vec![path];
    }
    Vec::new()
}

/// What has drifted.
#[derive(Default)]
struct Drift {
    gone: Vec<Pattern>,
    moved: Vec<(Pattern, ImagePath)>,
    new: Vec<ImagePath>,
    /// Directories with another number of files, where the new ones cannot be told.
    grown: Vec<(Pattern, u64, u64)>,
    /// What names more than is taken.
    cut: Vec<Pattern>,
}

impl Drift {
    /// As much of what a pattern names as is taken.
    fn cut(&mut self, pattern: &Pattern, mut found: Vec<ImagePath>) -> Vec<ImagePath> {
        if found.len() > MATCH_LIMIT {
            found.truncate(MATCH_LIMIT);
            self.cut.push(pattern.clone());
        }
        found
    }

    fn compare(&mut self, pattern: &Pattern, folded: &Folded, found: &[ImagePath]) {
        let count = found.len() as u64;
        if folded.names.is_empty() {
            if count != folded.files {
                self.grown.push((pattern.clone(), folded.files, count));
            }
            return;
        }
        let before = self.new.len();
        let is_new = |path: &&ImagePath| {
            let name = fold::short(pattern, path);
            folded.names.binary_search(&name).is_err() && !valve::is_ballast(path)
        };
        self.new.extend(found.iter().filter(is_new).cloned());
        let new = (self.new.len() - before) as u64;
        if count.saturating_sub(new) < folded.files {
            self.grown.push((pattern.clone(), folded.files, count));
        }
    }

    fn findings(self, tree: &FileTree) -> Vec<Finding> {
        let place = |path: &ImagePath| {
            let node = tree.get(path);
            let (layer, size) = node.map_or((0, 0), |node| (node.layer, node.size()));
            let path = path.clone();
            Evidence::Path { path, layer, size }
        };
        // A pattern is no path, but is read like one.
        let named = |pattern: &Pattern| place(&ImagePath::new(pattern.as_bytes()));
        let mut findings = Vec::new();
        if !self.gone.is_empty() {
            findings.push(finding(
                Severity::Medium,
                format!(
                    "{} the profile names, and the image no longer has",
                    count(self.gone.len(), "path")
                ),
                self.gone.iter().map(named).collect(),
                "run it again: slim --write-profile, without --profile",
            ));
        }
        if !self.cut.is_empty() {
            findings.push(finding(
                Severity::Medium,
                format!(
                    "{} of the profile that name more than {MATCH_LIMIT} files: the rest is left out",
                    count(self.cut.len(), "pattern")
                ),
                self.cut.iter().map(named).collect(),
                "--include the directory: there is no limit on that",
            ));
        }
        if !self.new.is_empty() {
            findings.push(finding(
                Severity::Low,
                format!(
                    "{} new in directories of which everything stays",
                    count(self.new.len(), "file")
                ),
                self.new.iter().map(place).collect(),
                "they stay too; if they should not, --exclude them",
            ));
        }
        if !self.grown.is_empty() {
            let shown = self
                .grown
                .iter()
                .map(|(pattern, before, after)| format!("{pattern}: {before} then, {after} now"));
            findings.push(finding(
                Severity::Low,
                format!("other files in directories of which everything stays ({})", shown.take(5).collect::<Vec<_>>().join("; ")),
                self.grown.iter().map(|(pattern, ..)| named(pattern)).collect(),
                "write the profile anew once the image is seen working: --profile FILE --verify --write-profile FILE",
            ));
        }
        if !self.moved.is_empty() {
            let (from, to) = &self.moved[0];
            findings.push(finding(
                Severity::Info,
                format!("{} found by the same name with another version, such as {from} at {to}", count(self.moved.len(), "path")),
                self.moved.iter().map(|(_, to)| place(to)).collect(),
                "write the profile anew once the image is seen working: --profile FILE --verify --write-profile FILE",
            ));
        }
        findings
    }
}

/// The name under which drift is found: [`Finding::check`] of [`replay`] and [`super::drift`].
pub const DRIFT: &str = "profile-drift";

pub(super) fn finding(
    severity: Severity,
    message: String,
    mut evidence: Vec<Evidence>,
    remedy: &str,
) -> Finding {
    evidence.truncate(MOST_NAMED);
    Finding {
        check: DRIFT,
        aliases: &[],
        severity,
        message,
        evidence,
        remedy: Some(remedy.to_owned()),
    }
}

pub(super) fn count(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{} {what}s", plimsoll_model::text::count(count as u64)),
    }
}
