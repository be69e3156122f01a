//! The image configuration: read from its document, and patched back into it.

use std::collections::BTreeMap;

use plimsoll_model::config::History;
use plimsoll_model::{Config, Digest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::documents::{lenient, object, strings};

/// A configuration, and the layers it says the image has.
pub(crate) struct Parsed {
    pub(crate) config: Config,
    pub(crate) diff_ids: Vec<Digest>,
}

/// Reads the configuration document `bytes` (OCI image specification, `config.md`, with Docker's
/// extensions).
///
/// # Errors
/// When it is no JSON object of that shape, or a diff id is no digest.
pub(crate) fn read(what: &str, bytes: Vec<u8>) -> Result<Parsed, Error> {
    let document: Document = object(what, &bytes)?;
    let diff_ids = document.rootfs.diff_ids.iter();
    let diff_ids = diff_ids
        .map(|text| Digest::parse(text).map_err(|error| Error::malformed(what, error)))
        .collect::<Result<_, _>>()?;
    let run = document.config;
    let history = document.history.into_iter();
    let config = Config {
        raw: bytes,
        created: document.created,
        architecture: document.architecture,
        variant: document.variant.filter(|variant| !variant.is_empty()),
        os: document.os,
        user: run.user,
        entrypoint: run.entrypoint.0,
        cmd: run.cmd.0,
        env: run.env,
        working_dir: run.working_dir,
        exposed_ports: run.exposed_ports.into_keys().collect(),
        volumes: run.volumes.into_keys().collect(),
        labels: run.labels,
        stop_signal: run.stop_signal.filter(|signal| !signal.is_empty()),
        healthcheck: run.healthcheck.and_then(|check| check.test),
        history: history
            .map(|step| History {
                created: step.created,
                created_by: step.created_by,
                comment: step.comment,
                empty_layer: step.empty_layer,
            })
            .collect(),
    };
    Ok(Parsed { config, diff_ids })
}

/// The document for `config` and these layers, as it is stored: what `config.raw` has and plimsoll
/// does not know is kept, what plimsoll knows and somebody changed is replaced, keys are sorted.
///
/// # Errors
/// When `config.raw` is not empty and no configuration.
pub(crate) fn document(config: &Config, diff_ids: &[Digest]) -> Result<Vec<u8>, Error> {
    let (mut root, before) = if config.raw.is_empty() {
        (Map::new(), Config::default())
    } else {
        let what = "the draft's configuration";
        let root = object::<Map<String, Value>>(what, &config.raw)?;
        (root, read(what, config.raw.clone())?.config)
    };
    patch(
        &mut root,
        "created",
        &before.created,
        &config.created,
        |created| created.as_deref().map(Value::from),
    );
    // These two are required members, whatever they say.
    root.insert("architecture".into(), json!(config.architecture));
    root.insert("os".into(), json!(config.os));
    patch(
        &mut root,
        "variant",
        &before.variant,
        &config.variant,
        |variant| variant.as_deref().map(Value::from),
    );
    if !matches!(root.get("config"), Some(Value::Object(_))) {
        root.insert("config".into(), json!({}));
    }
    if let Some(Value::Object(run)) = root.get_mut("config") {
        patch_run(run, &before, config);
    }
    let diff_ids: Vec<String> = diff_ids.iter().map(Digest::to_string).collect();
    let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
    root.insert("rootfs".into(), rootfs);
    let history: Vec<Value> = config.history.iter().map(history_entry).collect();
    root.insert("history".into(), history.into());
    Ok(canonical(Value::Object(root)))
}

/// JSON with sorted keys, whatever map `serde_json` was built with.
pub(crate) fn canonical(mut value: Value) -> Vec<u8> {
    value.sort_all_objects();
    value.to_string().into_bytes()
}

fn patch_run(run: &mut Map<String, Value>, before: &Config, after: &Config) {
    let text = |text: &String| (!text.is_empty()).then(|| json!(text));
    let list = |list: &Vec<String>| (!list.is_empty()).then(|| json!(list));
    let set = |list: &Vec<String>| {
        let members = list.iter().map(|item| (item.clone(), json!({})));
        (!list.is_empty()).then(|| Value::Object(members.collect()))
    };
    patch(run, "User", &before.user, &after.user, text);
    let (old, new) = (&before.entrypoint, &after.entrypoint);
    patch(run, "Entrypoint", old, new, list);
    patch(run, "Cmd", &before.cmd, &after.cmd, list);
    patch(run, "Env", &before.env, &after.env, list);
    let (old, new) = (&before.working_dir, &after.working_dir);
    patch(run, "WorkingDir", old, new, text);
    let (old, new) = (&before.exposed_ports, &after.exposed_ports);
    patch(run, "ExposedPorts", old, new, set);
    patch(run, "Volumes", &before.volumes, &after.volumes, set);
    patch(run, "Labels", &before.labels, &after.labels, |labels| {
        (!labels.is_empty()).then(|| json!(labels))
    });
    let (old, new) = (&before.stop_signal, &after.stop_signal);
    patch(run, "StopSignal", old, new, |signal| {
        signal.as_deref().map(Value::from)
    });
    if before.healthcheck != after.healthcheck {
        match (&after.healthcheck, run.get_mut("Healthcheck")) {
            (None, _) => drop(run.remove("Healthcheck")),
            // Intervals and retries are not ours to forget.
            (Some(test), Some(Value::Object(check))) => {
                check.insert("Test".into(), json!(test));
            }
            (Some(test), _) => {
                run.insert("Healthcheck".into(), json!({ "Test": test }));
            }
        }
    }
}

/// Writes `after` as `key`, if it differs from `before`; a value that says nothing goes.
fn patch<T: PartialEq>(
    object: &mut Map<String, Value>,
    key: &str,
    before: &T,
    after: &T,
    value: impl FnOnce(&T) -> Option<Value>,
) {
    if before == after {
        return;
    }
    match value(after) {
        Some(value) => drop(object.insert(key.to_owned(), value)),
        None => drop(object.remove(key)),
    }
}

fn history_entry(step: &History) -> Value {
    let mut entry = Map::new();
    let texts = [
        ("created", &step.created),
        ("created_by", &step.created_by),
        ("comment", &step.comment),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            entry.insert(key.to_owned(), json!(text));
        }
    }
    if step.empty_layer {
        entry.insert("empty_layer".into(), json!(true));
    }
    Value::Object(entry)
}

#[derive(Default, Deserialize)]
struct Document {
    #[serde(default)]
    created: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    os: String,
    #[serde(default, deserialize_with = "lenient")]
    config: Run,
    #[serde(default, deserialize_with = "lenient")]
    rootfs: Layers,
    #[serde(default, deserialize_with = "lenient")]
    history: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Run {
    #[serde(default, deserialize_with = "lenient")]
    user: String,
    #[serde(default, deserialize_with = "lenient")]
    entrypoint: Words,
    #[serde(default, deserialize_with = "lenient")]
    cmd: Words,
    #[serde(default, deserialize_with = "lenient")]
    env: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    working_dir: String,
    #[serde(default, deserialize_with = "lenient")]
    exposed_ports: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "lenient")]
    volumes: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "strings")]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    stop_signal: Option<String>,
    #[serde(default)]
    healthcheck: Option<Healthcheck>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Healthcheck {
    #[serde(default)]
    test: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct Layers {
    #[serde(default, deserialize_with = "lenient")]
    diff_ids: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Step {
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    empty_layer: bool,
}

/// A command: a list, or in very old images one string.
#[derive(Default)]
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        Ok(Self(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(word) => vec![word],
            OneOrMany::Many(words) => words,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = r#"{"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux",
        "docker_version":"20","config":{"User":"www","Env":null,"Cmd":["a"],"OnBuild":["RUN x"],
        "Healthcheck":{"Test":["CMD","x"],"Interval":5}},"rootfs":{"type":"layers","diff_ids":null}}"#;

    #[test]
    fn what_is_not_known_is_kept_and_what_changed_is_patched() {
        let mut config = read("test", RAW.as_bytes().to_vec()).unwrap().config;
        config.cmd = vec!["b".into()];
        config.user = String::new();
        config.healthcheck = Some(vec!["CMD".into(), "y".into()]);
        let text = document(&config, &[Digest::from_bytes([1; 32])]).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["docker_version"], "20");
        assert_eq!(value["config"]["OnBuild"], json!(["RUN x"]));
        assert_eq!(value["config"]["Cmd"], json!(["b"]));
        assert_eq!(value["config"].get("User"), None);
        let check = json!({ "Test": ["CMD", "y"], "Interval": 5 });
        assert_eq!(value["config"]["Healthcheck"], check);
        assert_eq!(value["rootfs"]["diff_ids"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_configuration_survives_writing_and_reading() {
        let config = Config {
            architecture: "amd64".into(),
            os: "linux".into(),
            entrypoint: vec!["/app".into()],
            exposed_ports: vec!["80/tcp".into()],
            volumes: vec!["/data".into()],
            env: vec!["A=1".into()],
            labels: BTreeMap::from([("a".into(), "b".into())]),
            stop_signal: Some("SIGQUIT".into()),
            history: vec![History {
                created_by: Some("x".into()),
                empty_layer: true,
                ..History::default()
            }],
            ..Config::default()
        };
        let bytes = document(&config, &[]).unwrap();
        let again = read("test", bytes.clone()).unwrap().config;
        let expected = Config {
            raw: bytes,
            ..config
        };
        assert_eq!(again, expected);
    }

    #[test]
    fn a_configuration_of_another_shape_is_refused() {
        for text in [
            "",
            "null",
            "[]",
            "\"x\"",
            r#"{"config":[1]}"#,
            r#"{"os":1}"#,
        ] {
            assert!(read("test", text.as_bytes().to_vec()).is_err(), "{text}");
        }
        let text = r#"{"rootfs":{"diff_ids":["md5:1"]}}"#;
        assert!(read("test", text.as_bytes().to_vec()).is_err());
    }

    #[test]
    fn an_old_command_may_be_one_string() {
        let text = br#"{"config":{"Entrypoint":"/app","Cmd":null}}"#.to_vec();
        let config = read("test", text).unwrap().config;
        assert_eq!(config.entrypoint, ["/app"]);
        assert!(config.cmd.is_empty());
    }
}
