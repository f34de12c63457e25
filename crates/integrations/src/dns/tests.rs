use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use hickory_server::{
    Server,
    net::{runtime::Time, xfer::Protocol},
    proto::{
        op::{Header, HeaderCounts, Metadata, ResponseCode},
        rr::{RData, Record, RecordType, rdata::TXT},
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};
use tokio::net::{TcpListener, UdpSocket};

use super::{Dns, DnsError, Patience};

/// What a server says to whoever asks it.
#[derive(Debug, Clone)]
enum Says {
    /// These records, each of its strings.
    Records(Vec<Vec<Vec<u8>>>),
    /// A code and nothing else.
    Code(ResponseCode),
    Nothing,
}

#[derive(Debug, Default)]
struct State {
    says: Option<Says>,
    /// Over what, and for which name it was asked.
    asked: Vec<(Protocol, String)>,
}

#[derive(Debug, Clone, Default)]
struct Zone(Arc<Mutex<State>>);

impl Zone {
    fn say(&self, says: Says) {
        self.0.lock().unwrap().says = Some(says);
    }

    /// One record of one string each.
    fn say_texts(&self, texts: &[&str]) {
        let records = texts.iter().map(|text| vec![text.as_bytes().to_vec()]).collect();
        self.say(Says::Records(records));
    }

    /// Over what, and for which name it was asked; whoever waits a moment too long asks the same again.
    fn asked(&self) -> Vec<(Protocol, String)> {
        let mut asked = self.0.lock().unwrap().asked.clone();
        asked.dedup();
        asked
    }
}

#[async_trait::async_trait]
impl RequestHandler for Zone {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut handle: R) -> ResponseInfo {
        let info = request.request_info().unwrap();
        assert_eq!(info.query.query_type(), RecordType::TXT);
        let says = {
            let mut state = self.0.lock().unwrap();
            state.asked.push((info.protocol, info.query.name().to_string()));
            state.says.clone().unwrap_or(Says::Nothing)
        };
        let mut metadata = Metadata::response_from_request(info.metadata);
        let name = info.query.original().name();
        let records = match says {
            Says::Nothing => {
                return ResponseInfo::from(Header {
                    metadata,
                    counts: HeaderCounts::default(),
                });
            }
            Says::Code(code) => {
                metadata.response_code = code;
                Vec::new()
            }
            Says::Records(records) => records,
        };
        let records: Vec<Record> = records
            .iter()
            .map(|strings| TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
            // Whoever keeps answers would keep this one for a day.
            .map(|text| Record::from_rdata(name.clone(), 86_400, RData::TXT(text)))
            .collect();
        let answer = MessageResponseBuilder::from_message_request(request).build(metadata, &records, [], [], []);
        handle.send_response(answer).await.unwrap()
    }
}

/// A server that serves until it is dropped, and who asks it.
struct Running {
    zone: Zone,
    address: SocketAddr,
    dns: Dns,
    _server: Server<Zone>,
}

async fn start() -> Running {
    let (udp, tcp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The port may be taken over UDP.
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = tcp.local_addr().unwrap();
    let zone = Zone::default();
    let mut server = Server::new(zone.clone());
    server.register_socket(udp);
    server.register_listener(tcp, Duration::from_secs(5), 16);
    Running {
        zone,
        address,
        dns: Dns::new(&[address]),
        _server: server,
    }
}

#[tokio::test]
async fn the_strings_of_a_record_are_joined() {
    let Running { zone, dns, _server, .. } = start().await;
    let strings = |strings: &[&[u8]]| strings.iter().map(|string| string.to_vec()).collect::<Vec<_>>();
    zone.say(Says::Records(vec![
        strings(&[b"tenantry-domain-", b"verification=abc"]),
        strings(&[b""]),
        strings(&[b"no \xff text"]),
    ]));
    let texts = dns.text_records("_tenantry.example.com").await.unwrap();
    assert_eq!(texts, ["tenantry-domain-verification=abc", "", "no \u{fffd} text"]);
}

#[tokio::test]
async fn a_name_is_asked_for_as_it_is() {
    let Running { zone, dns, _server, .. } = start().await;
    zone.say(Says::Code(ResponseCode::NXDomain));
    for name in ["_tenantry.example.com", "example", "_tenantry.example.com."] {
        dns.text_records(name).await.unwrap();
    }
    let asked: Vec<String> = zone.asked().into_iter().map(|(_, name)| name).collect();
    // Nothing of the system's search list comes after it.
    assert_eq!(asked, ["_tenantry.example.com.", "example.", "_tenantry.example.com."]);
    for name in ["a..example", &"a".repeat(64), &"a.".repeat(128)] {
        let error = dns.text_records(name).await.unwrap_err();
        assert!(matches!(error, DnsError::NoName), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn no_such_name_and_no_record_are_no_texts() {
    let Running { zone, dns, _server, .. } = start().await;
    for code in [ResponseCode::NXDomain, ResponseCode::NoError] {
        zone.say(Says::Code(code));
        let texts = dns.text_records("_tenantry.example.com").await.unwrap();
        assert_eq!(texts, Vec::<String>::new(), "{code}");
    }
}

#[tokio::test]
async fn what_changed_is_seen_at_once() {
    let Running { zone, dns, _server, .. } = start().await;
    zone.say(Says::Code(ResponseCode::NXDomain));
    assert!(dns.text_records("_tenantry.example.com").await.unwrap().is_empty());
    zone.say_texts(&["first"]);
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), ["first"]);
    zone.say_texts(&["second"]);
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), ["second"]);
    zone.say(Says::Code(ResponseCode::NXDomain));
    assert!(dns.text_records("_tenantry.example.com").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_long_answer_comes_over_tcp_and_counts_within_limits() {
    let Running { zone, dns, _server, .. } = start().await;
    let texts: Vec<String> = (0..60).map(|number| format!("{number}{}", "x".repeat(100))).collect();
    zone.say_texts(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), texts[..50]);
    let over: Vec<Protocol> = zone.asked().into_iter().map(|(protocol, _)| protocol).collect();
    assert_eq!(over, [Protocol::Udp, Protocol::Tcp]);

    let of = |last: usize| vec![vec![b'x'; 250], vec![b'x'; 250], vec![b'x'; 250], vec![b'x'; last]];
    zone.say(Says::Records(vec![of(250), of(251), vec![b"short".to_vec()]]));
    let texts = dns.text_records("_tenantry.example.com").await.unwrap();
    assert_eq!(texts, ["x".repeat(1000), "short".to_owned()]);
}

#[tokio::test]
async fn who_fails_has_not_said_that_there_is_nothing() {
    let Running { zone, dns, _server, .. } = start().await;
    for code in [ResponseCode::ServFail, ResponseCode::Refused, ResponseCode::NotImp] {
        zone.say(Says::Code(code));
        let error = dns.text_records("_tenantry.example.com").await.unwrap_err();
        assert!(matches!(error, DnsError::Unusable), "{code}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("example"), "{error:?}");
    }
}

#[tokio::test]
async fn silence_ends_by_itself() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
    for (attempt, whole) in [(short, long), (long, short)] {
        let patience = Patience { attempt, whole };
        let dns = Dns::with_patience(&[silent.local_addr().unwrap()], patience);
        let error = dns.text_records("_tenantry.example.com").await.unwrap_err();
        assert!(matches!(error, DnsError::Silent), "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_server_keeps_nobody_from_the_other() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let running = start().await;
    running.zone.say_texts(&["found"]);
    let dns = Dns::new(&[silent.local_addr().unwrap(), running.address]);
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), ["found"]);
}
