use std::net::SocketAddr;

use http::{Request, StatusCode};
use ipnetwork::IpNetwork;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use super::{HttpClient, HttpError};
use crate::dns::Dns;

/// Answers every request of one connection after the other, and tells how many there were.
async fn listener() -> (SocketAddr, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut connections = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections += 1;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
            stream.write_all(answer.as_bytes()).await.unwrap();
            if request.starts_with(b"GET /last ") {
                return connections;
            }
        }
    });
    (address, serving)
}

async fn ask(client: &HttpClient, url: String) -> Result<StatusCode, HttpError> {
    let answer = client.send(Request::get(url).body(Vec::new()).unwrap()).await?;
    assert_eq!(answer.body(), b"hi");
    Ok(answer.status())
}

fn networks(texts: &[&str]) -> Vec<IpNetwork> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn this_machine_is_not_the_public_internet() {
    let (address, serving) = listener().await;
    let port = address.port();
    for client in [
        HttpClient::to_public(Vec::new(), Dns::new(&[])),
        HttpClient::to_public(networks(&["10.0.0.0/8", "127.0.0.2/32"]), Dns::new(&[])),
    ] {
        for host in [
            "127.0.0.1",
            "localhost",
            "127.1",
            "[::ffff:127.0.0.1]",
            "[::1]",
            "0.0.0.0",
        ] {
            let refused = ask(&client, format!("http://{host}:{port}/")).await.unwrap_err();
            assert!(matches!(refused, HttpError::NotPublic(_)), "{host}: {refused:?}");
        }
    }
    // Nobody connected before this one.
    let all = HttpClient::new();
    ask(&all, format!("http://127.0.0.1:{port}/last")).await.unwrap();
    assert_eq!(serving.await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_reached_where_it_is_allowed() {
    let (address, serving) = listener().await;
    let port = address.port();
    let client = HttpClient::to_public(networks(&["127.0.0.0/8"]), Dns::new(&[]));
    for host in ["127.0.0.1", "127.1", "localhost"] {
        let status = ask(&client, format!("http://{host}:{port}/")).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{host}");
    }
    ask(&client, format!("http://localhost:{port}/last")).await.unwrap();
    assert_eq!(serving.await.unwrap(), 4);
}

#[tokio::test]
async fn nobody_at_home_is_something_else_than_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = HttpClient::to_public(networks(&["127.0.0.0/8"]), Dns::new(&[]));
    let away = ask(&client, format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(away, HttpError::Transport(_)), "{away:?}");
}
