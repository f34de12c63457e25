//! Installs what is missing with the system's package manager.
//!
//! To support another one, give it a variant in [`Manager`], a way to be noticed in [`choose`] and its commands in
//! [`install`]; `advice` already serves every other system.

use std::{path::Path, process::Command};

use anyhow::{Context as _, anyhow, bail};

use crate::{programs::OLDEST_POSTGRES, steps};

/// Read by Debian's packages when they install a server.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// Our setting there, removed right after the installation.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/tenantry.conf";

/// Something to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    Postgres,
    Redis,
    Node,
    Python,
    Chromium,
    PgBouncer,
}

impl Package {
    const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Chromium => "Chromium",
            Self::PgBouncer => "PgBouncer",
        }
    }

    /// Its packages for apt; PostgreSQL's has its version in its name.
    const fn for_apt(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &[],
            Self::Redis => &["redis-server"],
            Self::Node => &["nodejs", "npm"],
            Self::Python => &["python3", "python3-venv"],
            Self::Chromium => &["chromium"],
            Self::PgBouncer => &["pgbouncer"],
        }
    }

    const fn for_brew(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql@17",
            Self::Redis => "redis",
            Self::Node => "node",
            Self::Python => "python",
            Self::Chromium => "chromium",
            Self::PgBouncer => "pgbouncer",
        }
    }

    /// A service that installing it starts on Debian and its kin, which Tenantry does not use.
    const fn service(self) -> Option<&'static str> {
        match self {
            Self::Redis => Some("127.0.0.1:6379"),
            Self::PgBouncer => Some("127.0.0.1:6432"),
            Self::Postgres | Self::Node | Self::Python | Self::Chromium => None,
        }
    }
}

/// The package managers that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    /// Debian, Ubuntu and their kin; `sudo` when we are not root.
    Apt { sudo: bool },
    /// macOS; refuses to run as root.
    Brew,
}

/// What decides which package manager to use.
#[derive(Clone, Copy)]
struct Machine {
    has_apt: bool,
    has_brew: bool,
    has_sudo: bool,
    is_root: bool,
}

impl Machine {
    fn look() -> anyhow::Result<Self> {
        let id = Command::new("id")
            .arg("-u")
            .output()
            .context("asking `id` who we are")?;
        let answers = |program: &str| {
            Command::new(program)
                .arg("--version")
                .output()
                .is_ok_and(|o| o.status.success())
        };
        Ok(Self {
            // Other systems have programs of that name, for other packages.
            has_apt: Path::new("/etc/debian_version").exists() && answers("apt-get"),
            has_brew: answers("brew"),
            has_sudo: answers("sudo"),
            is_root: id.stdout.trim_ascii() == b"0",
        })
    }
}

fn choose(machine: Machine) -> Option<Manager> {
    match machine {
        Machine {
            has_apt: true,
            is_root: true,
            ..
        } => Some(Manager::Apt { sudo: false }),
        Machine {
            has_apt: true,
            has_sudo: true,
            ..
        } => Some(Manager::Apt { sudo: true }),
        Machine {
            has_brew: true,
            is_root: false,
            ..
        } => Some(Manager::Brew),
        _ => None,
    }
}

/// Installs `missing`, saying before what it is about to do.
///
/// # Errors
/// When this system has no package manager that we know or may use, or it fails; what to install has been told then.
pub(crate) fn install(missing: &[Package]) -> anyhow::Result<()> {
    let installed = match choose(Machine::look()?) {
        Some(Manager::Apt { sudo }) => with_apt(missing, sudo),
        Some(Manager::Brew) => with_brew(missing),
        None => Err(anyhow!(
            "nothing was installed: there is no package manager here that could be used"
        )),
    };
    installed.inspect_err(|_| eprintln!("{}", advice(missing)))
}

fn with_apt(missing: &[Package], sudo: bool) -> anyhow::Result<()> {
    let with = if sudo { "apt, through sudo" } else { "apt" };
    eprintln!(
        "About to refresh the package lists and install {} with {with}.",
        names(missing)
    );
    let command = |arguments: &[&str]| {
        let mut words = if sudo { vec!["sudo"] } else { Vec::new() };
        words.extend(arguments);
        let mut command = Command::new(words.remove(0));
        command.args(words);
        command
    };
    let get = |packages: &[&str]| {
        let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes"];
        words.push("--no-install-recommends");
        words.extend(packages);
        command(&words)
    };

    steps::run("package lists", &mut command(&["apt-get", "update"]))?;
    let mut packages = Vec::new();
    let postgres;
    if missing.contains(&Package::Postgres) {
        postgres = newest_postgres(&known_to_apt()?)?;
        packages.push(postgres.as_str());
        // Installing a server creates and starts a database of the system's own, which nobody asked for.
        eprintln!("Tenantry runs a database of its own: no system-wide one is created.");
        steps::run("database tools", &mut get(&["postgresql-common"]))?;
        let setting = format!("mkdir -p {CLUSTER_SETTINGS} && echo create_main_cluster = false > {NO_CLUSTER}");
        steps::run("no system-wide database", &mut command(&["sh", "-c", &setting]))?;
    }
    for package in missing {
        packages.extend(package.for_apt());
        if let Some(address) = package.service() {
            let name = package.name();
            eprintln!("The package of {name} also starts a service on {address}, which Tenantry does not use.");
        }
    }
    let installed = steps::run("packages", &mut get(&packages));
    if missing.contains(&Package::Postgres) {
        steps::run("settings as before", &mut command(&["rm", "-f", NO_CLUSTER]))?;
    }
    installed
}

fn with_brew(missing: &[Package]) -> anyhow::Result<()> {
    eprintln!("About to install {} with brew; no service is started.", names(missing));
    let formulas = missing.iter().map(|package| package.for_brew());
    steps::run("packages", Command::new("brew").arg("install").args(formulas))
}

fn known_to_apt() -> anyhow::Result<String> {
    let mut search = Command::new("apt-cache");
    let output = search.args(["search", "--names-only", "^postgresql-[0-9]+$"]).output();
    let output = output.context("asking apt-cache which versions of PostgreSQL there are")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The package of the newest PostgreSQL among the lines `postgresql-17 - what it is`.
fn newest_postgres(lines: &str) -> anyhow::Result<String> {
    let versions = lines.lines().filter_map(|line| {
        let name = line.split_whitespace().next()?;
        name.strip_prefix("postgresql-")?.parse::<u16>().ok()
    });
    match versions.max() {
        Some(newest) if newest >= OLDEST_POSTGRES => Ok(format!("postgresql-{newest}")),
        _ => bail!(
            "this system's packages hold no PostgreSQL {OLDEST_POSTGRES} or newer; the PostgreSQL project's own do:\n  \
             sudo apt-get install postgresql-common\n  \
             sudo /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
        ),
    }
}

fn names(packages: &[Package]) -> String {
    let names: Vec<_> = packages.iter().map(|package| package.name()).collect();
    names.join(" and ")
}

/// What a person has to install.
pub(crate) fn advice(missing: &[Package]) -> String {
    let mut lines = vec!["Please install, and run the command again:".to_owned()];
    for package in missing {
        lines.push(match package {
            Package::Postgres => format!(
                "- PostgreSQL {OLDEST_POSTGRES} or newer, the server with initdb, postgres and pg_ctl\n    \
                 Debian, Ubuntu: apt-get install postgresql | macOS: brew install postgresql@17\n    \
                 Fedora: dnf install postgresql-server | Arch: pacman -S postgresql | Alpine: apk add postgresql\n    \
                 or set TENANTRY_POSTGRES_BIN to the folder of these programs"
            ),
            Package::Redis => "- Redis 7 or newer, with redis-server\n    \
                 Debian, Ubuntu: apt-get install redis-server | macOS: brew install redis\n    \
                 elsewhere: the package redis, or that of valkey under the name of redis\n    \
                 or set TENANTRY_REDIS_BIN to the folder of that program"
                .to_owned(),
            Package::Node => "- Node.js 20 or newer, with npm".to_owned(),
            Package::Python => "- Python 3.11 or newer, with venv and pip".to_owned(),
            Package::Chromium => "- Chromium or Chrome".to_owned(),
            Package::PgBouncer => "- PgBouncer 1.18 or newer".to_owned(),
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
