//! Text records and addresses in the DNS, asked for anew each time: bounded in time and size, and without the system's search list and files.
//!
//! Whoever is asked is named by the operator or by the system, so that addresses of private networks are none to be kept from.

use std::{
    net::{IpAddr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, Record, rdata::TXT},
    system_conf,
};
use tokio::time;

/// How often a server is asked again that did not answer, or not usably.
const RETRIES: usize = 1;

/// How many records of a name count, and the most bytes of one that does.
const MAX_RECORDS: usize = 50;
const MAX_BYTES: usize = 1000;

/// How long is waited.
const PATIENCE: Patience = Patience {
    attempt: Duration::from_secs(3),
    whole: Duration::from_secs(8),
};

/// Why there is no answer. It repeats nothing of what a server said.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The system names no server, or none that could be asked.
    #[error("there is no DNS server to ask")]
    NoServer(#[source] Box<NetError>),
    /// What is asked for is no name.
    #[error("no name that the DNS could know")]
    NoName,
    /// Nobody is there, or it took too long.
    #[error("no DNS server answers in time")]
    Silent,
    /// The answer is that there is none, or it is malformed.
    #[error("no DNS server has a usable answer")]
    Unusable,
}

/// How long is waited, for one attempt and for all of it.
#[derive(Debug, Clone, Copy)]
struct Patience {
    attempt: Duration,
    whole: Duration,
}

/// Asks the DNS; one for a process.
#[derive(Debug)]
pub struct Dns {
    servers: Vec<SocketAddr>,
    patience: Patience,
    resolver: OnceLock<TokioResolver>,
}

impl Dns {
    /// One that asks these servers, over UDP and, where an answer is too long for that, over TCP. Without any it asks the
    /// system's, whose configuration is read when it first asks: most never do.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        Self::with_patience(servers, PATIENCE)
    }

    fn with_patience(servers: &[SocketAddr], patience: Patience) -> Self {
        Self {
            servers: servers.to_vec(),
            patience,
            resolver: OnceLock::new(),
        }
    }

    fn resolver(&self) -> Result<&TokioResolver, DnsError> {
        if let Some(resolver) = self.resolver.get() {
            return Ok(resolver);
        }
        let resolver = self.build().map_err(|error| DnsError::NoServer(Box::new(error)))?;
        Ok(self.resolver.get_or_init(|| resolver))
    }

    fn build(&self) -> Result<TokioResolver, NetError> {
        let servers = if self.servers.is_empty() {
            system_conf::read_system_conf()?.0.name_servers
        } else {
            self.servers.iter().copied().map(server).collect()
        };
        let config = ResolverConfig::from_name_servers(servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.attempts = RETRIES;
        options.timeout = self.patience.attempt;
        // Who has just changed a record sees it at once.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        builder.build()
    }

    /// The text records of a name, each with its strings joined: none where there is no such name, or where it has none. More
    /// than 50 do not count, nor does one of more than 1000 bytes; what is no UTF-8 is replaced.
    ///
    /// The name is an absolute one, with or without the dot at its end.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn text_records(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let found = self.in_time(self.resolver()?.txt_lookup(absolute(name)?)).await?;
        Ok(found.map(|found| texts(found.answers())).unwrap_or_default())
    }

    /// The addresses of a name: none where there is no such name, or where it has none. `localhost` is this machine without being asked
    /// for (RFC 6761, section 6.3).
    ///
    /// The name is an absolute one, with or without the dot at its end.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, DnsError> {
        let found = self.in_time(self.resolver()?.lookup_ip(absolute(name)?)).await?;
        Ok(found
            .map(|found| found.iter().take(MAX_RECORDS).collect())
            .unwrap_or_default())
    }

    /// What a look-up comes to; `None` where there is nothing.
    async fn in_time<T>(&self, lookup: impl Future<Output = Result<T, NetError>>) -> Result<Option<T>, DnsError> {
        let answer = time::timeout(self.patience.whole, lookup).await;
        match answer.map_err(|_| DnsError::Silent)? {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_no_records_found() => Ok(None),
            Err(NetError::Timeout | NetError::Io(_) | NetError::NoConnections) => Err(DnsError::Silent),
            Err(_) => Err(DnsError::Unusable),
        }
    }
}

fn absolute(name: &str) -> Result<Name, DnsError> {
    let mut name = Name::from_ascii(name).map_err(|_| DnsError::NoName)?;
    name.set_fqdn(true);
    Ok(name)
}

/// How a server is reached.
fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn texts(answers: &[Record]) -> Vec<String> {
    let records = answers.iter().filter_map(|record| match &record.data {
        RData::TXT(TXT { txt_data, .. }) => Some(txt_data.concat()),
        _ => None,
    });
    records
        .filter(|text| text.len() <= MAX_BYTES)
        .take(MAX_RECORDS)
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect()
}

#[cfg(test)]
mod tests;
