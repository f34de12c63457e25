//! A DNS server that tests fill: it is asked over UDP and TCP at the same address, and knows the text records that it was given.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hickory_server::{
    Server,
    net::runtime::Time,
    proto::{
        op::{Header, HeaderCounts, Metadata, ResponseCode},
        rr::{RData, Record, RecordType, rdata::TXT},
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};
use tokio::net::{TcpListener, UdpSocket};

/// How long whoever asks may keep an answer, in seconds: whoever does has what changed too late.
const LIFE: u32 = 3600;

/// The most bytes of one string of a record (RFC 1035, section 3.3).
const MAX_STRING: usize = 255;

/// How long a connection may be idle, and the answers that wait in one.
const IDLE: Duration = Duration::from_secs(5);
const WAITING: usize = 16;

/// How it takes questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Answers,
    Silent,
    Refuses,
}

#[derive(Debug, Default)]
struct State {
    /// The texts of names, which are in lower case and end with a dot.
    texts: BTreeMap<String, Vec<String>>,
    mood: Mood,
    asked: usize,
}

/// What it answers.
#[derive(Debug, Clone, Default)]
struct Zone(Arc<Mutex<State>>);

impl Zone {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test failed while it wrote here")
    }
}

/// A DNS server that serves until it is dropped.
pub struct DnsServer {
    address: SocketAddr,
    zone: Zone,
    _server: Server<Zone>,
}

impl DnsServer {
    /// One that knows no name yet.
    pub async fn start() -> Self {
        let (tcp, udp) = sockets().await;
        let address = tcp.local_addr().expect("an address");
        let zone = Zone::default();
        let mut server = Server::new(zone.clone());
        server.register_socket(udp);
        server.register_listener(tcp, IDLE, WAITING);
        Self {
            address,
            zone,
            _server: server,
        }
    }

    /// Where it is asked.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives a name these text records, and no other.
    pub fn set_text(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().copied().map(str::to_owned).collect();
        self.zone.state().texts.insert(absolute(name), texts);
    }

    /// Forgets a name: there is none from now on.
    pub fn clear(&self, name: &str) {
        self.zone.state().texts.remove(&absolute(name));
    }

    /// Never answers from now on.
    pub fn answer_nothing(&self) {
        self.zone.state().mood = Mood::Silent;
    }

    /// Answers from now on that it failed.
    pub fn refuse(&self) {
        self.zone.state().mood = Mood::Refuses;
    }

    /// Answers again.
    pub fn recover(&self) {
        self.zone.state().mood = Mood::Answers;
    }

    /// How often it was asked, those times included that it did not answer. A question that waits for long is repeated.
    #[must_use]
    pub fn times_asked(&self) -> usize {
        self.zone.state().asked
    }
}

/// Two sockets with the same free port.
async fn sockets() -> (TcpListener, UdpSocket) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        // Somebody else may have it over UDP.
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().expect("an address")).await {
            return (tcp, udp);
        }
    }
}

/// A name as it is stored.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

#[async_trait::async_trait]
impl RequestHandler for Zone {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut handle: R) -> ResponseInfo {
        let info = request.request_info().expect("one question");
        let mut metadata = Metadata::response_from_request(info.metadata);
        let (mood, texts) = {
            let mut state = self.state();
            state.asked += 1;
            // As it was asked for: written for people, it would be in other letters.
            let name = absolute(&info.query.name().to_ascii());
            (state.mood, state.texts.get(&name).cloned())
        };
        let texts = match (mood, texts) {
            (Mood::Silent, _) => {
                let counts = HeaderCounts::default();
                return ResponseInfo::from(Header { metadata, counts });
            }
            (Mood::Refuses, _) => {
                metadata.response_code = ResponseCode::ServFail;
                Vec::new()
            }
            (Mood::Answers, None) => {
                metadata.response_code = ResponseCode::NXDomain;
                Vec::new()
            }
            (Mood::Answers, Some(texts)) if info.query.query_type() == RecordType::TXT => texts,
            (Mood::Answers, Some(_)) => Vec::new(),
        };
        let name = info.query.original().name();
        let records: Vec<Record> = texts
            .iter()
            .map(|text| Record::from_rdata(name.clone(), LIFE, RData::TXT(record(text))))
            .collect();
        let response = MessageResponseBuilder::from_message_request(request).build(metadata, &records, [], [], []);
        let sent = handle.send_response(response).await;
        // Who asks may be gone.
        sent.unwrap_or_else(|_| {
            let counts = HeaderCounts::default();
            ResponseInfo::from(Header { metadata, counts })
        })
    }
}

/// A text in as many strings as it takes.
fn record(text: &str) -> TXT {
    let strings: Vec<&[u8]> = text.as_bytes().chunks(MAX_STRING).collect();
    // There is always one, though it be empty.
    TXT::from_bytes(if strings.is_empty() { vec![b""] } else { strings })
}

#[cfg(test)]
mod tests;
