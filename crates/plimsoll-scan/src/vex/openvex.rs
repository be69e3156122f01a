//! OpenVEX 0.0.1 and 0.2.0 (github.com/openvex/spec).

use serde_json::Value;

use super::{Product, Statement, VexError, list, text};

pub(super) fn read(document: &Value) -> Result<Vec<Statement>, VexError> {
    let statements = document.get("statements").and_then(Value::as_array);
    let statements = statements.ok_or_else(|| VexError("has no statements".to_owned()))?;
    let made = text(document, "timestamp");
    let mut read = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let word = text(statement, "status");
        let known = ["not_affected", "affected", "fixed", "under_investigation"];
        let status = known.into_iter().find(|known| *known == word);
        let status = status.ok_or_else(|| {
            VexError(format!(
                "statement {}: the status `{word}` is not known",
                index + 1
            ))
        })?;
        let own_time = text(statement, "timestamp");
        read.push(Statement {
            ids: ids(statement),
            products: list(statement, "products").map(product).collect(),
            status,
            justification: text(statement, "justification"),
            reason: [
                text(statement, "impact_statement"),
                text(statement, "status_notes"),
            ]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
            time: if own_time.is_empty() {
                made.clone()
            } else {
                own_time
            },
        });
    }
    Ok(read)
}

/// The vulnerability is an object, or, in the first version, its name.
fn ids(statement: &Value) -> Vec<String> {
    let Some(vulnerability) = statement.get("vulnerability") else {
        return Vec::new();
    };
    if let Some(name) = vulnerability.as_str() {
        return vec![name.to_owned()];
    }
    let mut ids = vec![text(vulnerability, "name"), text(vulnerability, "@id")];
    ids.extend(
        list(vulnerability, "aliases")
            .filter_map(Value::as_str)
            .map(str::to_owned),
    );
    // An identifier may be the address of a page.
    ids.iter_mut().for_each(|id| {
        if let Some((_, last)) = id.rsplit_once('/') {
            *id = last.to_owned();
        }
    });
    ids.retain(|id| !id.is_empty());
    ids
}

fn product(value: &Value) -> Product {
    Product {
        names: names(value),
        parts: list(value, "subcomponents").flat_map(names).collect(),
    }
}

/// What a product or a part of one is called.
fn names(value: &Value) -> Vec<String> {
    if let Some(name) = value.as_str() {
        return vec![name.to_owned()];
    }
    let mut names = vec![text(value, "@id")];
    if let Some(identifiers) = value.get("identifiers") {
        names.push(text(identifiers, "purl"));
    }
    if let Some(hash) = value.get("hashes") {
        let digest = text(hash, "sha-256");
        if !digest.is_empty() {
            names.push(format!("sha256:{digest}"));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
