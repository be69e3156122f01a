//! What Docker Hub says of an image in its own interface: who publishes it, and when its tag was last
//! pushed. Asked only for images of Docker Hub; an answer is waited for a few seconds, and whether there
//! was one is told.

use std::io::Read as _;
use std::time::Duration;

use jiff::civil::Date;
use plimsoll_image::Reference;
use plimsoll_model::report::{Publisher, Standing};
use plimsoll_model::text::printable;
use serde::Deserialize;

/// The registry it is about.
pub(crate) const HOST: &str = "docker.io";
/// An answer is not longer.
const MAX_ANSWER: u64 = 1 << 20;
/// A network that lets nothing through must not hold anybody up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The namespace of official images.
const OFFICIAL: &str = "library";

#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(default)]
    tag_last_pushed: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Organisation {
    #[serde(default)]
    badge: Option<String>,
}

/// What the hub says of an image.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// In words, a line each.
    pub(crate) lines: Vec<String>,
    /// Who publishes it, where the hub knows the repository.
    pub(crate) publisher: Option<Publisher>,
}

/// What the hub at `address` says of an image; `none` is nobody to ask.
pub(crate) fn told(address: &str, reference: &Reference, today: Date) -> Told {
    let line = |line: String| Told {
        lines: vec![line],
        publisher: None,
    };
    if address == "none" {
        return line("Docker Hub was not asked: --hub none".to_owned());
    }
    match ask(address.trim_end_matches('/'), reference, today) {
        Ok(told) => told,
        Err(why) => line(format!(
            "Docker Hub could not be asked about {}: {why}",
            reference.familiar()
        )),
    }
}

fn ask(address: &str, reference: &Reference, today: Date) -> Result<Told, String> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let path = reference.repository();
    let (namespace, _) = path.split_once('/').unwrap_or((OFFICIAL, path));
    let repository = format!("{address}/v2/repositories/{path}");
    let name = reference.familiar();
    let mut told = Told::default();
    let found: Option<Repository> = get(&agent, &format!("{repository}/"))?;
    let Some(found) = found else {
        told.lines.push(format!(
            "{name}: Docker Hub shows no such repository to the public"
        ));
        return Ok(told);
    };
    let standing = match namespace {
        OFFICIAL => Standing::Official,
        _ => {
            let publisher: Option<Organisation> =
                get(&agent, &format!("{address}/v2/orgs/{namespace}/"))?;
            let badge = publisher.and_then(|publisher| publisher.badge);
            match badge.as_deref() {
                Some("verified_publisher") => Standing::Verified,
                Some("open_source") => Standing::OpenSource,
                Some("") | None => Standing::Unmarked,
                Some(other) => Standing::Other(printable(other.as_bytes())),
            }
        }
    };
    let mark = match &standing {
        Standing::Official => None,
        Standing::Verified => Some("a verified publisher".to_owned()),
        Standing::OpenSource => Some("a sponsored open source project".to_owned()),
        Standing::Unmarked => Some("neither official nor of a verified publisher".to_owned()),
        Standing::Other(badge) => Some(format!("with the badge `{badge}`")),
    };
    told.lines.push(match mark {
        None => format!("{name}: an official image, says Docker Hub"),
        Some(mark) => format!("{name}: published by {namespace}, {mark}, says Docker Hub"),
    });
    let (what, pushed) = match reference.tag() {
        Some(tag) => match get::<Tag>(&agent, &format!("{repository}/tags/{tag}/"))? {
            Some(found) => (Some(name), found.tag_last_pushed.or(found.last_updated)),
            None => {
                told.lines
                    .push(format!("{name}: Docker Hub has no such tag"));
                (None, None)
            }
        },
        None => (
            Some(format!("the repository of {name}")),
            found.last_updated,
        ),
    };
    let day: Option<Date> = pushed.and_then(|pushed| pushed.get(..10)?.parse().ok());
    let days = day.map(|day| today.duration_since(day).as_hours() / 24);
    told.lines.extend(what.map(|what| match (day, days) {
        (Some(day), Some(days)) => {
            format!("{what} was last pushed on {day}, {days} days ago, says Docker Hub")
        }
        _ => format!("{what}: Docker Hub does not say when it was last pushed"),
    }));
    told.publisher = Some(Publisher {
        registry: HOST.to_owned(),
        repository: path.to_owned(),
        name: namespace.to_owned(),
        standing,
        pushed: day.map(|day| day.to_string()),
        pushed_days: days,
    });
    Ok(told)
}

/// A document of the hub; `None` where it has none of that name.
fn get<T: for<'a> Deserialize<'a>>(agent: &ureq::Agent, url: &str) -> Result<Option<T>, String> {
    let answer = agent.get(url).call().map_err(|error| error.to_string())?;
    match answer.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        429 => return Err("it has answered enough for now (429)".to_owned()),
        status => return Err(format!("it answered {status}")),
    }
    let mut body = Vec::new();
    let mut reader = answer.into_body().into_reader().take(MAX_ANSWER + 1);
    reader
        .read_to_end(&mut body)
        .map_err(|error| error.to_string())?;
    if body.len() as u64 > MAX_ANSWER {
        return Err(format!("its answer has more than {MAX_ANSWER} bytes"));
    }
    let document = serde_json::from_slice(&body);
    document
        .map(Some)
        .map_err(|_| "its answer is not understood".to_owned())
}
