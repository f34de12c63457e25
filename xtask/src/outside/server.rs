//! A server with the demo data, for as long as a check needs it.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{requirements::Variables, surroundings::Surroundings};

/// How long it may take until it serves: a database is made on the way.
const START: Duration = Duration::from_secs(90);

/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// Where no DNS server answers: what domains prove is nobody's business on the way.
const NOBODY: &str = "127.0.0.1:9";

/// Who can sign in to the demo data, as the checks are told.
const SIGN_INS: [(&str, &str); 4] = [
    ("TENANTRY_OWNER_EMAIL", "olivia@acme.example"),
    ("TENANTRY_OWNER_PASSWORD", "tenantry demo passphrase"),
    ("TENANTRY_VIEWER_EMAIL", "vera@acme.example"),
    ("TENANTRY_VIEWER_PASSWORD", "tenantry demo passphrase"),
];

/// A running server. One that is dropped is stopped, too, and nobody asks how it went.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts one on a new database, with variables of the configuration, and waits until it serves. What it says goes to
    /// a file in `folder`.
    pub(super) fn start(
        surroundings: &Surroundings,
        found: &Variables,
        folder: &Path,
        name: &str,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        // Taken and given back: between the two somebody else could take it, and the start would say so.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("looking for a free port")?;
        let data = folder.join(format!("{name}-data"));
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = surroundings.tenantry(&["dev", "--listen", &address.to_string(), "--data-dir"]);
        let child = command
            .arg(&data)
            .envs(found.iter().map(|(name, value)| (name, value)))
            .env("TENANTRY_DNS_SERVERS", NOBODY)
            .envs(variables.iter().copied())
            .stdout(output.try_clone().context("sharing the log")?)
            .stderr(output)
            .spawn()
            .context("starting tenantry")?;
        let mut server = Self { child, address, log };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a check is told of it.
    pub(super) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("TENANTRY_URL", self.url()).envs(SIGN_INS)
    }

    /// Stops it.
    ///
    /// # Errors
    /// When it does not end by itself and well, or panicked on the way.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let Some(status) = self.ended() else {
            bail!("tenantry does not stop within {STOP:?}:\n{}", self.said());
        };
        let said = self.said();
        if !status.success() || said.contains("panicked at") {
            bail!("tenantry ended with {status}:\n{said}");
        }
        Ok(())
    }

    /// How it ended after it was asked to; nothing where it did not listen.
    fn ended(&mut self) -> Option<ExitStatus> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let begun = Instant::now();
        while asked.as_ref().is_ok_and(ExitStatus::success) && begun.elapsed() < STOP {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            pause();
        }
        None
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = self.child.try_wait().context("looking after tenantry")? {
                bail!("tenantry ended with {status}:\n{}", self.said());
            }
            if is_ready(self.address) {
                return Ok(());
            }
            pause();
        }
        bail!("tenantry does not serve after {START:?}:\n{}", self.said())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("{}: {error}", self.log.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) || self.ended().is_some() {
            return;
        }
        // It did not listen.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("tenantry could not be stopped: {error}");
        }
    }
}

/// Between two looks at a condition.
#[expect(
    clippy::disallowed_methods,
    reason = "this program has one thread, and nothing else to do"
)]
pub(super) fn pause() {
    thread::sleep(Duration::from_millis(50));
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    ask().is_ok_and(|answer: String| answer.starts_with("HTTP/1.1 200"))
}
