//! Known vulnerabilities: what was asked, the counts side by side, and each of the worst.

use std::collections::BTreeMap;

use plimsoll_model::text::count;
use plimsoll_model::vulnerability::{ArchiveFacts, Counts, Part, SeverityBy, VulnerabilityState};
use plimsoll_model::{Report, ScanFacts, Severity, Vulnerability};

use super::layout::{Column, Page, clean, short};

/// Packages that are shown.
const PACKAGES: usize = 15;
/// Vulnerabilities that are shown one by one.
const SHOWN: usize = 25;
/// The severities, worst first; `None` where nobody says.
const SEVERITIES: [Option<Severity>; 6] = [
    Some(Severity::Critical),
    Some(Severity::High),
    Some(Severity::Medium),
    Some(Severity::Low),
    Some(Severity::Info),
    None,
];

pub(super) fn write(report: &Report, page: &mut Page) {
    if let [first, second, ..] = &*report.scans {
        side_by_side(&[first, second], page);
    }
    // Where the report is about something else, the numbers are enough.
    if report.verb == "scan" {
        for facts in &report.scans {
            one(facts, page);
        }
    }
}

fn one(facts: &ScanFacts, page: &mut Page) {
    let counts = facts.counts();
    page.heading(&format!(
        "Known vulnerabilities of {}: {}",
        clean(&facts.name),
        total(facts, &counts)
    ));
    let over = facts.ended.as_ref();
    let over = over.map(|ended| format!(", which nobody fixes since {}", ended.on));
    let system = format!("{}{}", facts.distribution, over.unwrap_or_default());
    page.fact("system", &clean(&system));
    page.fact(
        "judged",
        &format!(
            "{} of {} packages{}",
            count(facts.judged),
            count(facts.packages),
            match facts.accepted.len() as u64 {
                0 => String::new(),
                accepted => format!("; {} not, which was accepted", count(accepted)),
            }
        ),
    );
    for data in &facts.data {
        page.fact("data", &asked(data));
    }
    if !facts.vulnerabilities.is_empty() {
        severities(facts, page);
        parts(facts, page);
        packages(facts, page);
        list(facts, page);
    }
    quiet(facts, page);
    if let Some(offered) = &facts.archive {
        archive(offered, page);
    }
}

/// The count, or that there is none to be had.
fn total(facts: &ScanFacts, counts: &Counts) -> String {
    if counts.rows == 0 {
        return match facts.is_complete() {
            true if facts.accepted.is_empty() => "none known".to_owned(),
            true if facts.judged == 0 => "nothing could be judged, which was accepted".to_owned(),
            true => "none known of what could be judged".to_owned(),
            false if facts.judged == 0 => "cannot be judged".to_owned(),
            false => "none found in what could be judged".to_owned(),
        };
    }
    format!(
        "{} ({} fixable, {} unfixed, {} unimportant to the vendor), {} by installed package",
        counts.by_source, counts.fixable, counts.unfixed, counts.unimportant, counts.rows
    )
}

fn asked(data: &plimsoll_model::vulnerability::AskedData) -> String {
    // What has not changed for long is not old for that.
    let content = data.content.get(..10).unwrap_or_default();
    let age = match (data.age, content < &*data.date && !content.is_empty()) {
        (None, _) => "an unknown day".to_owned(),
        (Some(0), true) => format!("{content}, the newest there was today"),
        (Some(1), true) => format!("{content}, the newest there was 1 day ago"),
        (Some(days), true) => format!("{content}, the newest there was {days} days ago"),
        (Some(0), false) => "today".to_owned(),
        (Some(1), false) => format!("{}, 1 day old", data.date),
        (Some(days), false) => format!("{}, {days} days old", data.date),
    };
    let lists = match (&*data.scope, data.lists_unfixed) {
        ("kev" | "epss", _) => "marks them",
        (_, true) => "lists unfixed flaws too",
        (_, false) => "lists fixed flaws only",
    };
    let feeds = data.feeds.join(", ");
    clean(&format!(
        "{}: {} advisories ({feeds}), of {age}; {lists}",
        data.scope,
        count(data.rows)
    ))
}

/// One line a severity, split by what can be done.
fn severities(facts: &ScanFacts, page: &mut Page) {
    let mut rows = Vec::new();
    for severity in SEVERITIES {
        let of = |state: Option<VulnerabilityState>| {
            let members = facts.vulnerabilities.iter().filter(|it| {
                it.severity == severity && state.is_none_or(|state| it.state == state)
            });
            Counts::of(members).by_source
        };
        if of(None) == 0 {
            continue;
        }
        let name = severity.map_or("not said", Severity::name).to_owned();
        let mut row = vec![name, count(of(None))];
        for state in [
            VulnerabilityState::Fixable,
            VulnerabilityState::Unfixed,
            VulnerabilityState::Unimportant,
        ] {
            row.push(count(of(Some(state))));
        }
        rows.push(row);
    }
    use Column::{Left, Right};
    page.line("");
    page.table(
        &[Left, Right, Right, Right, Right],
        &["severity", "all", "fixable", "unfixed", "unimportant"],
        rows,
    );
}

/// What came with the base, and what with the application.
fn parts(facts: &ScanFacts, page: &mut Page) {
    let mut rows = Vec::new();
    for part in [Part::Base, Part::Application, Part::Unknown] {
        let counts = Counts::of(
            facts
                .vulnerabilities
                .iter()
                .filter(|it| it.package.part == part),
        );
        if counts.rows > 0 {
            let name = match part {
                Part::Base => "base",
                Part::Application => "application",
                Part::Unknown => "base or application",
            };
            rows.push(counted(name.to_owned(), &counts));
        }
    }
    let mut layers: BTreeMap<u32, Vec<&Vulnerability>> = BTreeMap::new();
    for it in &facts.vulnerabilities {
        if let Some(layer) = it.package.layer {
            layers.entry(layer).or_default().push(it);
        }
    }
    for (layer, members) in layers {
        rows.push(counted(format!("layer {layer}"), &Counts::of(members)));
    }
    table("part", rows, page);
}

fn packages(facts: &ScanFacts, page: &mut Page) {
    let mut packages: BTreeMap<(&str, &str), Vec<&Vulnerability>> = BTreeMap::new();
    for it in &facts.vulnerabilities {
        let key = (&*it.package.source, &*it.package.source_version);
        packages.entry(key).or_default().push(it);
    }
    let mut rows: Vec<(Counts, String)> = packages
        .into_iter()
        .map(|((name, version), members)| {
            (
                Counts::of(members),
                short(&clean(&format!("{name} {version}")), 50),
            )
        })
        .collect();
    rows.sort_by_key(|(counts, _)| std::cmp::Reverse(counts.by_source));
    let more = rows.len().saturating_sub(PACKAGES);
    let shown = rows.into_iter().take(PACKAGES);
    table(
        "source package",
        shown.map(|(counts, name)| counted(name, &counts)).collect(),
        page,
    );
    if more > 0 {
        page.line(&format!("  and {more} more"));
    }
}

fn counted(name: String, counts: &Counts) -> Vec<String> {
    let numbers = [
        counts.by_source,
        counts.fixable,
        counts.unfixed,
        counts.unimportant,
    ];
    std::iter::once(name).chain(numbers.map(count)).collect()
}

fn table(first: &str, rows: Vec<Vec<String>>, page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    use Column::{Left, Right};
    page.line("");
    page.table(
        &[Left, Right, Right, Right, Right],
        &[first, "all", "fixable", "unfixed", "unimportant"],
        rows,
    );
}

/// The worst, one by one, each once for all packages of a source.
fn list(facts: &ScanFacts, page: &mut Page) {
    let mut seen = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    for it in &facts.vulnerabilities {
        if seen.insert((&it.package.source, &it.id)) && rows.len() < SHOWN {
            rows.push(vec![
                clean(&it.id),
                clean(&format!(
                    "{} {}",
                    it.package.source, it.package.source_version
                )),
                opinion(it),
                remedy(it),
            ]);
        }
    }
    let more = seen.len() - rows.len();
    use Column::{Left, Rest};
    page.line("");
    page.table(
        &[Left, Left, Left, Rest],
        &["vulnerability", "package", "severity", "what to do"],
        rows,
    );
    if more > 0 {
        page.line(&format!("  and {more} more: --format json has all"));
    }
}

/// The severity, whose it is where that is not the vendor's, the CVSS score, the marks.
fn opinion(it: &Vulnerability) -> String {
    let mut words = vec![it.severity.map_or("not said", Severity::name).to_owned()];
    if let Some(cvss) = &it.cvss {
        let by = if it.severity_by == SeverityBy::Cvss {
            "by CVSS"
        } else {
            "CVSS"
        };
        words.push(format!("{by} {}.{}", cvss.score / 10, cvss.score % 10));
    }
    if it.exploited.is_some() {
        words.push("EXPLOITED".to_owned());
    }
    if let Some(epss) = it.epss.filter(|&epss| epss >= 10_000) {
        words.push(format!("EPSS {} %", epss / 10_000));
    }
    words.join(", ")
}

fn remedy(it: &Vulnerability) -> String {
    let fixed = clean(&it.fixed.join(", "));
    match it.state {
        VulnerabilityState::Fixable => format!("upgrade to {fixed}"),
        VulnerabilityState::Unfixed => match it.status {
            "ignored" => "the vendor plans no update for it".to_owned(),
            "deferred" => "the vendor fixes it later".to_owned(),
            "end-of-life" => "no more fixes: the release is not supported".to_owned(),
            "undetermined" => "the vendor is looking into it".to_owned(),
            _ => "not fixed yet".to_owned(),
        },
        VulnerabilityState::Unimportant if fixed.is_empty() => "nothing: unimportant".to_owned(),
        VulnerabilityState::Unimportant => format!("unimportant; fixed in {fixed}"),
    }
}

/// What an upgrade would bring today.
fn archive(facts: &ArchiveFacts, page: &mut Page) {
    let fixes: usize = facts
        .upgrades
        .iter()
        .filter_map(|it| it.fixes.as_ref())
        .map(Vec::len)
        .sum();
    page.heading(&format!(
        "The archive today: {} source packages can be upgraded, which fixes {fixes} vulnerabilities",
        facts.upgrades.len()
    ));
    page.fact("archive", &clean(&facts.mirrors.join(", ")));
    page.fact(
        "current",
        &format!(
            "{} packages are as new as what it offers",
            count(facts.current)
        ),
    );
    if !facts.foreign.is_empty() {
        let names = short(&clean(&facts.foreign.join(", ")), 300);
        page.fact(
            "elsewhere",
            &format!(
                "{} packages are not from there: {names}",
                facts.foreign.len()
            ),
        );
    }
    let rows = facts.upgrades.iter().map(|it| {
        let fixes = match &it.fixes {
            None => "no changelog tells".to_owned(),
            Some(fixes) if fixes.is_empty() => "no vulnerability named".to_owned(),
            Some(fixes) => fixes
                .iter()
                .map(|(id, _)| id.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        };
        vec![
            clean(&it.source),
            clean(&it.installed),
            clean(&it.offered),
            clean(&fixes),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        use Column::{Left, Rest};
        page.line("");
        page.table(
            &[Left, Left, Left, Rest],
            &["source package", "installed", "offered", "fixes"],
            rows,
        );
    }
}

/// What counts for nothing, and who said so.
fn quiet(facts: &ScanFacts, page: &mut Page) {
    if !facts.quiet.is_empty() {
        page.line("");
        page.line(&format!("  Not counted ({}):", facts.quiet.len()));
        for it in &facts.quiet {
            let until = it
                .until
                .as_ref()
                .map(|day| format!(", until {day}"))
                .unwrap_or_default();
            let why = [&*it.justification, &*it.reason]
                .into_iter()
                .filter(|text| !text.is_empty());
            let why = why.collect::<Vec<_>>().join(": ");
            page.paragraph(
                4,
                &clean(&format!(
                    "{} in {}: {} by {}{until}: {why}",
                    it.vulnerability.id, it.vulnerability.package.name, it.status, it.by
                )),
            );
        }
    }
}

/// The proof: the same numbers of two images, each split into what can be compared.
fn side_by_side(scans: &[&ScanFacts], page: &mut Page) {
    page.heading("Known vulnerabilities side by side");
    let parts: Vec<[Counts; 5]> = scans.iter().map(|facts| split(facts)).collect();
    let row = |name: &str, value: &dyn Fn(usize) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend((0..scans.len()).map(value));
        row
    };
    let number = |name: &str, part: usize, of: fn(&Counts) -> u64| {
        row(name, &|image| {
            let counts = &parts[image][part];
            match of(counts) {
                0 if !scans[image].is_complete() => "? (0 found)".to_owned(),
                some => count(some),
            }
        })
    };
    // Where nothing says where the base ends, neither has a number.
    let of_part = |name: &str, part: usize| {
        row(name, &|image| {
            let mut rows = scans[image].vulnerabilities.iter();
            match rows.any(|it| it.package.part == Part::Unknown) {
                true => "not known".to_owned(),
                false => count(parts[image][part].by_source),
            }
        })
    };
    let rows = vec![
        row("packages judged", &|image| {
            format!(
                "{} of {}",
                count(scans[image].judged),
                count(scans[image].packages)
            )
        }),
        number("distribution, by installed package", 0, |counts| {
            counts.rows
        }),
        number("distribution, by source package", 0, |counts| {
            counts.by_source
        }),
        number("  fixable", 0, |counts| counts.fixable),
        number("  unfixed", 0, |counts| counts.unfixed),
        number("  unimportant to the vendor", 0, |counts| {
            counts.unimportant
        }),
        number("application and languages", 1, |counts| counts.by_source),
        number("  fixable", 1, |counts| counts.fixable),
        number("  unfixed", 1, |counts| counts.unfixed),
        of_part("in layers of the base", 3),
        of_part("in layers of the application", 4),
        number("all, by source package", 2, |counts| counts.by_source),
        number("  different identifiers", 2, |counts| counts.distinct),
        row("  known to be exploited", &|image| {
            let found = scans[image].exploited(&parts[image][2]);
            found.map_or("not known".to_owned(), count)
        }),
    ];
    let names: Vec<String> = scans
        .iter()
        .map(|facts| short(&clean(&facts.name), 28))
        .collect();
    let mut header = vec![""];
    header.extend(names.iter().map(String::as_str));
    page.table(&[Column::Left, Column::Right, Column::Right], &header, rows);
}

/// The distribution's packages, all others, all; what lies in layers of the base, and above.
fn split(facts: &ScanFacts) -> [Counts; 5] {
    let of = |part: Part| {
        let rows = facts.vulnerabilities.iter();
        Counts::of(rows.filter(|it| it.package.part == part))
    };
    let is_distribution = |it: &&Vulnerability| it.package.is_of_the_distribution();
    [
        Counts::of(facts.vulnerabilities.iter().filter(is_distribution)),
        Counts::of(
            facts
                .vulnerabilities
                .iter()
                .filter(|it| !is_distribution(it)),
        ),
        facts.counts(),
        of(Part::Base),
        of(Part::Application),
    ]
}
