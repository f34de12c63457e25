//! `tenantry serve` on a database of the test's own.

use std::{net::SocketAddr, path::Path};

use tempfile::TempDir;
use tenantry_tests::{client::Client, database::pooler_setting};

use super::{
    development::signing_key_lines,
    process::{Invocation, Outcome, Process, password_of, tenantry},
};

/// What a deployment is configured by.
pub(crate) struct Deployment {
    pub(crate) runtime_url: String,
    pub(crate) owner_url: String,
    keys: TempDir,
}

impl Deployment {
    pub(crate) fn new(runtime_url: &str, owner_url: &str) -> Self {
        Self {
            runtime_url: runtime_url.to_owned(),
            owner_url: owner_url.to_owned(),
            keys: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder of the signing keys, empty before the first start.
    pub(crate) fn keys(&self) -> &Path {
        self.keys.path()
    }

    /// A command with the whole configuration, and every log line there is. Serving ends as soon as it can.
    pub(crate) fn command(&self, line: &str) -> Invocation {
        tenantry(line)
            .env("TENANTRY_DATABASE_URL", &self.runtime_url)
            .env("TENANTRY_DATABASE_OWNER_URL", &self.owner_url)
            .env("TENANTRY_DATABASE_POOLER", pooler_setting())
            .env("TENANTRY_SIGNING_KEYS", self.keys())
            .env("TENANTRY_LISTEN", "127.0.0.1:0")
            .env("TENANTRY_SHUTDOWN_GRACE_SECONDS", "0")
            .env("TENANTRY_LOG", "trace")
    }

    /// `serve` without limits: a test is one address and many people.
    pub(crate) fn serve(&self) -> Invocation {
        self.command("serve")
            .env("TENANTRY_LOG", "info")
            .env("TENANTRY_RATE_LIMITS", "off")
            .env("TENANTRY_RATE_LIMITS_OFF_ALLOWED", "yes")
    }

    /// What may never be shown.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = signing_key_lines(self.keys());
        secrets.extend([&self.runtime_url, &self.owner_url].map(|url| password_of(url)));
        secrets
    }
}

/// `tenantry serve`, ready.
pub(crate) struct Serving {
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Serving {
    /// Waits until the process says that it listens.
    pub(crate) async fn of(process: Process) -> Self {
        let log = process.stderr_with("\"message\":\"listening\"").await;
        let line = log
            .lines()
            .find(|line| line.contains("\"message\":\"listening\""))
            .unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let address = line["address"].as_str().unwrap().parse().unwrap();
        Self { process, address }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(format!("http://{}", self.address))
    }

    pub(crate) async fn stop(self) -> Outcome {
        let outcome = self.process.stop().await;
        outcome.expect(0);
        outcome
    }
}
