//! HTTP over a bare socket, for what a polite client would not send.

use std::{net::SocketAddr, time::Duration};

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::client::Answer;

/// How long an answer may take; a server that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection on which any bytes can be sent.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    /// Connects to a server.
    pub async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.expect("a connection"),
            read: Vec::new(),
        }
    }

    /// Sends bytes; `false` where the server has closed the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        timeout(PATIENCE, self.stream.write_all(bytes.as_ref()))
            .await
            .expect("a server that takes bytes or closes")
            .is_ok()
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub async fn finish_sending(&mut self) {
        // A server that has closed already needs not be told.
        let _ = self.stream.shutdown().await;
    }

    /// Sends `chunk` again and again until an answer comes, and gives it with the bytes that were sent by then.
    pub async fn flood(&mut self, chunk: &[u8], most: usize) -> (Option<Answer>, usize) {
        let mut sent = 0;
        let mut buffer = [0; 4096];
        while sent < most {
            let (mut receiver, mut sender) = self.stream.split();
            let read = tokio::select! {
                biased;
                read = receiver.read(&mut buffer) => read,
                written = timeout(PATIENCE, sender.write_all(chunk)) => {
                    match written.expect("a server that takes bytes or answers") {
                        Ok(()) => sent += chunk.len(),
                        Err(_) => break,
                    }
                    continue;
                }
            };
            match read {
                Ok(count) if count > 0 => self.read.extend_from_slice(&buffer[..count]),
                _ => break,
            }
            if find(&self.read, b"\r\n\r\n").is_some() {
                break;
            }
        }
        (self.answer().await, sent)
    }

    /// The next answer; `None` where the connection ended without one.
    pub async fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more().await {
                assert!(
                    self.read.is_empty(),
                    "half a head: {:?}",
                    String::from_utf8_lossy(&self.read)
                );
                return None;
            }
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status line");
        let status = StatusCode::from_bytes(status.as_bytes()).expect("a status");
        let headers: HeaderMap = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").expect("a header");
                let name: HeaderName = name.parse().expect("a header's name");
                (name, HeaderValue::from_str(value).expect("a header's value"))
            })
            .collect();
        let length = headers.get("content-length").map_or(0, |length| {
            length
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .expect("a length")
        });
        while self.read.len() < length {
            assert!(self.more().await, "half a body");
        }
        let body: Vec<u8> = self.read.drain(..length).collect();
        let text = String::from_utf8(body).expect("a body in UTF-8");
        Some(Answer { status, headers, text })
    }

    /// Whether the server closes the connection, with nothing more said.
    pub async fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        match read.expect("an answer in time") {
            Ok(count) if count > 0 => {
                self.read.extend_from_slice(&buffer[..count]);
                true
            }
            _ => false,
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
