//! `explain` and `list`: the pages and the tables.

use serde_json::{Value, json};

use crate::cli::Table;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::profile_file;
use crate::settings;

/// A row of any table, as far as a reader is concerned.
struct Row {
    id: &'static str,
    summary: String,
    page: &'static str,
}

const TABLES: [(Table, &str); 9] = [
    (Table::Checks, "checks"),
    (Table::Databases, "databases"),
    (Table::Emulations, "emulations"),
    (Table::Feeds, "feeds"),
    (Table::Followers, "followers"),
    (Table::Formats, "formats"),
    (Table::Probes, "probes"),
    (Table::Rules, "rules"),
    (Table::Sources, "sources"),
];

fn rows(table: Table) -> Vec<Row> {
    fn row(id: &'static str, page: &'static str) -> Row {
        Row {
            id,
            summary: first_sentence(page),
            page,
        }
    }
    match table {
        Table::Checks => plimsoll_checks::CHECKS
            .iter()
            .map(|check| Row {
                summary: check.summary.to_owned(),
                ..row(check.id, check.page)
            })
            .collect(),
        Table::Databases => plimsoll_packages::databases::DATABASES
            .iter()
            .map(|database| row(database.id, database.page))
            .collect(),
        Table::Emulations => plimsoll_build::EMULATIONS
            .iter()
            .map(|emulation| row(emulation.id, emulation.page))
            .collect(),
        Table::Feeds => plimsoll_scan::FEEDS
            .iter()
            .map(|feed| row(feed.id, feed.page))
            .collect(),
        Table::Followers => plimsoll_slim::FOLLOWERS
            .iter()
            .map(|follower| row(follower.id, follower.page))
            .collect(),
        Table::Formats => plimsoll_report::FORMATS
            .iter()
            .map(|format| row(format.id, format.help))
            .collect(),
        Table::Probes => plimsoll_run::PROBES
            .iter()
            .map(|probe| row(probe.id, probe.page))
            .collect(),
        Table::Rules => plimsoll_checks::RULES
            .iter()
            .map(|rule| Row {
                summary: match rule.aliases {
                    [] => rule.summary.to_owned(),
                    aliases => format!("{} ({})", rule.summary, aliases.join(", ")),
                },
                ..row(rule.id, rule.page)
            })
            .collect(),
        Table::Sources => plimsoll_image::SOURCES
            .iter()
            .map(|source| row(source.scheme, source.help))
            .collect(),
    }
}

/// Prints the page of whatever has this identifier, or how a recipe, a plimsoll.toml or a profile is
/// written.
pub(crate) fn explain(id: &str, as_json: bool) -> Result<Exit> {
    let file = match id {
        "recipe" => Some(plimsoll_build::recipe::PAGE),
        "config" => Some(settings::PAGE),
        "profile" | "profile-drift" => Some(profile_file::PAGE),
        _ => None,
    };
    if let Some(page) = file {
        match as_json {
            true => print::json(&json!({
                "schema": "plimsoll.explain.v1",
                "pages": [{ "id": id, "page": page.trim_end() }],
            }))?,
            false => print::line(page.trim_end())?,
        }
        return Ok(Exit::Fine);
    }
    // `explain DL3009` is asked by those who come from another tool.
    let id = plimsoll_checks::lint::by_name(id).map_or(id, |rule| rule.id);
    let mut pages = Vec::new();
    for (table, name) in TABLES {
        for row in rows(table).into_iter().filter(|row| row.id == id) {
            let lines = row.page.lines();
            let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
            pages.push((row.id, name, lines.collect::<Vec<_>>()));
        }
    }
    if pages.is_empty() {
        return Err(Failure::new(format!("nothing is called `{id}`"))
            .hint("plimsoll list names everything"));
    }
    if as_json {
        let pages = pages.iter().map(|(id, table, lines)| {
            json!({ "id": id, "table": table, "page": lines.join("\n").trim() })
        });
        let pages: Vec<Value> = pages.collect();
        print::json(&json!({ "schema": "plimsoll.explain.v1", "pages": pages }))?;
        return Ok(Exit::Fine);
    }
    for (id, name, lines) in pages {
        print::line(&format!("{id} ({name})\n"))?;
        for line in lines {
            print::line(line)?;
        }
    }
    Ok(Exit::Fine)
}

/// Prints a table, or all of them.
pub(crate) fn list(only: Option<Table>, as_json: bool) -> Result<Exit> {
    if as_json {
        let asked = TABLES.iter();
        let asked = asked.filter(|(table, _)| only.is_none_or(|only| only == *table));
        let tables: serde_json::Map<String, Value> = asked
            .map(|(table, name)| {
                let rows = rows(*table).into_iter();
                let rows = rows.map(|row| json!({ "id": row.id, "summary": row.summary }));
                ((*name).to_owned(), rows.collect())
            })
            .collect();
        print::json(&json!({ "schema": "plimsoll.list.v1", "tables": tables }))?;
        return Ok(Exit::Fine);
    }
    for (table, name) in TABLES {
        if only.is_some_and(|only| only != table) {
            continue;
        }
        if only.is_none() {
            print::line(name)?;
        }
        for row in rows(table) {
            print::line(&format!("  {:20} {}", row.id, row.summary))?;
        }
    }
    Ok(Exit::Fine)
}

fn first_sentence(page: &str) -> String {
    let paragraph: Vec<&str> = page
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = paragraph.join(" ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |dot| dot + 1);
    paragraph[..end].to_owned()
}
