//! A server that its owner left running: it was killed before it could stop it.

#[cfg(target_os = "linux")]
use std::fs;
use std::{io, path::Path, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{EmbeddedPostgresError, folder::remove_file, pid_file::PidFile};

/// First in order, then at once (nothing committed is lost then either, it is recovered); each with its patience.
const SIGNALS: [(Signal, Duration); 2] = [
    (Signal::SIGINT, Duration::from_secs(10)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
];

const POLL: Duration = Duration::from_millis(10);

/// Stops the server that still runs on `cluster`, and clears a `postmaster.pid` that would keep another from starting.
///
/// The caller holds the folder's lock, so whoever started that server is gone.
pub(super) async fn stop(cluster: &Path, progress: &impl Fn(&str)) -> Result<(), EmbeddedPostgresError> {
    let failed = || EmbeddedPostgresError::at("examining the server left on", cluster);
    let Some(pid) = running(cluster).map_err(failed())? else {
        // PostgreSQL refuses to start over a file that is empty, or whose number another process has been given; and
        // what it says must not be taken for the next server's. Processes of a killed server, which may still be
        // ending, are told by the shared memory that they hold.
        return remove_file(&cluster.join("postmaster.pid")).map_err(failed());
    };
    let process = Pid::from_raw(pid);
    progress(&format!(
        "Stopping the database server that was left running (process {pid})"
    ));
    for (signal, patience) in SIGNALS {
        match kill(process, signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(error) => return Err(failed()(error.into())),
        }
        let gone = async {
            while runs_on(cluster, pid)? {
                tokio::time::sleep(POLL).await;
            }
            io::Result::Ok(())
        };
        if let Ok(gone) = tokio::time::timeout(patience, gone).await {
            return gone.map_err(failed());
        }
    }
    Err(EmbeddedPostgresError::LeftoverRemains { pid })
}

/// The server that runs on `cluster`.
fn running(cluster: &Path) -> io::Result<Option<i32>> {
    match PidFile::read(cluster)? {
        Some(PidFile { pid, .. }) if runs_on(cluster, pid)? => Ok(Some(pid)),
        Some(_) | None => Ok(None),
    }
}

/// Whether process `pid` is a PostgreSQL server on `cluster`: numbers of processes are given out again.
#[cfg(target_os = "linux")]
fn runs_on(cluster: &Path, pid: i32) -> io::Result<bool> {
    let process = Path::new("/proc").join(pid.to_string());
    // A server's current folder is its cluster. A process that has ended but was not reaped has none.
    let read = || -> io::Result<bool> {
        Ok(fs::read_link(process.join("cwd"))? == cluster && fs::read(process.join("comm"))? == b"postgres\n")
    };
    match read() {
        // A process of somebody else, whose current folder is not ours to know.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(false),
        // The process ended between the two looks.
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32) => Ok(false),
        result => result,
    }
}

/// Whether process `pid` is a PostgreSQL server on `cluster`: numbers of processes are given out again.
#[cfg(not(target_os = "linux"))]
fn runs_on(cluster: &Path, pid: i32) -> io::Result<bool> {
    let output = std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()?;
    let command = String::from_utf8_lossy(&output.stdout);
    Ok(command.contains("postgres") && command.contains(&format!("-D {}", cluster.display())))
}
