//! HTTP as far as those speak it whom the server asks: one request and one answer in a connection, and answers that are none.

use std::{collections::BTreeMap, future};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use url::form_urlencoded;

/// The empty space before an answer that is too large, and at once that of an endless one.
const SPACE: usize = 1024 * 1024;

/// The most that is read of a request.
const LONGEST_REQUEST: usize = 64 * 1024;

/// A request, wholly read.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By their names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
    /// Whether a parameter comes more than once, which OAuth forbids (RFC 6749, section 3.1).
    pub(crate) repeats: bool,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The user and the password of basic authentication, each encoded as in a form (RFC 6749, section 2.3.1).
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let bytes = crate::passkey::decoded(&encoded.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        let pair = String::from_utf8(bytes).ok()?;
        let (user, password) = pair.split_once(':')?;
        Some((form_decoded(user), form_decoded(password)))
    }

    /// A bearer token.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("token "))
    }

    /// Whether it says that JSON is taken.
    pub(crate) fn takes_json(&self) -> bool {
        self.header("accept").is_some_and(|accept| accept.contains("json"))
    }
}

/// What one text of a form stands for.
fn form_decoded(text: &str) -> String {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A status, headers, and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The same, whose body goes on with empty space for as long as anybody reads it.
    Endless(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// None at all.
    Nothing,
    /// None either, and the connection ends.
    Closed,
}

/// What goes wrong where somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A status of its own and nothing that is asked for.
    Status(u16),
    /// What is asked for, after so much empty space that it is larger than 1 MiB.
    Huge,
    /// What is asked for, and then empty space without end.
    Endless,
    /// Nothing, however long one waits.
    Silent,
    /// Nobody: the connection ends.
    Away,
    /// Something else than JSON.
    Garbage,
    /// Another place to ask.
    Redirect,
}

impl Fault {
    /// What is answered instead of what is asked for, if it is something else; `elsewhere` is the other place.
    pub(crate) fn instead(self, elsewhere: &str) -> Option<Reply> {
        match self {
            Self::Status(status) => Some(Reply::text(status, "out of order")),
            Self::Silent => Some(Reply::Nothing),
            Self::Away => Some(Reply::Closed),
            Self::Garbage => Some(Reply::text(200, "<!doctype html><p>Welcome!</p>")),
            Self::Redirect => Some(Reply::redirect(307, elsewhere)),
            Self::Huge | Self::Endless => None,
        }
    }

    /// What becomes of what is asked for.
    pub(crate) fn spoiled(self, reply: Reply) -> Reply {
        match self {
            Self::Huge => reply.after_space(),
            Self::Endless => reply.without_end(),
            _ => reply,
        }
    }
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let kind = ("content-type", "application/json".to_owned());
        Self::Whole(status, vec![kind], body.to_string().into_bytes())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        let kind = ("content-type", "text/html".to_owned());
        Self::Whole(status, vec![kind], body.as_bytes().to_vec())
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::Whole(status, vec![("location", location.to_owned())], Vec::new())
    }

    /// The same after more than 1 MiB of space, which means nothing in JSON.
    fn after_space(self) -> Self {
        match self {
            Self::Whole(status, headers, body) => {
                let mut spaced = vec![b' '; SPACE + 1];
                spaced.extend(body);
                Self::Whole(status, headers, spaced)
            }
            other => other,
        }
    }

    /// The same with space after it that does not end.
    fn without_end(self) -> Self {
        match self {
            Self::Whole(status, headers, body) => Self::Endless(status, headers, body),
            other => other,
        }
    }
}

/// Answers whoever connects; ends when it is dropped, with all connections.
pub(crate) async fn serve<A>(listener: TcpListener, reply_to: A)
where
    A: Fn(&Request) -> Reply + Clone + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        connections.spawn(answer(stream, reply_to.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut stream: TcpStream, reply_to: impl Fn(&Request) -> Reply) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let (status, mut headers, body, ends) = match reply_to(&request) {
        Reply::Whole(status, headers, body) => (status, headers, body, true),
        Reply::Endless(status, headers, body) => (status, headers, body, false),
        Reply::Nothing => return future::pending().await,
        Reply::Closed => return,
    };
    if ends {
        headers.push(("content-length", body.len().to_string()));
    }
    headers.push(("connection", "close".to_owned()));
    let mut answer = format!("HTTP/1.1 {status} \r\n");
    for (name, value) in headers {
        answer += &format!("{name}: {value}\r\n");
    }
    answer += "\r\n";
    let mut bytes = answer.into_bytes();
    bytes.extend(body);
    // Who has heard enough may go; then there is nobody to tell.
    let mut listened_to = stream.write_all(&bytes).await.is_ok();
    let space = vec![b' '; SPACE];
    while listened_to && !ends {
        listened_to = stream.write_all(&space).await.is_ok();
    }
    // What is still to be read would have the answer thrown away.
    if listened_to && stream.shutdown().await.is_ok() {
        let mut rest = [0; 1024];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    }
}

/// A request; `None` where none comes, or it is none.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes: Vec<u8> = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        ..Request::default()
    };
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request
            .headers
            .insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = request.header("content-length").unwrap_or("0").parse().ok()?;
    while bytes.len() < head + 4 + length {
        more(stream, &mut bytes).await?;
    }
    let mut repeats = false;
    request.query = pairs(query.as_bytes(), &mut repeats);
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form {
        request.form = pairs(&bytes[head + 4..head + 4 + length], &mut repeats);
    }
    request.repeats = repeats;
    Some(request)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(bytes).await.ok()?;
    (read > 0 && bytes.len() <= LONGEST_REQUEST).then_some(())
}

fn pairs(encoded: &[u8], repeats: &mut bool) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(encoded) {
        *repeats |= pairs.insert(name.into_owned(), value.into_owned()).is_some();
    }
    pairs
}
