//! What slim did, and how it is known that the result works.

use plimsoll_model::ImagePath;
use plimsoll_model::report::{LevelRisk, PackageFate, SlimFacts};
use plimsoll_model::text::{bytes, count};

use super::layout::{Column, Page, clean, short};

/// The kinds of files in the table of levels.
const COLUMNS: [&str; 6] = [
    "modules",
    "plug-ins",
    "libraries",
    "locale files",
    "programs",
    "other files",
];

/// Files and packages that are shown of each list.
const SHOWN: usize = 10;

pub(super) fn write(facts: &SlimFacts, page: &mut Page) {
    page.heading(&format!("Slim image: {}", clean(&facts.output)));
    page.fact("digest", &clean(&facts.digest));
    page.fact("level", facts.level);
    page.fact("sandbox", &clean(&facts.sandbox));
    verified(facts, page);
    let kept = facts.plan.keep.len() as u64;
    if kept > 0 {
        let paths = if kept == 1 { "path" } else { "paths" };
        page.fact(
            "kept",
            &format!("{} {paths}, each with its reason", count(kept)),
        );
    }
    for (index, layer) in facts.layers.iter().enumerate() {
        let name = if index == 0 { "layers" } else { "" };
        let (stored, files) = (bytes(layer.compressed), count(layer.files));
        let by = short(&clean(&layer.created_by), 120);
        page.fact(name, &format!("{stored}, {files} files: {by}"));
    }
    fate(&facts.packages, page);
    if !facts.seconds.is_empty() {
        page.fact("seconds", &seconds(facts));
    }
    risks(facts, page);
    list("Had to stay, and why", &facts.forced, page);
    list(
        "Added because the slim image missed them",
        &facts.repaired,
        page,
    );
    if !facts.plan.unresolved.is_empty() {
        let unresolved = &facts.plan.unresolved;
        page.heading(&format!(
            "Asked for and not in the image ({})",
            unresolved.len()
        ));
        for problem in unresolved.iter().take(SHOWN) {
            page.paragraph(2, &clean(&problem.to_string()));
        }
        more(unresolved.len(), page);
    }
}

/// The one word that counts, and by which probes.
fn verified(facts: &SlimFacts, page: &mut Page) {
    let probes: Vec<String> = facts.verified_by.iter().map(|probe| clean(probe)).collect();
    match (probes.is_empty(), facts.differences.is_empty()) {
        (true, true) => page.fact("verified", "no: nothing was probed"),
        (_, false) => {
            page.fact("verified", "no: it does not answer as the original does");
            for difference in &facts.differences {
                page.fact("", &clean(difference));
            }
            if !probes.is_empty() {
                page.fact("alike", &probes.join(", "));
            }
        }
        (false, true) => page.fact("verified", &format!("yes, by {}", probes.join(", "))),
    }
}

fn fate(fate: &PackageFate, page: &mut Page) {
    let PackageFate {
        whole,
        partial,
        gone,
    } = fate;
    if whole.is_empty() && partial.is_empty() && gone.is_empty() {
        return;
    }
    let counts = format!(
        "{} whole, {} in part, {} gone",
        whole.len(),
        partial.len(),
        gone.len()
    );
    page.fact("packages", &counts);
    for (name, packages) in [("whole", whole), ("in part", partial), ("gone", gone)] {
        if packages.is_empty() {
            continue;
        }
        let shown = packages.iter().take(SHOWN).map(|package| clean(package));
        let mut shown = shown.collect::<Vec<_>>().join(", ");
        if packages.len() > SHOWN {
            shown.push_str(&format!(" and {} more", packages.len() - SHOWN));
        }
        page.fact("", &format!("{name}: {shown}"));
    }
}

/// `original 0.41, plan 0.20; 0.61 in all, 0.31 of it plimsoll's own`.
fn seconds(facts: &SlimFacts) -> String {
    let phases = &facts.seconds;
    let shown = phases
        .iter()
        .map(|(phase, seconds)| format!("{phase} {seconds:.2}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let all: f64 = phases.iter().map(|(_, seconds)| seconds).sum();
    let own = facts.own_seconds;
    format!("{shown}; {all:.2} in all, {own:.2} of it plimsoll's own")
}

/// What each level keeps, and what of the packages it touches it leaves ashore.
fn risks(facts: &SlimFacts, page: &mut Page) {
    if facts.risks.is_empty() {
        return;
    }
    page.heading("What might be asked for later, and is ashore");
    let row = |risk: &LevelRisk| {
        let count_of = |what: &str| {
            let row = risk.ashore.iter().find(|row| row.what == what);
            count(row.map_or(0, |row| row.files))
        };
        let mark = if risk.level == facts.level { " *" } else { "" };
        let mut row = vec![format!("{}{mark}", risk.level), bytes(risk.bytes)];
        row.extend(COLUMNS.iter().map(|&what| count_of(what)));
        row
    };
    let header: Vec<&str> = ["level", "keeps"].into_iter().chain(COLUMNS).collect();
    use Column::{Left, Right};
    page.table(
        &[Left, Right, Right, Right, Right, Right, Right, Right],
        &header,
        facts.risks.iter().map(row).collect(),
    );
    let chosen = facts.risks.iter().find(|risk| risk.level == facts.level);
    for row in chosen.iter().flat_map(|risk| &risk.ashore) {
        let shown = row.examples.iter().map(ImagePath::to_string);
        let shown = shown.collect::<Vec<_>>().join(", ");
        let (what, files) = (row.what, count(row.files));
        let packages = match row.packages {
            0 => "no package".to_owned(),
            1 => "1 package".to_owned(),
            packages => format!("{} packages", count(packages)),
        };
        let size = bytes(row.bytes);
        page.paragraph(
            2,
            &format!("{what}: {files} ({size}) of {packages}, such as {shown}"),
        );
    }
}

fn list(title: &str, rows: &[(ImagePath, String)], page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    page.heading(&format!("{title} ({})", rows.len()));
    for (path, why) in rows.iter().take(SHOWN) {
        page.paragraph(2, &format!("{path}: {}", clean(why)));
    }
    more(rows.len(), page);
}

fn more(all: usize, page: &mut Page) {
    if all > SHOWN {
        page.paragraph(2, &format!("and {} more", all - SHOWN));
    }
}
