use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use url::Url;

use crate::dns::Dns;

use super::{Public, SET_ASIDE_V4, SET_ASIDE_V6, is_public};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The first and the last address of each network that is set aside, and its neighbours where those are public.
const BOUNDARIES: [(&str, &str, Option<&str>, Option<&str>); 23] = [
    ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
    ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
    (
        "100.64.0.0",
        "100.127.255.255",
        Some("100.63.255.255"),
        Some("100.128.0.0"),
    ),
    (
        "127.0.0.0",
        "127.255.255.255",
        Some("126.255.255.255"),
        Some("128.0.0.0"),
    ),
    (
        "169.254.0.0",
        "169.254.255.255",
        Some("169.253.255.255"),
        Some("169.255.0.0"),
    ),
    (
        "172.16.0.0",
        "172.31.255.255",
        Some("172.15.255.255"),
        Some("172.32.0.0"),
    ),
    ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
    ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
    (
        "192.88.99.0",
        "192.88.99.255",
        Some("192.88.98.255"),
        Some("192.88.100.0"),
    ),
    (
        "192.168.0.0",
        "192.168.255.255",
        Some("192.167.255.255"),
        Some("192.169.0.0"),
    ),
    (
        "198.18.0.0",
        "198.19.255.255",
        Some("198.17.255.255"),
        Some("198.20.0.0"),
    ),
    (
        "198.51.100.0",
        "198.51.100.255",
        Some("198.51.99.255"),
        Some("198.51.101.0"),
    ),
    (
        "203.0.113.0",
        "203.0.113.255",
        Some("203.0.112.255"),
        Some("203.0.114.0"),
    ),
    ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
    ("240.0.0.0", "255.255.255.255", None, None),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, Some("2000::")),
    (
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("2001:200::"),
    ),
    (
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("2001:db9::"),
    ),
    (
        "2002::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("2003::"),
    ),
    (
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Some("3fff:1000::"),
    ),
    (
        "4000::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        Some("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        None,
    ),
    ("64:ff9b::", "64:ff9b::ffff:ffff", None, None),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
];

#[test]
fn each_network_that_is_set_aside_ends_where_it_ends() {
    let tables = SET_ASIDE_V4.len() + SET_ASIDE_V6.len();
    assert!(BOUNDARIES.len() >= tables, "this test leaves one of them out");
    for (first, last, before, after) in BOUNDARIES {
        for inside in [first, last] {
            assert!(!is_public(address(inside)), "{inside}");
        }
        for outside in [before, after].into_iter().flatten() {
            assert!(is_public(address(outside)), "{outside}");
        }
    }
}

#[test]
fn what_machines_are_told_secrets_by_is_not_public() {
    for inside in [
        "127.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "255.255.255.255",
        "::1",
        "::",
        "::7f00:1",
        "fd00:ec2::254",
        "fe80::a9fe:a9fe",
        "ff02::1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2001::7f00:1",
        "2002:7f00:1::",
    ] {
        assert!(!is_public(address(inside)), "{inside}");
    }
    for outside in [
        "1.1.1.1",
        "93.184.215.14",
        "2606:4700:4700::1111",
        "2a00:1450:4001:81c::200e",
    ] {
        assert!(is_public(address(outside)), "{outside}");
    }
}

#[test]
fn an_address_in_another_spelling_is_the_same_one() {
    let public = Public::new(Vec::new(), Dns::new(&[]));
    for (host, reached) in [
        ("93.184.215.14", true),
        ("[::ffff:93.184.215.14]", true),
        ("[2606:4700:4700::1111]", true),
        ("127.0.0.1", false),
        ("127.1", false),
        ("2130706433", false),
        ("0x7f.0.0.1", false),
        ("0177.0.0.1", false),
        ("127.0.0.1.", false),
        ("[::ffff:127.0.0.1]", false),
        ("[::ffff:a00:1]", false),
        ("[::127.0.0.1]", false),
        ("[::1]", false),
        ("user@10.0.0.1:443", false),
    ] {
        let url: Url = format!("https://{host}/").parse().unwrap();
        assert_eq!(public.check(&url).is_ok(), reached, "{host}");
    }
}

#[test]
fn what_is_allowed_is_reached_and_no_more() {
    let networks = ["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32"];
    let public = Public::new(networks.map(|network| network.parse().unwrap()).into(), Dns::new(&[]));
    for reached in [
        "10.1.0.0",
        "10.1.255.255",
        "::ffff:10.1.2.3",
        "127.0.0.1",
        "fd00:1::1",
        "1.1.1.1",
    ] {
        assert!(public.reaches(address(reached)), "{reached}");
    }
    for refused in [
        "10.0.255.255",
        "10.2.0.0",
        "127.0.0.2",
        "::1",
        "fd00:2::",
        "fd00:0:ffff::1",
    ] {
        assert!(!public.reaches(address(refused)), "{refused}");
    }
}

proptest! {
    #[test]
    fn ipv4_is_judged_alike_however_it_is_written(bits in any::<u32>()) {
        let bare = Ipv4Addr::from_bits(bits);
        let public = Public::new(Vec::new(), Dns::new(&[]));
        prop_assert_eq!(public.reaches(bare.into()), public.reaches(bare.to_ipv6_mapped().into()));
        prop_assert!(!bare.is_private() || !is_public(bare.into()));
        prop_assert!(!bare.is_multicast() || !is_public(bare.into()));
    }

    #[test]
    fn ipv6_is_public_between_2000_and_3fff_alone(bits in any::<u128>()) {
        let address = Ipv6Addr::from_bits(bits);
        let first = address.segments()[0];
        prop_assert!(!is_public(address.into()) || (0x2000..=0x3fff).contains(&first));
    }
}
