//! Where values come from, and which one wins: environment over file over default.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, File, FileFormat, Value, ValueKind};

use super::{
    problems::Problems,
    redaction,
    setting::{PREFIX, Setting},
    settings,
};

/// Names the file; it is read from the environment alone.
pub const CONFIG: Setting = Setting::plain("TENANTRY_CONFIG", "the path of a TOML file with settings");

/// Variables with this prefix are for tests.
const TEST_PREFIX: &str = "TENANTRY_TEST_";

/// A name is offered for a mistyped one when no more than one in so many of its characters were mistyped.
const MISTYPED: usize = 3;

/// What the values are read from.
#[derive(Clone, Default)]
pub struct Sources {
    environment: BTreeMap<OsString, OsString>,
    file: Option<PathBuf>,
}

impl Sources {
    /// The environment of this process and the file that it names.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the configuration that reads them")]
    pub fn of_process() -> Self {
        Self::of(env::vars_os())
    }

    /// These variables, and the file that they name.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        let environment: BTreeMap<OsString, OsString> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let file = environment
            .get(&OsString::from(CONFIG.variable))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        Self { environment, file }
    }

    /// The same with another file, if one is given.
    #[must_use]
    pub fn with_file(self, file: Option<PathBuf>) -> Self {
        Self {
            file: file.or(self.file),
            ..self
        }
    }

    /// The folders where programs are looked for, as the environment has them.
    #[must_use]
    pub fn path(&self) -> Option<&OsStr> {
        self.environment.get(OsStr::new("PATH")).map(OsString::as_os_str)
    }

    /// One value for each setting, and what is wrong with names and files.
    pub(super) fn merge(&self) -> (Merged, Problems) {
        let mut problems = Problems::default();
        let environment = self.variables(&mut problems);
        let file = self
            .file
            .as_deref()
            .map(|path| read_file(path, &mut problems))
            .unwrap_or_default();
        let in_file: BTreeSet<String> = match &file.cache.kind {
            ValueKind::Table(table) => table.keys().cloned().collect(),
            _ => BTreeSet::new(),
        };
        self.report_unknown_keys(&in_file, &mut problems);

        let mut merged = Merged::default();
        match layered(file, &environment) {
            Ok(values) => {
                for setting in settings() {
                    let Some(value) = values.get(&setting.key()) else {
                        continue;
                    };
                    let origin = if environment.contains_key(setting.variable) {
                        Origin::Environment
                    } else if let Some(path) = self.file.as_ref().filter(|_| in_file.contains(&setting.key())) {
                        Origin::File(path.clone())
                    } else {
                        Origin::Default
                    };
                    merged.insert(setting, value, origin);
                }
            }
            // Names and kinds were seen to before, so that no source has anything left to refuse.
            Err(error) => problems.add(CONFIG.variable, format!("cannot be merged ({})", summary(&error))),
        }
        (merged, problems)
    }

    /// The known variables that are set; unknown ones are reported.
    fn variables(&self, problems: &mut Problems) -> BTreeMap<&'static str, String> {
        let mut known = BTreeMap::new();
        for (name, value) in &self.environment {
            let name = name.to_string_lossy();
            if !name.starts_with(PREFIX) || name.starts_with(TEST_PREFIX) || is_service_link(&name) {
                continue;
            }
            if name == CONFIG.variable || value.is_empty() {
                continue;
            }
            match (settings().find(|setting| setting.variable == name), value.to_str()) {
                (Some(setting), Some(text)) => {
                    known.insert(setting.variable, text.to_owned());
                }
                (Some(setting), None) => {
                    problems.add(
                        setting.variable,
                        format!("expects {}; got bytes that are not UTF-8", setting.expects),
                    );
                }
                (None, _) => {
                    let names = settings().chain([&CONFIG]).map(|setting| setting.variable.to_owned());
                    problems.add(name.clone(), unknown(&name, names));
                }
            }
        }
        known
    }

    fn report_unknown_keys(&self, keys: &BTreeSet<String>, problems: &mut Problems) {
        let Some(path) = &self.file else { return };
        for key in keys {
            if !settings().any(|setting| setting.key() == *key) {
                problems.add(in_file(key, path), unknown(key, settings().map(Setting::key)));
            }
        }
    }
}

/// The values of all settings, and where each comes from. It holds secrets, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Merged(BTreeMap<&'static str, Given>);

struct Given {
    /// One text, or the elements of a list; nothing where the value is neither.
    elements: Vec<String>,
    origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    Environment,
    File(PathBuf),
}

impl Merged {
    /// A table, or a list of more than texts, has no elements: whoever reads the setting finds that it does not fit.
    fn insert(&mut self, setting: &'static Setting, value: &Value, origin: Origin) {
        let elements = match &value.kind {
            ValueKind::Array(values) => values.iter().map(text).collect::<Option<Vec<String>>>(),
            _ => text(value).map(|text| vec![text]),
        };
        let is_empty = elements
            .as_ref()
            .is_some_and(|elements| elements.iter().all(String::is_empty));
        if !is_empty {
            self.0.insert(
                setting.variable,
                Given {
                    elements: elements.unwrap_or_default(),
                    origin,
                },
            );
        }
    }

    /// The text of a setting; of a list, its first element.
    pub(super) fn text(&self, setting: &Setting) -> Option<&str> {
        self.elements(setting).and_then(<[String]>::first).map(String::as_str)
    }

    /// The elements of a setting that is a list in the file; a text is a list of one.
    pub(super) fn elements(&self, setting: &Setting) -> Option<&[String]> {
        self.0.get(setting.variable).map(|given| given.elements.as_slice())
    }

    /// Where the value of a setting comes from.
    pub(super) fn origin(&self, setting: &Setting) -> Option<&Origin> {
        self.0.get(setting.variable).map(|given| &given.origin)
    }

    /// The setting's name as whoever set it knows it.
    pub(super) fn name(&self, setting: &Setting) -> String {
        self.origin(setting)
            .map_or_else(|| setting.variable.to_owned(), |origin| name(setting, origin))
    }
}

fn name(setting: &Setting, origin: &Origin) -> String {
    match origin {
        Origin::File(path) => format!("{} ({})", setting.variable, in_file(&setting.key(), path)),
        Origin::Default | Origin::Environment => setting.variable.to_owned(),
    }
}

fn in_file(key: &str, path: &Path) -> String {
    format!("{} in {}", redaction::plain(key), path.display())
}

fn layered(
    file: Config,
    environment: &BTreeMap<&'static str, String>,
) -> Result<config::Map<String, Value>, ConfigError> {
    let mut builder = Config::builder();
    for setting in settings() {
        if let Some(default) = setting.default {
            builder = builder.set_default(setting.key(), default)?;
        }
    }
    builder = builder.add_source(file);
    for setting in settings() {
        builder = builder.set_override_option(setting.key(), environment.get(setting.variable).cloned())?;
    }
    config::Source::collect(&builder.build()?)
}

fn read_file(path: &Path, problems: &mut Problems) -> Config {
    let parsed = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| {
            let file = File::from_str(&text, FileFormat::Toml);
            Config::builder()
                .add_source(file)
                .build()
                .map_err(|error| format!("is not TOML ({})", summary(&error)))
        });
    parsed.unwrap_or_else(|why| {
        problems.add(
            CONFIG.variable,
            format!("expects {}; {} {why}", CONFIG.expects, path.display()),
        );
        Config::default()
    })
}

/// The first line of an error: where it is. What follows repeats the line of the file, which may hold a password.
fn summary(error: &ConfigError) -> String {
    let place = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    place.lines().next().unwrap_or_default().to_owned()
}

fn text(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Table(_) | ValueKind::Array(_) => None,
        _ => value.clone().into_string().ok(),
    }
}

/// Why a name is refused. Its value is not repeated: it may be a secret under a misspelt name.
fn unknown(written: &str, names: impl Iterator<Item = String>) -> String {
    let bare = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let nearest = names
        .map(|name| (strsim::damerau_levenshtein(&bare(written), &bare(&name)), name))
        .filter(|(distance, name)| *distance <= bare(name).len() / MISTYPED)
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, name)) => format!("is not a setting; did you mean {name}?"),
        None => "is not a setting".to_owned(),
    }
}

/// Whether Kubernetes made this variable for a service whose name begins with `tenantry` (its "service links").
fn is_service_link(name: &str) -> bool {
    let of_port = |protocol: &str| name.contains("_PORT_") && name.contains(protocol);
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || ["_TCP", "_UDP", "_SCTP"].into_iter().any(of_port)
}
