//! `attach` and `referrers`: files beside an image in a registry, and what is there already.

use std::fs;
use std::io::Read as _;

use plimsoll_image::Reference;
use plimsoll_model::Report;
use plimsoll_model::text::{bytes, printable};
use serde_json::{Value, json};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::registry::{Referrer, Repo};
use crate::session::Context;

/// Bytes of a file that is attached.
const LONGEST: u64 = 512 << 20;

/// Runs `attach`.
pub(crate) fn attach(context: &Context, arguments: &cli::Attach) -> Result<Exit> {
    let reference = reference(&arguments.image)?;
    let file = &arguments.file;
    let failed = |error: std::io::Error| {
        Failure::because(format_args!("cannot read {}", file.display()), &error)
    };
    let mut content = Vec::new();
    let opened = fs::File::open(file).map_err(failed)?;
    opened
        .take(LONGEST + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() as u64 > LONGEST {
        let message = format!("{} has more than {}", file.display(), bytes(LONGEST));
        return Err(Failure::new(message));
    }
    let kind = match &arguments.kind {
        Some(kind) if is_media_type(kind) => kind.clone(),
        Some(kind) => {
            return Err(Failure::new(format!("`{kind}` is no media type"))
                .hint("it has the form application/vnd.example+json"));
        }
        None => kind_of(&content).map(str::to_owned).ok_or_else(|| {
            Failure::new(format!(
                "what {} is cannot be told from its content",
                file.display()
            ))
            .hint("say it with --type, such as --type application/vnd.example+json")
        })?,
    };
    let title = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    context.progress.step(&format!("pushing {title}"));
    let repository = open(context, &reference)?;
    let digest = repository
        .attach(&reference.target(), &kind, &title, content)
        .map_err(|error| Failure::of_image(format_args!("cannot attach to {reference}"), &error))?;
    context.progress.done();
    match arguments.json {
        true => print::json(&json!({
            "schema": "plimsoll.attach.v1",
            "image": reference.to_string(),
            "type": kind,
            "digest": digest.to_string(),
        }))?,
        false => print::line(&format!("{digest}  {kind}, refers to {reference}"))?,
    }
    Ok(Exit::Fine)
}

/// Pushes the report on an image beside it, where it is in a registry.
pub(crate) fn attach_report(
    context: &Context,
    target: &str,
    kind: &str,
    report: &Report,
) -> Result<()> {
    let reference = reference(target)?;
    let mut content = Vec::new();
    let json = plimsoll_report::by_id("json").map(|format| (format.write)(report, &mut content));
    json.transpose()
        .map_err(|error| Failure::because("cannot write the report", &error))?;
    let repository = open(context, &reference)?;
    let attached = repository.attach(&reference.target(), kind, "report.json", content);
    attached
        .map(drop)
        .map_err(|error| Failure::of_image(format_args!("cannot attach to {reference}"), &error))
}

/// Runs `referrers`.
pub(crate) fn run(context: &Context, arguments: &cli::Referrers) -> Result<Exit> {
    let reference = reference(&arguments.image)?;
    let failed = |error: plimsoll_image::Error| {
        Failure::of_image(
            format_args!("cannot ask for what refers to {reference}"),
            &error,
        )
    };
    let repository = open(context, &reference)?;
    let (subject, _) = repository.subject(&reference.target()).map_err(failed)?;
    let mut found = repository.referrers(&subject).map_err(failed)?;
    found.retain(|referrer| {
        arguments
            .kind
            .as_ref()
            .is_none_or(|kind| referrer.artifact_type == *kind)
    });
    context.progress.done();
    if let Some(path) = &arguments.output {
        let [referrer] = found.as_slice() else {
            let message = format!("{} things refer to {reference}, not one", found.len());
            return Err(Failure::new(message).hint("choose by --type"));
        };
        let content = repository.content(referrer).map_err(failed)?;
        fs::write(path, content).map_err(|error| {
            Failure::because(format_args!("cannot write {}", path.display()), &error)
        })?;
    }
    if arguments.json {
        let rows: Vec<Value> = found.iter().map(row).collect();
        print::json(&json!({
            "schema": "plimsoll.referrers.v1",
            "image": reference.to_string(),
            "digest": subject.to_string(),
            "referrers": rows,
        }))?;
    } else {
        print::lines(found.iter().map(|referrer| {
            let text = |text: &str| printable(text.as_bytes());
            format!(
                "{}  {}",
                text(&referrer.digest),
                text(&referrer.artifact_type)
            )
        }))?;
    }
    Ok(Exit::Fine)
}

fn row(referrer: &Referrer) -> Value {
    json!({
        "digest": referrer.digest,
        "size": referrer.size,
        "type": referrer.artifact_type,
        "annotations": referrer.annotations,
    })
}

fn reference(name: &str) -> Result<Reference> {
    Reference::parse(name).map_err(|why| {
        Failure::new(format!("{name} is no image in a registry: {why}"))
            .hint("name it as docker://HOST/NAME:TAG")
    })
}

fn open(context: &Context, reference: &Reference) -> Result<Repo> {
    let opened = context.registries.open(reference);
    opened.map_err(|error| Failure::of_image(format_args!("cannot open {reference}"), &error))
}

fn is_media_type(text: &str) -> bool {
    let word = |word: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !word.is_empty() && word.len() <= 127 && word.bytes().all(fits)
    };
    text.split_once('/')
        .is_some_and(|(one, two)| word(one) && word(two))
}

/// What a file is, by the members its format has and no other.
fn kind_of(content: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&content[..content.len().min(4096)]);
    let Ok(document) = serde_json::from_slice::<Value>(content) else {
        return match () {
            () if head.contains("http://cyclonedx.org/schema/bom") => {
                Some("application/vnd.cyclonedx+xml")
            }
            () if head.starts_with("SPDXVersion:") => Some("text/spdx"),
            () => None,
        };
    };
    let text = |key: &str| document[key].as_str().unwrap_or_default();
    if text("bomFormat") == "CycloneDX" {
        return Some("application/vnd.cyclonedx+json");
    }
    if !text("spdxVersion").is_empty() {
        return Some("application/spdx+json");
    }
    if text("$schema").contains("sarif") || document["runs"].is_array() {
        return Some("application/sarif+json");
    }
    if text("@context").starts_with("https://openvex.dev/") {
        return Some("application/vnd.openvex+json");
    }
    if text("_type").starts_with("https://in-toto.io/") {
        return Some("application/vnd.in-toto+json");
    }
    text("schema")
        .starts_with("plimsoll.")
        .then_some("application/vnd.plimsoll.report+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_content() {
        for (content, kind) in [
            (
                r#"{"bomFormat": "CycloneDX"}"#,
                Some("application/vnd.cyclonedx+json"),
            ),
            (
                r#"{"spdxVersion": "SPDX-2.3"}"#,
                Some("application/spdx+json"),
            ),
            (
                r#"{"version": "2.1.0", "runs": []}"#,
                Some("application/sarif+json"),
            ),
            (
                r#"{"schema": "plimsoll.report.v1"}"#,
                Some("application/vnd.plimsoll.report+json"),
            ),
            ("SPDXVersion: SPDX-2.3\n", Some("text/spdx")),
            ("{}", None),
            ("hello", None),
        ] {
            assert_eq!(kind_of(content.as_bytes()), kind, "{content}");
        }
        assert!(
            is_media_type("application/vnd.x+json")
                && !is_media_type("x")
                && !is_media_type("a/b c")
        );
    }
}
