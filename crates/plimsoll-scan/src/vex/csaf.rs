//! CSAF 2.0, profile VEX (OASIS).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Product, Statement, VexError, list, text};

/// Branches of the product tree nested deeper than this are nobody's products.
const DEEPEST: usize = 50;

pub(super) fn read(document: &Value) -> Result<Vec<Statement>, VexError> {
    let tree = document.get("product_tree").unwrap_or(&Value::Null);
    let mut products: BTreeMap<String, Product> = BTreeMap::new();
    let mut add = |product: &Value| {
        let id = text(product, "product_id");
        let names = names(product);
        products.entry(id).or_insert_with(|| Product {
            names,
            parts: Vec::new(),
        });
    };
    list(tree, "full_product_names").for_each(&mut add);
    branches(tree, 0, &mut add);
    // A part of a product: `component X as a part of image Y`.
    for relation in list(tree, "relationships") {
        let named = |key: &str| {
            products
                .get(&text(relation, key))
                .map(|it| it.names.clone())
        };
        let parts = named("product_reference").unwrap_or_default();
        let names = named("relates_to_product_reference").unwrap_or_default();
        if let Some(full) = relation.get("full_product_name") {
            products.insert(text(full, "product_id"), Product { names, parts });
        }
    }
    let time = text(
        document
            .pointer("/document/tracking")
            .unwrap_or(&Value::Null),
        "current_release_date",
    );
    let mut statements = Vec::new();
    for vulnerability in list(document, "vulnerabilities") {
        let mut ids = vec![text(vulnerability, "cve")];
        ids.extend(list(vulnerability, "ids").map(|id| text(id, "text")));
        ids.retain(|id| !id.is_empty());
        let Some(Value::Object(status)) = vulnerability.get("product_status") else {
            continue;
        };
        for (word, members) in status {
            let status = match word.as_str() {
                "known_not_affected" => "not_affected",
                "fixed" | "first_fixed" => "fixed",
                "known_affected" | "first_affected" | "last_affected" => "affected",
                "under_investigation" => "under_investigation",
                _ => continue,
            };
            for id in members
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let Some(product) = products.get(id) else {
                    return Err(VexError(format!(
                        "names the product `{id}`, which it does not describe"
                    )));
                };
                statements.push(Statement {
                    ids: ids.clone(),
                    products: vec![product.clone()],
                    status,
                    justification: labelled(vulnerability, "flags", "label", id),
                    reason: impact(vulnerability, id),
                    time: time.clone(),
                });
            }
        }
    }
    Ok(statements)
}

fn branches(value: &Value, depth: usize, add: &mut impl FnMut(&Value)) {
    if depth > DEEPEST {
        return;
    }
    for branch in list(value, "branches") {
        if let Some(product) = branch.get("product") {
            add(product);
        }
        branches(branch, depth + 1, add);
    }
}

fn names(product: &Value) -> Vec<String> {
    let mut names = vec![text(product, "name")];
    if let Some(helper) = product.get("product_identification_helper") {
        names.push(text(helper, "purl"));
        names.extend(
            list(helper, "purls")
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The justification of a product: that of the flag which lists it, or lists none.
fn labelled(vulnerability: &Value, key: &str, label: &str, id: &str) -> String {
    let mut entries = list(vulnerability, key).filter(|entry| concerns(entry, id));
    entries
        .next()
        .map(|entry| text(entry, label))
        .unwrap_or_default()
}

/// The words about the impact on a product.
fn impact(vulnerability: &Value, id: &str) -> String {
    let mut entries = list(vulnerability, "threats")
        .filter(|entry| text(entry, "category") == "impact" && concerns(entry, id));
    entries
        .next()
        .map(|entry| text(entry, "details"))
        .unwrap_or_default()
}

fn concerns(entry: &Value, id: &str) -> bool {
    let mut listed = list(entry, "product_ids").filter_map(Value::as_str);
    entry.get("product_ids").is_none() || listed.any(|listed| listed == id)
}
