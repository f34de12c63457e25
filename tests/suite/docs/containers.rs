//! The files for containers: what can be known of them where no engine is at hand.
//!
//! They name files, settings and commands of the program, which must exist; and what they promise of confinement is there
//! in every service, those that are added included.

use std::{collections::BTreeMap, fs};

use clap::Parser as _;
use serde_json::Value;
use tenantry::{
    cli::{Cli, Command, Migrate},
    configuration::{Configuration, Purpose, Sources, settings},
};

use super::{document, root};

/// The user of the image, whom nothing knows by a name.
const USER: &str = "65532:65532";

/// What names the folders of keys, which outlive a container.
const KEYS: [&str; 2] = ["TENANTRY_SIGNING_KEYS", "TENANTRY_ENCRYPTION_KEYS"];

/// Where compose mounts the second of them. The image does not name it: a container without that volume has keys that are derived
/// from the signing keys, instead of some that go with it.
const ENCRYPTION_KEYS: &str = "/var/lib/tenantry/encryption-keys";

/// The instructions of the image, each with its arguments on one line.
struct Dockerfile(Vec<(String, String)>);

impl Dockerfile {
    fn read() -> Self {
        let text = document("deploy/Dockerfile");
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
        let instructions = joined.lines().filter_map(|line| line.trim().split_once(' '));
        Self(
            instructions
                .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
                .collect(),
        )
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(instruction, _)| instruction == name);
        named.map(|(_, rest)| rest.as_str()).collect()
    }

    /// What one instruction says of the image itself, which is the last stage.
    fn of_the_image(&self, name: &str) -> &str {
        let stage = self
            .0
            .iter()
            .rposition(|(instruction, _)| instruction == "FROM")
            .unwrap();
        let mut named = self.0[stage..].iter().filter(|(instruction, _)| instruction == name);
        let (_, rest) = named.next().unwrap_or_else(|| panic!("the image has no {name}"));
        assert!(named.next().is_none(), "the image has two of {name}");
        rest
    }

    /// The variables that the image sets.
    fn variables(&self) -> BTreeMap<String, String> {
        let words = self.of_the_image("ENV").split_whitespace();
        words
            .map(|word| word.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// The words of a command in the form of a list, the program's path left to its name.
fn words(list: &str) -> Vec<String> {
    let words: Vec<String> = serde_json::from_str(list).unwrap_or_else(|error| panic!("{list} is no list: {error}"));
    words
        .into_iter()
        .map(|word| word.strip_prefix("/usr/local/bin/").unwrap_or(&word).to_owned())
        .collect()
}

fn parsed(words: &[String]) -> Command {
    Cli::try_parse_from(words)
        .unwrap_or_else(|error| panic!("{words:?}: {error}"))
        .command
}

#[test]
fn the_image_is_built_from_pinned_ones_and_with_the_same_rust() {
    let dockerfile = Dockerfile::read();
    let images = dockerfile.all("FROM");
    for image in &images {
        let (_, digest) = image
            .split_once("@sha256:")
            .unwrap_or_else(|| panic!("{image} is not pinned"));
        let digest = digest.split(' ').next().unwrap();
        assert!(
            digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit()),
            "{image}"
        );
    }
    let toolchain = document("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap();
    let rust = format!("rust:{}-slim-", channel.trim_matches('"'));
    assert!(images[0].starts_with(&rust), "{} is not {rust}…", images[0]);
    // One release of Debian below both: the C library of the one is that of the other.
    assert!(
        images[0].contains("-trixie") && images[1].contains("-debian13"),
        "{images:?}"
    );
}

#[test]
fn all_that_the_build_copies_is_there_and_let_through() {
    let ignored = document(".dockerignore");
    let let_through: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "all else is left out");
    let dockerfile = Dockerfile::read();
    let mut copied = 0;
    for copy in dockerfile.all("COPY").iter().filter(|copy| !copy.starts_with("--")) {
        let mut paths: Vec<&str> = copy.split_whitespace().collect();
        paths.pop();
        for path in paths {
            assert!(root().join(path).exists(), "COPY {copy}: there is no {path}");
            assert!(
                let_through.contains(&path),
                "COPY {copy}: .dockerignore leaves {path} out"
            );
            copied += 1;
        }
    }
    assert_eq!(
        copied,
        let_through.len(),
        "and nothing is let through that is not copied"
    );
    // Whatever the workspace has is among it, or no build would begin.
    let workspace = document("Cargo.toml");
    let members = workspace
        .split("members = [")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    for member in members
        .split(',')
        .map(|member| member.trim().trim_matches('"'))
        .filter(|m| !m.is_empty())
    {
        let top = member.split('/').next().unwrap();
        assert!(let_through.contains(&top), "{member} is not copied");
    }
}

#[test]
fn the_image_runs_what_the_program_knows_as_nobody() {
    let dockerfile = Dockerfile::read();
    assert_eq!(dockerfile.of_the_image("USER"), USER);
    assert_eq!(dockerfile.of_the_image("STOPSIGNAL"), "SIGTERM");
    let entry = words(dockerfile.of_the_image("ENTRYPOINT"));
    let command = [entry, words(dockerfile.of_the_image("CMD"))].concat();
    assert!(matches!(parsed(&command), Command::Serve(_)));
    let (_, health) = dockerfile.of_the_image("HEALTHCHECK").split_once("CMD ").unwrap();
    assert!(matches!(parsed(&words(health)), Command::Health(options) if !options.live));

    let variables = dockerfile.variables();
    for name in variables.keys() {
        assert!(
            settings().any(|setting| setting.variable == name),
            "nothing reads {name}"
        );
    }
    let port = variables["TENANTRY_LISTEN"].strip_prefix("0.0.0.0:").unwrap();
    assert_eq!(dockerfile.of_the_image("EXPOSE"), port);
    // The folders of keys are made for that user, and for nobody else.
    let steps: Vec<&str> = dockerfile.all("RUN")[0].split("&&").map(str::trim).collect();
    for folder in [variables["TENANTRY_SIGNING_KEYS"].as_str(), ENCRYPTION_KEYS] {
        let made = format!("install -d -m 0700 /image{folder}");
        assert!(steps.contains(&made.as_str()), "{folder}");
    }
    let owned = format!("--from=build --chown={USER} /image/var/lib/tenantry /var/lib/tenantry");
    assert!(dockerfile.all("COPY").contains(&owned.as_str()));
}

/// The services, variables filled in with their defaults.
fn compose() -> Value {
    let mut text = document("docker-compose.yml");
    while let Some((before, rest)) = text.split_once("${") {
        let (variable, after) = rest.split_once('}').unwrap();
        let (_, default) = variable
            .split_once(":-")
            .unwrap_or_else(|| panic!("{variable} has no default"));
        text = format!("{before}{default}{after}");
    }
    yaml(&text)
}

/// A document with its anchors and merges resolved.
pub(super) fn yaml(text: &str) -> Value {
    let mut value: serde_norway::Value = serde_norway::from_str(text).unwrap();
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

fn services(compose: &Value) -> Vec<(&str, &Value)> {
    let services = compose["services"].as_object().unwrap();
    services
        .iter()
        .map(|(name, service)| (name.as_str(), service))
        .collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap())
        .collect()
}

#[test]
fn every_service_is_confined() {
    let compose = compose();
    for (name, service) in services(&compose) {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert!(
            service.get("cap_add").is_none() && service.get("privileged").is_none(),
            "{name}"
        );
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for limit in ["mem_limit", "cpus", "pids_limit", "restart"] {
            assert!(!service[limit].is_null(), "{name} has no {limit}");
        }
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} is reached from outside: {port}");
        }
        let is_ours = !service["build"].is_null();
        if !is_ours {
            let user = service["user"].as_str().unwrap_or_default();
            assert!(
                user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)),
                "{name} runs as {user:?}"
            );
            let image = service["image"].as_str().unwrap();
            let tag = image
                .split_once(':')
                .unwrap_or_else(|| panic!("{image} is not pinned"))
                .1;
            let version = tag.split('-').next().unwrap();
            assert!(
                version.split('.').count() >= 2 && version.split('.').all(|n| n.parse::<u32>().is_ok()),
                "{image}"
            );
        }
    }
    assert_eq!(compose["networks"]["inside"]["internal"], true);
    let reachable = services(&compose)
        .into_iter()
        .filter(|(_, service)| texts(&service["networks"]).contains(&"outside"));
    assert_eq!(reachable.map(|(name, _)| name).collect::<Vec<_>>(), ["tenantry"]);
}

#[test]
fn what_services_refer_to_is_there() {
    let compose = compose();
    for (name, service) in services(&compose) {
        for (other, condition) in service["depends_on"].as_object().into_iter().flatten() {
            let other = &compose["services"][other];
            match condition["condition"].as_str().unwrap() {
                "service_healthy" => assert!(other["healthcheck"]["test"].is_array(), "{name}"),
                "service_completed_successfully" => assert_eq!(other["restart"], "no", "{name}"),
                condition => panic!("{name} waits for {condition}"),
            }
        }
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            let is_there = match source.strip_prefix("./") {
                Some(path) => root().join(path).exists(),
                None => !compose["volumes"][source].is_null(),
            };
            assert!(is_there, "{name}: there is no {source}");
        }
        if let Some(file) = service["build"]["dockerfile"].as_str() {
            assert!(root().join(file).is_file(), "{name}");
        }
    }
    let script = texts(&compose["services"]["setup"]["command"])[2];
    let scripts = script
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("/administrator/"));
    let mut statements = 0;
    for file in scripts {
        assert!(
            root().join("migrations/src/administrator").join(file).is_file(),
            "there is no {file}"
        );
        statements += 1;
    }
    let files = fs::read_dir(root().join("migrations/src/administrator")).unwrap();
    let written = files.filter(|file| file.as_ref().unwrap().path().extension() == Some("sql".as_ref()));
    assert_eq!(statements, written.count());
}

#[test]
fn what_services_are_given_is_a_configuration() {
    let keys = tempfile::tempdir().unwrap();
    let image = Dockerfile::read().variables();
    let compose = compose();
    let mut purposes = Vec::new();
    for (name, service) in services(&compose)
        .into_iter()
        .filter(|(_, service)| !service["build"].is_null())
    {
        let command = match texts(&service["command"]).as_slice() {
            [] => vec!["serve"],
            words => words.to_vec(),
        };
        let words: Vec<String> = [vec!["tenantry"], command]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let purpose = match parsed(&words) {
            Command::Serve(_) => Purpose::Serve,
            Command::Migrate(Migrate::Up) => Purpose::Migrate,
            command => panic!("{name} does {command:?}"),
        };
        let mut variables = image.clone();
        for (variable, value) in service["environment"].as_object().unwrap() {
            variables.insert(variable.clone(), value.as_str().unwrap().to_owned());
        }
        // The image's folders are not here: they are volumes there.
        for keys_of in KEYS {
            if !variables.contains_key(keys_of) {
                continue;
            }
            let folder = variables.insert(keys_of.to_owned(), keys.path().display().to_string());
            let target = format!(":{}", folder.unwrap());
            let mounted = texts(&service["volumes"])
                .iter()
                .any(|volume| volume.ends_with(&target));
            assert!(
                mounted || purpose != Purpose::Serve,
                "{keys_of} of {name} go with its container"
            );
        }
        if purpose == Purpose::Serve {
            assert!(KEYS.iter().all(|keys| variables.contains_key(*keys)), "{name}");
            assert!(
                !variables.contains_key("TENANTRY_DATABASE_OWNER_URL"),
                "{name} has no use for the owner"
            );
        }
        let outcome = Configuration::load(&Sources::of(variables), purpose);
        assert!(outcome.is_ok(), "{name}: {}", outcome.unwrap_err());
        purposes.push(purpose);
    }
    assert_eq!(purposes, [Purpose::Migrate, Purpose::Serve]);
}

#[test]
fn the_defaults_are_those_that_are_written_down() {
    let text = document("docker-compose.yml");
    let mut used = BTreeMap::new();
    for variable in text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()) {
        let (name, default) = variable.split_once(":-").unwrap();
        let before = used.insert(name, default).unwrap_or(default);
        assert_eq!(before, default, "{name} has two defaults");
    }
    let example = document("deploy/compose.env");
    let given = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    assert_eq!(given.collect::<BTreeMap<_, _>>(), used);
    // Passwords are not committed by mistake.
    assert!(document(".gitignore").lines().any(|line| line == "/.env"));
}
