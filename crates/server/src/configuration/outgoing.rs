//! Whom the server asks on behalf of organizations, which name their own domains and providers.

use std::net::{IpAddr, SocketAddr};

use ipnetwork::IpNetwork;

use super::{Purpose, reader::Reader, setting::Setting};

const DNS_SERVERS: Setting = Setting::plain(
    "TENANTRY_DNS_SERVERS",
    "IP addresses of DNS servers separated by commas, each with or without a port, such as 10.0.0.2 or [::1]:5353",
);

const CONNECTION_NETWORKS: Setting = Setting::plain(
    "TENANTRY_CONNECTION_NETWORKS",
    "networks in CIDR notation separated by commas, each by its first address, such as 10.1.0.0/16 or fd00:1::/32",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&DNS_SERVERS, &CONNECTION_NETWORKS];

/// Where the DNS is asked, where nothing else is said (RFC 1035, section 4.2).
const DNS_PORT: u16 = 53;

/// The networks of the machine itself.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Whom the server asks on behalf of organizations.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `TENANTRY_DNS_SERVERS`; without any, the system's are asked.
    pub dns_servers: Vec<SocketAddr>,
    /// `TENANTRY_CONNECTION_NETWORKS`.
    pub connection_networks: Vec<IpNetwork>,
}

impl Outgoing {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let dns_servers = reader.list(&DNS_SERVERS, dns_server);
        let mut connection_networks = reader.list(&CONNECTION_NETWORKS, network)?;
        if connection_networks.is_empty() && reader.purpose() == Purpose::Dev {
            // A provider to try it out with is on the same machine.
            connection_networks.extend(LOOPBACK.iter().filter_map(|text| network(text)));
        }
        Some(Self {
            dns_servers: dns_servers?,
            connection_networks,
        })
    }
}

fn dns_server(text: &str) -> Option<SocketAddr> {
    let with_port = text.parse::<SocketAddr>().ok();
    let address = with_port.or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, DNS_PORT)))?;
    (address.port() != 0).then_some(address)
}

/// A network, and not an address in one: what was meant for one machine would let connections reach all of it.
fn network(text: &str) -> Option<IpNetwork> {
    let network: IpNetwork = text.parse().ok()?;
    (text.contains('/') && network.ip() == network.network()).then_some(network)
}
