//! FIRST's exploit prediction scores.

use super::{Compiler, Document, csv, feed};
use crate::marks::{Cve, Epss};

feed! {
    /// The exploit prediction scoring system of FIRST: for every vulnerability how likely it is to be
    /// exploited within thirty days, and the share of all others that are less likely. A table with
    /// the columns `cve`, `epss` and `percentile`; a line before it names model and day.
    id: "epss",
    lists_unfixed: true,
    recognise: |document| document.holds("cve,epss,percentile"),
    read: read,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let columns = ["cve", "epss", "percentile"];
    csv::rows(document.bytes, columns, |[id, score, percentile]| {
        let share = |text: &str| {
            let number = text.parse::<f32>().ok();
            number.filter(|number| (0.0..=1.0).contains(number))
        };
        let row = (Cve::parse(id), share(score), share(percentile));
        let (Some(cve), Some(score), Some(percentile)) = row else {
            return Err(format!("`{id},{score},{percentile}` is no score"));
        };
        into.scored(cve, Epss { score, percentile });
        Ok(())
    })?;
    let line = document.bytes.split(|&byte| byte == b'\n').next();
    let line = std::str::from_utf8(line.unwrap_or_default()).unwrap_or_default();
    if let Some((_, date)) = line.split_once("score_date:") {
        into.dated(date.split(',').next().unwrap_or_default().trim());
    }
    into.marked();
    Ok(())
}
