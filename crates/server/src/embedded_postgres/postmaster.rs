//! The server's process: started, watched, told to stop.

use std::{
    io::{self, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::sync::watch;

use super::{
    EmbeddedPostgresError,
    account::{self, Account},
    pid_file::PidFile,
};

/// In order (connections are ended), then at once (the next start recovers); each with its patience.
const SIGNALS: [(Signal, Duration); 2] = [
    (Signal::SIGINT, Duration::from_secs(10)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
];

const POLL: Duration = Duration::from_millis(5);

/// Waits for a line; when its standard input ends without one, our process has ended without stopping the server.
const GUARDIAN: &str = r#"read -r _ || kill -INT "$0""#;

/// A server's process that this one started.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<ExitStatus>>,
}

/// How waiting for a server ended.
pub(super) enum Readiness {
    Ready,
    /// With the process's status.
    Ended(String),
    TimedOut,
}

impl Postmaster {
    /// Starts the server, and the guardian that stops it when this process ends without doing so: the system closes a
    /// pipe's end for whoever is killed.
    pub(super) fn spawn(mut command: Command, account: Option<&Account>) -> io::Result<Self> {
        let mut server = command.spawn()?;
        let started = i32::try_from(server.id()).map_err(io::Error::other).and_then(|pid| {
            let mut guardian = Command::new("/bin/sh");
            account::isolate(&mut guardian, account);
            guardian
                .args(["-c", GUARDIAN])
                .arg(pid.to_string())
                .stdin(Stdio::piped());
            Ok((pid, guardian.spawn()?))
        });
        let (pid, guardian) = match started {
            Ok(started) => started,
            Err(error) => {
                server.kill()?;
                server.wait()?;
                return Err(error);
            }
        };
        let (tell, ended) = watch::channel(None);
        // A thread and not a task: the server may outlive the runtime in which it was started, as it does when many
        // tests share one. Should the thread not start, the guardian is dropped with it and stops the server.
        std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || watch_over(server, guardian, &tell))?;
        Ok(Self {
            pid: Pid::from_raw(pid),
            ended,
        })
    }

    /// Waits until the server accepts connections, has ended, or `deadline` has come.
    pub(super) async fn ready(&self, cluster: &Path, deadline: Instant) -> Result<Readiness, EmbeddedPostgresError> {
        loop {
            let file = PidFile::read(cluster).map_err(EmbeddedPostgresError::at("reading the state of", cluster))?;
            if file.is_some_and(|file| file.ready && file.pid == self.pid.as_raw()) {
                return Ok(Readiness::Ready);
            }
            if Instant::now() >= deadline {
                return Ok(Readiness::TimedOut);
            }
            if let Ok(status) = tokio::time::timeout(POLL, self.ended()).await {
                return Ok(Readiness::Ended(status));
            }
        }
    }

    /// Resolves when the process has ended, to how it did.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(status)) => status.to_string(),
            Ok(None) | Err(_) => "status unknown".to_owned(),
        }
    }

    /// Tells the server to stop and waits until it has.
    pub(super) async fn stop(&self) -> Result<(), EmbeddedPostgresError> {
        for (signal, patience) in SIGNALS {
            self.signal(signal);
            if tokio::time::timeout(patience, self.ended()).await.is_ok() {
                return Ok(());
            }
        }
        Err(EmbeddedPostgresError::NotStopped { pid: self.pid.as_raw() })
    }

    fn signal(&self, signal: Signal) {
        // Once it has been reaped, its number may be another process's.
        if self.ended.borrow().is_some() || self.ended.has_changed().is_err() {
            return;
        }
        if let Err(error) = kill(self.pid, signal) {
            tracing::warn!(pid = self.pid.as_raw(), %signal, %error, "the database server could not be signalled");
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

/// Waits for the server's end, tells it, and sends the guardian home.
fn watch_over(mut server: Child, mut guardian: Child, tell: &watch::Sender<Option<ExitStatus>>) {
    match server.wait() {
        Ok(status) => {
            tell.send_replace(Some(status));
        }
        Err(error) => tracing::error!(%error, "the database server cannot be waited for"),
    }
    let dismissed = guardian.stdin.take().map_or(Ok(()), |mut line| line.write_all(b"\n"));
    if let Err(error) = dismissed.and_then(|()| guardian.wait().map(drop)) {
        tracing::warn!(%error, "the guardian of the database server could not be dismissed");
    }
}
