//! What the page's script draws from, packed: a tree in preorder as columns, numbers that repeat
//! as value and count.
//!
//! Each side has `name`, the columns `names[]` (empty: several small files), `kids[]` (how many
//! children a directory has; -1 for files), `bytes[]` (0 for directories), `files` (index and
//! number of files where that is not 1), and as runs `layer`, `owner`, `why`; `owners[]` (kind,
//! name, version), `layers[]` (instruction, digest), and `whys[]` (rule, words), or `null`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use plimsoll_model::census::{Census, Owner, OwnerKind};
use plimsoll_model::{ImagePath, Plan, text};
use serde::Serialize;

use super::Side;
use super::markup;
use super::tree::{self, Dir, Marks};

/// Owners that are told apart on a page: those with the most bytes.
const OWNERS: usize = 4000;
/// Reasons that are told apart on a page beyond the rules they come from.
const REASONS: usize = 5000;
/// Characters of a reason or an instruction that a page has.
const WORDS: usize = 200;
/// The kind of what no container sees, behind those of [`OwnerKind::ALL`].
const DEAD: usize = OwnerKind::ALL.len();

#[derive(Serialize)]
struct Document {
    kinds: Vec<&'static str>,
    sides: Vec<JsonSide>,
}

#[derive(Serialize, Default)]
struct JsonSide {
    name: String,
    names: Vec<String>,
    kids: Vec<i64>,
    bytes: Vec<u64>,
    files: BTreeMap<usize, u64>,
    layer: Runs,
    owner: Runs,
    why: Option<Runs>,
    owners: Vec<(usize, String, String)>,
    layers: Vec<(String, String)>,
    whys: Option<Vec<(String, String)>>,
}

/// Numbers that repeat: value, how often, value, how often.
#[derive(Serialize, Default)]
#[serde(transparent)]
struct Runs(Vec<u32>);

impl Runs {
    fn push(&mut self, value: u32) {
        match &mut self.0[..] {
            [.., last, count] if *last == value && *count < u32::MAX => *count += 1,
            _ => self.0.extend([value, 1]),
        }
    }
}

/// Writes the data of these images as JSON that may stand in a `script` element.
pub(super) fn write(sides: &[Side], out: &mut dyn Write) -> io::Result<()> {
    let mut kinds: Vec<&'static str> = OwnerKind::ALL.iter().map(|kind| kind.words()).collect();
    kinds.push("dead: in layers, in no container");
    let document = Document {
        kinds,
        sides: sides.iter().map(side).collect(),
    };
    let json = serde_json::to_string(&document)?;
    out.write_all(markup::json(&json).as_bytes())
}

fn side(side: &Side) -> JsonSide {
    let (owners, numbers) = owners(&side.census);
    let mut whys = side
        .plan
        .as_ref()
        .map(|plan| Whys::of(plan, side.unplanned));
    let dead = Owner::default();
    let dead_owner = owners.len() as u32;
    // Files that are there and bytes that are not, in one order of paths.
    let mut rows: Vec<(&ImagePath, u64, Marks)> = Vec::new();
    for file in &side.census.files {
        let owner = numbers.get(file.owner as usize).copied();
        let marks = Marks {
            layer: file.layer,
            owner: owner.unwrap_or_default(),
            why: whys.as_mut().map_or(0, |whys| whys.number(&file.path)),
        };
        rows.push((&file.path, file.bytes, marks));
    }
    for hidden in &side.census.dead {
        let marks = Marks {
            layer: hidden.layer,
            owner: dead_owner + u32::from(hidden.removed),
            why: 0,
        };
        rows.push((&hidden.path, hidden.size, marks));
    }
    rows.sort_by_key(|(path, ..)| *path);
    let root = tree::tree(rows.into_iter());
    let mut json = JsonSide {
        name: text::printable(side.name.as_bytes()),
        why: whys.is_some().then(Runs::default),
        ..JsonSide::default()
    };
    directory(&root, &mut json);
    json.owners = owners
        .iter()
        .map(|owner| (kind(owner), clean(&owner.name), clean(&owner.version)))
        .collect();
    for name in ["written again by a later layer", "removed by a later layer"] {
        json.owners
            .push((DEAD, name.to_owned(), clean(&dead.version)));
    }
    json.layers = side
        .layers
        .iter()
        .map(|layer| {
            (
                clean(&text::instruction(&layer.created_by)),
                clean(&layer.digest),
            )
        })
        .collect();
    json.whys = whys.map(|whys| whys.list);
    json
}

fn kind(owner: &Owner) -> usize {
    let kind = OwnerKind::ALL.iter().position(|kind| *kind == owner.kind);
    kind.unwrap_or_default()
}

/// Text of a stranger: printable, on one line, and not too long.
fn clean(words: &str) -> String {
    let words = words.replace(['\n', '\t', '\r'], " ");
    let printable = text::printable(words.as_bytes());
    let mut short: String = printable.chars().take(WORDS).collect();
    if short.len() < printable.len() {
        short.push('…');
    }
    short
}

fn directory(dir: &Dir, json: &mut JsonSide) {
    node(
        json,
        &dir.name,
        (dir.dirs.len() + dir.leaves.len()) as i64,
        0,
    );
    let none = Marks {
        layer: 0,
        owner: 0,
        why: 0,
    };
    marks(json, none);
    for sub in &dir.dirs {
        directory(sub, json);
    }
    for leaf in &dir.leaves {
        if leaf.files != 1 {
            json.files.insert(json.names.len(), leaf.files);
        }
        node(json, &leaf.name, -1, leaf.bytes);
        marks(json, leaf.marks);
    }
}

fn node(json: &mut JsonSide, name: &str, kids: i64, bytes: u64) {
    json.names.push(name.to_owned());
    json.kids.push(kids);
    json.bytes.push(bytes);
}

fn marks(json: &mut JsonSide, marks: Marks) {
    json.layer.push(marks.layer);
    json.owner.push(marks.owner);
    if let Some(why) = &mut json.why {
        why.push(marks.why);
    }
}

/// The owners a page tells apart, and for each owner of the census which one it is.
fn owners(census: &Census) -> (Vec<Owner>, Vec<u32>) {
    let mut heavy: Vec<(u64, usize)> = (0..census.owners.len()).map(|index| (0, index)).collect();
    for file in &census.files {
        if let Some((bytes, _)) = heavy.get_mut(file.owner as usize) {
            *bytes = bytes.saturating_add(file.bytes);
        }
    }
    heavy.sort_by_key(|&(bytes, index)| (std::cmp::Reverse(bytes), index));
    let mut list = Vec::new();
    let mut numbers = vec![0; census.owners.len()];
    let mut others: BTreeMap<OwnerKind, u32> = BTreeMap::new();
    for (place, (_, index)) in heavy.into_iter().enumerate() {
        let Some(owner) = census.owners.get(index) else {
            continue;
        };
        let number = if place < OWNERS {
            list.push(owner.clone());
            list.len() as u32 - 1
        } else {
            *others.entry(owner.kind).or_insert_with(|| {
                list.push(Owner {
                    kind: owner.kind,
                    name: "others".to_owned(),
                    version: String::new(),
                });
                list.len() as u32 - 1
            })
        };
        if let Some(at) = numbers.get_mut(index) {
            *at = number;
        }
    }
    (list, numbers)
}

/// The reasons of a plan, each once; the first is that the plan does not name a file.
struct Whys<'a> {
    plan: &'a Plan,
    list: Vec<(String, String)>,
    known: BTreeMap<(String, String), u32>,
}

impl<'a> Whys<'a> {
    fn of(plan: &'a Plan, unplanned: &str) -> Self {
        Self {
            plan,
            list: vec![(unplanned.to_owned(), String::new())],
            known: BTreeMap::new(),
        }
    }

    fn number(&mut self, path: &ImagePath) -> u32 {
        let Some(reasons) = self.plan.keep.get(path) else {
            return 0;
        };
        let rule = reasons.first().map_or("kept", |reason| reason.rule);
        let words = reasons.first().map(|reason| clean(&reason.to_string()));
        let mut why = (rule.to_owned(), words.unwrap_or_default());
        if self.list.len() > REASONS && !self.known.contains_key(&why) {
            why.1.clear();
        }
        let next = self.list.len() as u32;
        let number = *self.known.entry(why.clone()).or_insert(next);
        if number == next {
            self.list.push(why);
        }
        number
    }
}
