//! What Docker Hub says of an image in its own interface: who publishes it, and when its tag was last
//! pushed. Asked only for images of Docker Hub; an answer is waited for a few seconds, and whether there
//! was one is told.

use std::io::Read as _;
use std::time::Duration;

use jiff::civil::Date;
use plimsoll_image::Reference;
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
struct Publisher {
    #[serde(default)]
    badge: Option<String>,
}

/// What the hub at `address` says of an image, a line each; `none` is nobody to ask.
pub(crate) fn told(address: &str, reference: &Reference, today: Date) -> Vec<String> {
    if address == "none" {
        return vec!["Docker Hub was not asked: --hub none".to_owned()];
    }
    match ask(address.trim_end_matches('/'), reference, today) {
        Ok(lines) => lines,
        Err(why) => vec![format!(
            "Docker Hub could not be asked about {}: {why}",
            reference.familiar()
        )],
    }
}

fn ask(address: &str, reference: &Reference, today: Date) -> Result<Vec<String>, String> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let repository = reference.repository();
    let (namespace, _) = repository.split_once('/').unwrap_or((OFFICIAL, repository));
    let repository = format!("{address}/v2/repositories/{repository}");
    let name = reference.familiar();
    let mut lines = Vec::new();
    let found: Option<Repository> = get(&agent, &format!("{repository}/"))?;
    let Some(found) = found else {
        let line = format!("{name}: Docker Hub shows no such repository to the public");
        return Ok(vec![line]);
    };
    lines.push(match namespace {
        OFFICIAL => format!("{name}: an official image, says Docker Hub"),
        _ => {
            let publisher: Option<Publisher> =
                get(&agent, &format!("{address}/v2/orgs/{namespace}/"))?;
            let badge = publisher.and_then(|publisher| publisher.badge);
            let mark = match badge.as_deref() {
                Some("verified_publisher") => "a verified publisher".to_owned(),
                Some("open_source") => "a sponsored open source project".to_owned(),
                Some("") | None => "neither official nor of a verified publisher".to_owned(),
                Some(other) => format!("with the badge `{}`", printable(other.as_bytes())),
            };
            format!("{name}: published by {namespace}, {mark}, says Docker Hub")
        }
    });
    let (what, pushed) = match reference.tag() {
        Some(tag) => match get::<Tag>(&agent, &format!("{repository}/tags/{tag}/"))? {
            Some(found) => (name, found.tag_last_pushed.or(found.last_updated)),
            None => {
                lines.push(format!("{name}: Docker Hub has no such tag"));
                return Ok(lines);
            }
        },
        None => (format!("the repository of {name}"), found.last_updated),
    };
    let day: Option<Date> = pushed.and_then(|pushed| pushed.get(..10)?.parse().ok());
    lines.push(match day {
        Some(day) => {
            let days = today.duration_since(day).as_hours() / 24;
            format!("{what} was last pushed on {day}, {days} days ago, says Docker Hub")
        }
        None => format!("{what}: Docker Hub does not say when it was last pushed"),
    });
    Ok(lines)
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
