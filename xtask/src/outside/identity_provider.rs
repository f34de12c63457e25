//! A provider that people sign in through, which was not written here.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{Place, port::Port, server::pause};

/// How long it may take until it serves.
const START: Duration = Duration::from_secs(30);

/// A running provider. It ends when it is dropped.
pub(super) struct IdentityProvider {
    child: Child,
    port: u16,
    log: PathBuf,
    /// What tells a server of it.
    file: String,
    /// Where it is told what to do, and where the app is that is served beside it.
    url: String,
    redirect_uris: String,
}

impl IdentityProvider {
    /// Starts one, whose packages are installed, and waits until it serves.
    pub(super) fn start(place: &Place) -> anyhow::Result<Self> {
        let file = place.results.join("identity-providers.toml");
        let file = file
            .to_str()
            .context("the path of the checkout is not UTF-8")?
            .to_owned();
        let log = place.results.join("identity-provider.log");
        let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let port = Port::hold()?.release();
        let child = Command::new("node")
            .arg(place.sources.join("identity_provider/provider.mjs"))
            .arg(port.to_string())
            .arg(&file)
            // Until this is closed, by whatever ends this program.
            .stdin(Stdio::piped())
            .stdout(output.try_clone().context("sharing the log")?)
            .stderr(output)
            .spawn()
            .context("starting the identity provider")?;
        let url = format!("http://localhost:{port}");
        let app = format!("{url}/signed-in");
        let mut provider = Self {
            child,
            port,
            log,
            file,
            url,
            redirect_uris: format!("{app},{app}?from=provider,com.example.app:/signed-in"),
        };
        provider.wait_until_ready()?;
        Ok(provider)
    }

    /// What a server is configured with so that people sign in through it: to an app that is served beside it, and to one that
    /// is installed.
    pub(super) fn variables(&self) -> [(&str, &str); 3] {
        [
            ("TENANTRY_IDENTITY_PROVIDERS", &self.file),
            ("TENANTRY_REDIRECT_URIS", &self.redirect_uris),
            ("TENANTRY_CORS_ORIGINS", &self.url),
        ]
    }

    /// What a check is told of it.
    pub(super) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("TENANTRY_IDENTITY_PROVIDER", &self.url)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = self.child.try_wait().context("looking after the identity provider")? {
                bail!("the identity provider ended with {status}:\n{}", said(&self.log));
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            pause();
        }
        bail!(
            "the identity provider does not serve after {START:?}:\n{}",
            said(&self.log)
        )
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        // Waiting for it closes what it reads, by which it ends.
        if let Err(error) = self.child.wait() {
            eprintln!("the identity provider could not be stopped: {error}");
        }
    }
}

fn said(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_else(|error| format!("{}: {error}", log.display()))
}
