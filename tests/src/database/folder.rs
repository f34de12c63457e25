//! A folder that does not outlive the process.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Waits for its standard input to end, which it does when the process on its other side has ended in whichever way;
/// then for the server in the folder, which is told to stop by the same; then removes the folder.
const REMOVER: &str = r#"
read -r _
waited=0
while [ -e "$0/database/cluster/postmaster.pid" ] && [ "$waited" -lt 300 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
rm -rf "$0"
"#;

/// A temporary folder for a server, removed when the value is dropped or the process has ended: a value in a static is
/// never dropped.
#[derive(Debug)]
pub(super) struct ServerFolder {
    path: PathBuf,
    // Holds the other end of the remover's standard input.
    _remover: Child,
}

impl ServerFolder {
    pub(super) fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tenantry-tests-").tempdir()?;
        let remover = Command::new("/bin/sh")
            .args(["-c", REMOVER])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // A Ctrl-C in the terminal is for the tests; this one has work to do then.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            path: folder.keep(),
            _remover: remover,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
