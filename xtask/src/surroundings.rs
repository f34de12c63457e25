//! What the machine and its variables tell, read once.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::programs::Places;

/// Where things are.
pub(crate) struct Surroundings {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// `TENANTRY_POSTGRES_BIN`.
    pub(crate) postgres: Option<PathBuf>,
    /// `TENANTRY_REDIS_BIN`.
    pub(crate) redis: Option<PathBuf>,
    /// `PATH`.
    pub(crate) path: Option<OsString>,
    /// Where tools are built once and kept.
    pub(crate) tools: PathBuf,
    cargo: OsString,
    binaries: PathBuf,
}

impl Surroundings {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables here"
    )]
    pub(crate) fn read() -> anyhow::Result<Self> {
        let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the checkout has no root")?
            .to_owned();
        // Cargo built this program where it builds the others, however that place was configured.
        let this = env::current_exe().context("finding this program")?;
        Ok(Self {
            postgres: folder("TENANTRY_POSTGRES_BIN"),
            redis: folder("TENANTRY_REDIS_BIN"),
            path: env::var_os("PATH"),
            tools: folder("TENANTRY_TOOLS_DIR").unwrap_or_else(|| root.join(".tools")),
            cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            binaries: this.parent().context("this program is in no folder")?.to_owned(),
            root,
        })
    }

    /// Where to look for a program, whose folder may be `configured`.
    pub(crate) fn places<'a>(&'a self, configured: Option<&'a Path>) -> Places<'a> {
        Places {
            configured,
            path: self.path.as_deref(),
            root: Path::new("/"),
        }
    }

    /// The cargo that runs this program, with `arguments` that are separated by spaces.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(arguments.split_whitespace());
        command
    }

    /// The binary that `cargo build --workspace` makes.
    pub(crate) fn tenantry(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join("tenantry"));
        // These are for this program; the binary refuses variables of its name that it does not know.
        command
            .args(arguments)
            .env_remove("TENANTRY_REDIS_BIN")
            .env_remove("TENANTRY_TOOLS_DIR");
        command
    }
}
