//! Devices that a person signed in on before, and the networks that they were in: what is new is told to them.

use std::net::{IpAddr, Ipv6Addr};

use crate::sessions::{Device, device_name};

/// The most devices of a person that are kept in mind.
pub const MAX_KNOWN_DEVICES: u64 = 50;

/// The most characters of what a device names itself, where that is no browser we know.
const MAX_NAMED: usize = 100;

/// By what a device is known again: not by its version, nor by an address that changes from day to day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// What it names itself; empty where it does not.
    pub device: String,
    /// The network that it is in, about one provider in one region; empty where its address is not known.
    pub network: String,
}

impl From<&Device> for KnownDevice {
    fn from(device: &Device) -> Self {
        Self {
            device: name(device).unwrap_or_default(),
            network: device.ip.map(network).unwrap_or_default(),
        }
    }
}

/// What a device is called, for people.
#[must_use]
pub fn name(device: &Device) -> Option<String> {
    let agent = device.user_agent.as_deref()?;
    let product = || {
        // RFC 9110, section 10.1.5: `product/version (comment)`.
        let product = agent.split(['/', ' ', '(']).next()?;
        let named: String = product.chars().take(MAX_NAMED).collect();
        (!named.is_empty()).then_some(named)
    };
    device_name(agent).or_else(product)
}

/// The first 16 bits of an address, of IPv6 the first 32: about what one provider has in one region.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            format!("{first}.{second}.0.0/16")
        }
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            format!("{}/32", Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KnownDevice;
    use crate::sessions::Device;

    fn known(agent: Option<&str>, ip: Option<&str>) -> (String, String) {
        let device = Device {
            ip: ip.and_then(|ip| ip.parse().ok()),
            user_agent: agent.map(str::to_owned),
        };
        let KnownDevice { device, network } = KnownDevice::from(&device);
        (device, network)
    }

    #[test]
    fn a_device_is_known_by_its_name_without_its_version() {
        let firefox = |version: u32| {
            format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0")
        };
        assert_eq!(known(Some(&firefox(120)), None).0, "Firefox on Linux");
        assert_eq!(known(Some(&firefox(121)), None).0, "Firefox on Linux");
        assert_eq!(known(Some("deployer/1.2 (+https://example.com)"), None).0, "deployer");
        assert_eq!(known(Some(&"x".repeat(512)), None).0, "x".repeat(100));
        for nothing in [None, Some(""), Some("/1.0"), Some("(none)")] {
            assert_eq!(known(nothing, None).0, "", "{nothing:?}");
        }
    }

    #[test]
    fn a_network_is_that_of_a_provider_in_a_region() {
        for (ip, network) in [
            ("203.0.113.7", "203.0.0.0/16"),
            ("203.0.255.255", "203.0.0.0/16"),
            ("203.1.0.0", "203.1.0.0/16"),
            ("::ffff:203.0.113.7", "203.0.0.0/16"),
            ("2001:db8:ffff::1", "2001:db8::/32"),
            ("2001:db9::1", "2001:db9::/32"),
        ] {
            assert_eq!(known(None, Some(ip)).1, network, "{ip}");
        }
        assert_eq!(known(None, None).1, "");
    }
}
