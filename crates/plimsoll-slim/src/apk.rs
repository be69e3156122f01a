//! apk's database with what is still there: the packages of which a file stays, and those files.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, PackageId, Plan, Subject};

use crate::inventory::Share;
use crate::owners::Places;

/// Every database of apk, path and content, pruned. One that lists nothing any more is empty.
pub(crate) fn files(
    subject: &Subject<'_>,
    shares: &BTreeMap<PackageId, Share>,
    plan: &Plan,
) -> BTreeMap<ImagePath, Vec<u8>> {
    let tree = &subject.rootfs.tree;
    let mut places = Places::default();
    let mut files: BTreeMap<ImagePath, Vec<u8>> = BTreeMap::new();
    for (id, package) in subject.inventory.iter() {
        let Some(database) = package.database.as_ref() else {
            continue;
        };
        if package.ecosystem != "apk" {
            continue;
        }
        let file = files.entry(database.clone()).or_default();
        if shares.get(&id).is_some_and(|share| share.kept > 0) {
            let record = pruned(&package.record, |path| {
                let place = places.of(tree, path);
                place.is_some_and(|place| plan.keeps(&place))
            });
            file.extend_from_slice(record.as_bytes());
            file.push(b'\n');
        }
    }
    files
}

/// The record without the files that do not stay, and without directories none of whose files do.
///
/// `F` names a directory, `M` its owner and mode; `R` names a file in it, `a` that file's owner and
/// mode, `Z` its digest.
fn pruned(record: &str, mut stays: impl FnMut(&ImagePath) -> bool) -> String {
    let mut text = String::new();
    let mut directory = ImagePath::root();
    // Lines of a directory that wait for the first file of it that stays.
    let mut waiting = String::new();
    let (mut in_directory, mut is_kept) = (false, false);
    for line in record.lines() {
        let out = match line.split_once(':') {
            Some(("F", value)) => {
                directory = ImagePath::new(value);
                in_directory = true;
                waiting.clear();
                &mut waiting
            }
            Some(("M", _)) if in_directory => &mut waiting,
            Some(("R", value)) => {
                is_kept = stays(&directory.join(value));
                if !is_kept {
                    continue;
                }
                text.push_str(&std::mem::take(&mut waiting));
                &mut text
            }
            Some(("a" | "Z", _)) if in_directory => {
                if !is_kept {
                    continue;
                }
                &mut text
            }
            _ => &mut text,
        };
        out.push_str(line);
        out.push('\n');
    }
    text
}
