//! The layers in the order in which they were made: what made each, how large it is, how much of it
//! is dead.

use plimsoll_model::report::{ImageFacts, LayerRow};
use plimsoll_model::text::{bytes, instruction};

use super::{heading, some};
use crate::html::Page;
use crate::html::markup::Html;

/// Layers that are shown; runtimes take no image with more.
const SHOWN: usize = 127;

pub(super) fn write(page: &Page<'_>, html: &mut Html) {
    let report = page.report;
    if let Some(facts) = &report.subject {
        let base = facts.lineage.base_layers();
        timeline(html, "layers", "Layers", &facts.layers, base);
    } else if let Some(pair) = &report.pair {
        let base = |facts: &ImageFacts| facts.lineage.base_layers();
        timeline(
            html,
            "layers-before",
            "Layers before",
            &pair.before.layers,
            base(&pair.before),
        );
        timeline(
            html,
            "layers-after",
            "Layers after",
            &pair.after.layers,
            base(&pair.after),
        );
    }
}

fn timeline(
    html: &mut Html,
    id: &'static str,
    title: &'static str,
    layers: &[LayerRow],
    base: Option<usize>,
) {
    if layers.is_empty() {
        return;
    }
    let sum = |of: fn(&LayerRow) -> u64| layers.iter().map(of).fold(0, u64::saturating_add);
    let dead = sum(|layer| layer.dead);
    let mut remark = format!(
        "{}, {}",
        some(layers.len() as u64, "layer", "layers"),
        bytes(sum(|layer| layer.bytes))
    );
    if dead > 0 {
        remark.push_str(&format!(", {} of it dead", bytes(dead)));
    }
    heading(html, id, title, &remark);
    let most = layers
        .iter()
        .map(|layer| layer.bytes)
        .max()
        .unwrap_or(0)
        .max(1);
    html.raw("<ol class=\"timeline\" start=\"0\">");
    for (number, layer) in layers.iter().take(SHOWN).enumerate() {
        let is_base = base.is_some_and(|base| number < base);
        html.raw(if is_base {
            "<li class=\"base\">"
        } else {
            "<li>"
        });
        html.raw("<div class=\"what\"><b>")
            .put(&number.to_string())
            .raw("</b> <strong>");
        html.put(&bytes(layer.bytes)).raw("</strong> <span>");
        html.put(&some(layer.files, "file", "files")).raw("</span>");
        html.raw(" <span>")
            .put(&bytes(layer.compressed))
            .raw(" stored</span>");
        if layer.dead > 0 {
            html.raw(" <em>").put(&bytes(layer.dead)).raw(" dead</em>");
        }
        if is_base {
            html.raw(" <i>base</i>");
        }
        html.raw("</div>");
        let width = layer.bytes as f64 / most as f64 * 100.0;
        let hidden = layer.dead.min(layer.bytes) as f64 / most as f64 * 100.0;
        html.raw(
            "<svg class=\"bar\" aria-hidden=\"true\"><rect class=\"live\" height=\"100%\" width=\"",
        );
        html.number(width).raw("%\"/>");
        if layer.dead > 0 {
            html.raw("<rect class=\"dead\" height=\"100%\" x=\"")
                .number(width - hidden);
            html.raw("%\" width=\"").number(hidden).raw("%\"/>");
        }
        html.raw("</svg>");
        let made_by = instruction(&layer.created_by);
        if made_by.is_empty() {
            html.raw("<p class=\"none\">nothing says what made it</p>");
        } else {
            html.raw("<pre tabindex=\"0\">")
                .lines(&made_by)
                .raw("</pre>");
        }
        html.raw("</li>");
    }
    html.raw("</ol>");
    if layers.len() > SHOWN {
        html.raw("<p>and ")
            .put(&(layers.len() - SHOWN).to_string())
            .raw(" more</p>");
    }
    html.raw("</section>");
}
