//! The data a scan is made with: slices and marks, read whole from the store, without a lock.

use std::collections::BTreeMap;

use plimsoll_model::vulnerability::{AskedData, Exploited};
use plimsoll_model::{Evidence, Inventory, Problem};
use plimsoll_scan::{Cve, Data, Date, Marks, Scope};

use crate::advisories::Store;

/// Everything the images of one run need.
pub(crate) struct Known {
    pub(crate) data: BTreeMap<Scope, Data>,
    /// What of the marks could not be read.
    pub(crate) problems: Vec<Problem>,
    kev: Option<Marks>,
    epss: Option<Marks>,
}

impl Known {
    /// Reads what these inventories need. What is not there or cannot be read is in the data as
    /// such: the scan says which packages it could not judge for it.
    pub(crate) fn load<'a>(
        store: &Store,
        inventories: impl Iterator<Item = &'a Inventory>,
    ) -> Self {
        let wanted = inventories.flat_map(plimsoll_scan::wanted);
        let data = wanted
            .map(|scope| (scope.clone(), store.data(&scope)))
            .collect();
        let mut problems = Vec::new();
        let mut marks = |name: &str| {
            store.marks(name).unwrap_or_else(|why| {
                problems.push(Problem {
                    message: format!("the marks of {name} cannot be read: {why}"),
                    evidence: Evidence::Image,
                });
                None
            })
        };
        let (kev, epss) = (marks("kev"), marks("epss"));
        Self {
            data,
            problems,
            kev,
            epss,
        }
    }

    /// Whether there is nothing at all about what is in the images.
    pub(crate) fn is_nothing(&self) -> bool {
        self.data.values().all(|data| matches!(data, Data::Missing))
    }

    /// The marks, and how old they are.
    pub(crate) fn marks(&self, today: Date) -> impl Iterator<Item = AskedData> {
        let all = self.kev.iter().chain(&self.epss);
        all.map(move |marks| plimsoll_scan::asked(marks.meta(), today))
    }

    /// Why nobody knows what is exploited, by marks that may be `max_age` days old; `None` where it is known.
    pub(crate) fn exploited_unknown(&self, today: Date, max_age: i64) -> Option<String> {
        let Some(kev) = &self.kev else {
            let why = "there are no data about kev, by which exploited vulnerabilities are known";
            return Some(why.to_owned());
        };
        if kev.meta().rows == 0 {
            return Some("the data about kev hold not a single vulnerability".to_owned());
        }
        plimsoll_scan::outdated(&plimsoll_scan::asked(kev.meta(), today), max_age)
    }

    /// Since when a vulnerability is known to be exploited.
    pub(crate) fn exploited(&self, id: &str) -> Option<Exploited> {
        let kev = self.kev.as_ref()?.kev(Cve::parse(id)?)?;
        Some(Exploited {
            since: kev.added.to_string(),
            ransomware: kev.ransomware,
        })
    }

    /// How likely it is to be exploited, in millionths.
    pub(crate) fn epss(&self, id: &str) -> Option<u32> {
        let epss = self.epss.as_ref()?.epss(Cve::parse(id)?)?;
        Some((f64::from(epss.score) * 1e6).round() as u32)
    }
}
