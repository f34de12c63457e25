//! Finds the database programs that are installed on this machine.
//!
//! Looked for in this order, the first fit wins: the configured folder (and then nowhere else, so that a mistyped
//! setting is reported and not papered over), the folders of `PATH`, the usual installation folders with the newest
//! version first. To support another system's layout, add its folder to [`POSTGRES_FOLDERS`] or [`REDIS_FOLDERS`].
//!
//! This file uses the standard library alone: `cargo xtask` compiles it too, before anything else is built.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The oldest PostgreSQL that the schema works with.
pub const OLDEST_POSTGRES: u16 = 15;

/// Without each of these a folder is no PostgreSQL installation: some systems link `postgres` alone into `PATH`.
const POSTGRES_PROGRAMS: [&str; 3] = ["initdb", "postgres", "pg_ctl"];

/// Folders below the file system's root; a `*` stands for a version, and the newest one is looked at first.
const POSTGRES_FOLDERS: [&str; 10] = [
    "usr/lib/postgresql/*/bin",                       // Debian, Ubuntu
    "usr/pgsql-*/bin",                                // the PostgreSQL project's packages for Fedora and RHEL
    "opt/homebrew/opt/postgresql@*/bin",              // Homebrew, Apple silicon
    "usr/local/opt/postgresql@*/bin",                 // Homebrew, Intel
    "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin", // Homebrew, Linux
    "Applications/Postgres.app/Contents/Versions/*/bin",
    "usr/local/pgsql/bin", // built from source
    "usr/local/bin",
    "opt/homebrew/bin",
    "usr/bin",
];

const REDIS_FOLDERS: [&str; 5] = [
    "usr/bin",
    "usr/local/bin",
    "opt/homebrew/bin",
    "home/linuxbrew/.linuxbrew/bin",
    "opt/local/bin",
];

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The folder which the configuration names, if it names one.
    pub configured: Option<&'a Path>,
    /// The value of `PATH`.
    pub path: Option<&'a OsStr>,
    /// The file system's root; a test puts a folder of its own here.
    pub root: &'a Path,
}

/// A complete PostgreSQL installation, no older than [`OLDEST_POSTGRES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresPrograms {
    /// The folder that holds `initdb`, `postgres` and `pg_ctl`.
    pub folder: PathBuf,
    /// The major version, such as 17.
    pub major: u16,
}

impl PostgresPrograms {
    /// Finds the first installation that fits.
    ///
    /// # Errors
    /// [`NotFound`], with what was wrong with each folder that held some of the programs.
    pub fn find(places: Places<'_>) -> Result<Self, NotFound> {
        Self::find_asking(places, version_line)
    }

    /// `ask` gives what a program answers to `--version`.
    fn find_asking(places: Places<'_>, ask: impl Fn(&Path) -> Result<String, String>) -> Result<Self, NotFound> {
        first_fit("PostgreSQL", places, &POSTGRES_FOLDERS, |folder| {
            Self::in_folder(folder, &ask)
        })
    }

    fn in_folder(folder: &Path, ask: impl Fn(&Path) -> Result<String, String>) -> Result<Option<Self>, String> {
        let present = POSTGRES_PROGRAMS.map(|program| folder.join(program).is_file());
        if present == [false; POSTGRES_PROGRAMS.len()] {
            return Ok(None);
        }
        if let Some((missing, _)) = POSTGRES_PROGRAMS.iter().zip(present).find(|(_, present)| !present) {
            return Err(format!("{} has no {missing}", folder.display()));
        }
        // Folder names lie, the program itself does not.
        let postgres = folder.join("postgres");
        let major =
            major(&ask(&postgres)?).ok_or_else(|| format!("{} does not tell its version", postgres.display()))?;
        if major < OLDEST_POSTGRES {
            let folder = folder.display();
            return Err(format!(
                "{folder} holds PostgreSQL {major}, {OLDEST_POSTGRES} or newer is needed"
            ));
        }
        // Links in a folder of PATH may cover these three programs and leave out their siblings (psql, pg_dump).
        let linked = fs::canonicalize(folder.join("initdb")).ok();
        let real = linked.as_deref().and_then(Path::parent);
        let real = real.filter(|real| POSTGRES_PROGRAMS.iter().all(|program| real.join(program).is_file()));
        Ok(Some(Self {
            folder: real.unwrap_or(folder).to_owned(),
            major,
        }))
    }

    /// The path of one of the installation's programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Finds the folder that holds `redis-server`.
///
/// # Errors
/// [`NotFound`].
pub fn find_redis(places: Places<'_>) -> Result<PathBuf, NotFound> {
    first_fit("Redis", places, &REDIS_FOLDERS, |folder| {
        Ok(folder.join("redis-server").is_file().then(|| folder.to_owned()))
    })
}

/// Nothing that fits is installed in any of the places.
#[derive(Debug, PartialEq, Eq)]
pub struct NotFound {
    /// What was looked for.
    pub what: &'static str,
    /// The configured folder, when there is one: then it is a setting to correct, not a program to install.
    pub configured: Option<PathBuf>,
    /// The folders that came close, each with what is wrong with it.
    pub unfit: Vec<String>,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.configured {
            Some(folder) => write!(
                f,
                "the configured folder {} does not hold the programs of",
                folder.display()
            )?,
            None => f.write_str("found no usable")?,
        }
        write!(f, " {}", self.what)?;
        if self.unfit.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.unfit.join("; "))
        }
    }
}

impl Error for NotFound {}

fn first_fit<T>(
    what: &'static str,
    places: Places<'_>,
    usual: &[&str],
    examine: impl Fn(&Path) -> Result<Option<T>, String>,
) -> Result<T, NotFound> {
    let candidates = match (places.configured, places.path) {
        (Some(folder), _) => vec![folder.to_owned()],
        (None, path) => {
            // An empty or relative entry means the current folder, whose programs nobody asked to run.
            let path = path
                .into_iter()
                .flat_map(env::split_paths)
                .filter(|folder| folder.is_absolute());
            path.chain(usual.iter().flat_map(|pattern| expand(places.root, pattern)))
                .collect()
        }
    };
    let mut unfit = Vec::new();
    for folder in candidates {
        match examine(&folder) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(problem) if unfit.contains(&problem) => {}
            Err(problem) => unfit.push(problem),
        }
    }
    Err(NotFound {
        what,
        configured: places.configured.map(Path::to_owned),
        unfit,
    })
}

/// The existing folders that `pattern` stands for, newest version first.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![root.join(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(root.join(parent)) else {
        return Vec::new();
    };
    let mut versions: Vec<(u16, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join(after.trim_start_matches('/'))))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// What `program` answers to `--version`.
fn version_line(program: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{} does not run: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The major version in a line such as `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` or `… 18beta1`.
fn major(line: &str) -> Option<u16> {
    let (_, version) = line.split_once("(PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

// The path is spelled out because `cargo xtask` includes this file by its path, which would look for `tests.rs` here.
#[cfg(test)]
#[path = "programs/tests.rs"]
mod tests;
