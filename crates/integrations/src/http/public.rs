//! The public internet, as the registries of IANA for special purposes delimit it (RFC 6890), and the networks beside it that are
//! allowed.
//!
//! A network that is set aside one day is a line in a table here.

use std::{
    error::Error,
    iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnetwork::IpNetwork;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::dns::Dns;

/// The IPv4 networks that are not the public internet, each as its first address and the bits that its addresses have in common.
const SET_ASIDE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by customers of a provider
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // this machine
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // this link, where clouds tell machines their credentials
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // of protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // in documents
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays to IPv6
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // in documents
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // in documents
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// All of IPv6 that is public, but for the next ones: neither this machine nor this link is in it, nor what is private, multicast
/// or translated to IPv4.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is set aside of that, as above.
const SET_ASIDE_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // of protocols, tunnels through IPv4 among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // in documents
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // whatever IPv4 is wrapped in it
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // in documents
];

/// Whoever was asked for is not where may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not on the public internet, nor in a network that is allowed")]
pub struct Refused;

impl Refused {
    /// Whether an error came of it.
    pub(super) fn is_behind(error: &(dyn Error + 'static)) -> bool {
        iter::successors(Some(error), |error| (*error).source()).any(|error| error.is::<Self>())
    }
}

/// The public internet with the networks that are allowed besides.
#[derive(Debug, Clone)]
pub(super) struct Public {
    allowed: Vec<IpNetwork>,
    /// What names are resolved by: the system would take a thread for each, and keep it when nobody waits any longer.
    dns: Arc<Dns>,
}

impl Public {
    pub(super) fn new(allowed: Vec<IpNetwork>, dns: Dns) -> Self {
        Self {
            allowed,
            dns: Arc::new(dns),
        }
    }

    /// Refuses a URL with an address for its host, which nobody resolves, where it is none of these.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.reaches(address) { Ok(()) } else { Err(Refused) }
    }

    fn reaches(&self, address: IpAddr) -> bool {
        // An IPv4 address that is written as an IPv6 one leads to where it leads without that.
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }
}

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let public = self.clone();
        Box::pin(async move {
            let resolved = public.dns.addresses(name.as_str()).await?.into_iter();
            let reached: Vec<SocketAddr> = resolved
                .filter(|address| public.reaches(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if reached.is_empty() {
                return Err(Refused.into());
            }
            let reached: Addrs = Box::new(reached.into_iter());
            Ok(reached)
        })
    }
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SET_ASIDE_V4.iter().any(|network| is_in_v4(address, *network)),
        IpAddr::V6(address) => {
            is_in_v6(address, GLOBAL_V6) && !SET_ASIDE_V6.iter().any(|network| is_in_v6(address, *network))
        }
    }
}

fn is_in_v4(address: Ipv4Addr, (network, bits): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
}

fn is_in_v6(address: Ipv6Addr, (network, bits): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
}

#[cfg(test)]
mod tests;
