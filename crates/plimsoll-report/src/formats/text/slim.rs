//! What slim did, and how it is known that the result works.

use plimsoll_model::ImagePath;
use plimsoll_model::report::{LevelRisk, PackageFate, PackageShare, Round, SlimFacts};
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
    page.fact("watch", &clean(&facts.watch));
    if !facts.seconds.is_empty() {
        page.fact("seconds", &seconds(facts));
    }
    fate(&facts.packages, page);
    rounds(&facts.rounds, page);
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
        table,
    } = fate;
    if whole.is_empty() && partial.is_empty() && gone.is_empty() {
        return;
    }
    page.heading(&format!(
        "Packages: {} whole, {} in part, {} gone",
        whole.len(),
        partial.len(),
        gone.len()
    ));
    let (left, stays): (Vec<_>, Vec<_>) = table.iter().partition(|row| row.fate == "gone");
    let row = |row: &&PackageShare| {
        vec![
            short(&clean(&row.name), 40),
            short(&clean(&row.version), 30),
            if row.fate == "partial" {
                "in part"
            } else {
                row.fate
            }
            .to_owned(),
            bytes(row.kept_bytes),
            bytes(row.bytes),
            format!("{} of {}", count(row.kept_files), count(row.files)),
        ]
    };
    if !stays.is_empty() {
        use Column::{Left, Right};
        page.table(
            &[Left, Left, Left, Right, Right, Right],
            &["package", "version", "", "keeps", "of", "files"],
            stays.iter().take(SHOWN).map(row).collect(),
        );
        more(stays.len(), page);
    }
    // The largest first, which is what people look for.
    let named: Vec<String> = left.iter().map(|row| clean(&row.name)).collect();
    if !named.is_empty() {
        let mut shown = named
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if named.len() > SHOWN {
            shown.push_str(&format!(" and {} more", named.len() - SHOWN));
        }
        page.paragraph(2, &format!("gone: {shown}"));
    }
}

/// What each part of the runs brought.
fn rounds(rounds: &[Round], page: &mut Page) {
    if rounds.is_empty() {
        return;
    }
    page.heading("What each part of the runs brought");
    let row = |round: &Round| {
        let examples = round.examples.iter().map(ImagePath::to_string);
        vec![
            short(&clean(&round.name), 40),
            count(round.files),
            count(round.alone),
            bytes(round.alone_bytes),
            examples.collect::<Vec<_>>().join(", "),
        ]
    };
    use Column::{Left, Rest, Right};
    page.table(
        &[Left, Right, Right, Right, Rest],
        &["", "files", "it alone", "bytes", "such as"],
        rounds.iter().take(SHOWN * 2).map(row).collect(),
    );
    if rounds.len() > SHOWN * 2 {
        page.paragraph(2, &format!("and {} more", rounds.len() - SHOWN * 2));
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
