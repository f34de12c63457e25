//! `tenantry health`: what a container's health check runs, where there is neither a shell nor a client.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    cli::Health,
    configuration::{Configuration, Purpose, Sources},
    exit_code::ExitCode,
    output,
};

/// How long the answer may take: the 2 s that readiness gives the database, and a little.
const PATIENCE: Duration = Duration::from_secs(4);

/// The most of an answer that is read, in bytes; a good one has a few hundred.
const MOST: u64 = 64 * 1024;

/// Asks the server at the configured listen address how it is, and prints its answer.
///
/// The exit code is 0 for a good answer, and 1 for any other and for none.
///
/// # Errors
/// The configuration has problems, or standard output cannot be written to.
pub async fn run(options: &Health, sources: &Sources) -> anyhow::Result<ExitCode> {
    let configuration = Configuration::load(sources, Purpose::Health)?;
    let address = here(configuration.http.listen);
    let path = if options.live { "/health/live" } else { "/health/ready" };
    let asked = async {
        timeout(PATIENCE, ask(address, path))
            .await
            .with_context(|| format!("no answer within {} s", PATIENCE.as_secs()))?
    };
    match asked.await.with_context(|| format!("asked http://{address}{path}")) {
        Ok(answer) => {
            output::line(answer)?;
            Ok(ExitCode::Success)
        }
        Err(error) => {
            output::error(&error);
            Ok(ExitCode::Failure)
        }
    }
}

/// Where a server is reached on this machine that listens there.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The body of a `200`; any other answer is an error.
async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).context("the answer is no text")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("{status}: {body}");
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests;
