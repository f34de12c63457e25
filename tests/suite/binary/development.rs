//! `tenantry dev` on a folder of its own, and what can be known of it from outside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::unistd::Pid;
use tempfile::TempDir;
use tenantry_tests::client::Client;

use super::process::{Invocation, Outcome, Process, eventually, tenantry};

/// A folder for `tenantry dev`, which it makes at its first start.
pub(crate) struct DataFolder {
    // The folder that `dev` is given does not exist yet, and has a space in its name.
    parent: TempDir,
}

impl DataFolder {
    pub(crate) fn new() -> Self {
        let parent = tempfile::Builder::new().prefix("tenantry-dev-").tempdir().unwrap();
        Self { parent }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.parent.path().join("data folder")
    }

    /// `tenantry dev` on this folder and a free port.
    pub(crate) fn dev(&self) -> Invocation {
        tenantry("dev --listen 127.0.0.1:0 --data-dir").arg(self.path())
    }

    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start(&self, demo: bool) -> Dev {
        let dev = self.dev();
        Dev::of(if demo { dev } else { dev.arg("--no-demo") }.start()).await
    }

    fn postgres(&self) -> PathBuf {
        self.path().join("postgres")
    }

    fn pid_file(&self) -> PathBuf {
        self.postgres().join("database/cluster/postmaster.pid")
    }

    /// The lines in which the running database server tells of itself.
    fn pid_file_line(&self, number: usize) -> String {
        let text = fs::read_to_string(self.pid_file()).unwrap();
        text.lines().nth(number).unwrap().trim().to_owned()
    }

    /// The process of the running database server.
    pub(crate) fn postmaster(&self) -> Pid {
        Pid::from_raw(self.pid_file_line(0).parse().unwrap())
    }

    /// Where the superuser reaches the running database.
    pub(crate) fn superuser_url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/tenantry",
            self.superuser_password(),
            self.pid_file_line(3)
        )
    }

    fn superuser_password(&self) -> String {
        let password = fs::read_to_string(self.postgres().join("superuser-password")).unwrap();
        password.trim().to_owned()
    }

    /// What may never be shown: the superuser's password and the lines of the signing keys.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = signing_key_lines(&self.path().join("keys"));
        secrets.push(self.superuser_password());
        secrets
    }
}

/// The lines of the private keys in a folder that hold the keys themselves.
pub(crate) fn signing_key_lines(keys: &Path) -> Vec<String> {
    let files = fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().path());
    let lines: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "pem"))
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| !line.starts_with('-'))
        .collect();
    assert!(!lines.is_empty(), "there is a key in {}", keys.display());
    lines
}

/// `tenantry dev`, ready.
pub(crate) struct Dev {
    pub(crate) process: Process,
    /// What it said on standard output.
    pub(crate) announcement: String,
    /// Where it is reached.
    pub(crate) base: String,
}

impl Dev {
    /// Waits until the process says that it is ready.
    pub(crate) async fn of(process: Process) -> Self {
        // The last of its lines.
        let announcement = process.stdout_with("Ctrl-C stops everything.").await;
        let docs = announcement.lines().find_map(|line| line.trim().strip_prefix("Docs"));
        let base = docs.and_then(|url| url.trim().strip_suffix("/docs/"));
        let base = base.expect("the URL of the docs").to_owned();
        Self {
            process,
            announcement,
            base,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.base.clone())
    }

    /// Asks it to stop; it ends well, and all that it started ends with it.
    pub(crate) async fn stop(self) -> Outcome {
        let started = descendants(self.process.pid());
        assert!(!started.is_empty(), "a database server at least");
        let outcome = self.process.stop().await;
        outcome.expect(0);
        all_end(&started).await;
        outcome
    }
}

/// Waits until none of these processes is there.
pub(crate) async fn all_end(processes: &[Pid]) {
    eventually("all that was started to end", async || {
        let left = processes.iter().any(|process| exists(*process));
        (!left).then_some(())
    })
    .await;
}

/// Whether there is a process of this number, be it waited for or not.
pub(crate) fn exists(process: Pid) -> bool {
    nix::sys::signal::kill(process, None) != Err(nix::errno::Errno::ESRCH)
}

/// The processes that this one has started, and those that they have started.
pub(crate) fn descendants(ancestor: Pid) -> Vec<Pid> {
    let processes = processes();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(
            processes
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
        next += 1;
    }
    found.split_off(1)
}

/// Every process with the one that started it.
#[cfg(target_os = "linux")]
fn processes() -> Vec<(Pid, Pid)> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // It may have ended meanwhile. Its name, which is in parentheses, may hold anything.
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (_, after) = text.rsplit_once(')')?;
            let parent = after.split_whitespace().nth(1)?.parse().ok()?;
            Some((Pid::from_raw(pid), Pid::from_raw(parent)))
        })
        .collect()
}

/// Every process with the one that started it.
#[cfg(not(target_os = "linux"))]
fn processes() -> Vec<(Pid, Pid)> {
    let listed = std::process::Command::new("ps")
        .args(["-A", "-o", "pid=,ppid="])
        .output();
    let text = String::from_utf8(listed.unwrap().stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut numbers = line
                .split_whitespace()
                .map(|number| number.parse().ok().map(Pid::from_raw));
            Some((numbers.next()??, numbers.next()??))
        })
        .collect()
}
