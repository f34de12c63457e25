#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use secrecy::SecretString;
use tenantry_domain::environment::Timestamp;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use super::{
    InvalidSettings, Language, Letter, Mail, Mailer, Outbox, Recipient, Refusal, SendError, SmtpSettings, Trouble,
};

fn now() -> Timestamp {
    Timestamp::from_timestamp_millis(1_769_851_800_123).unwrap()
}

fn mail() -> Mail {
    let to = Recipient {
        name: "Ann".to_owned(),
        address: "ann@example.org".to_owned(),
    };
    let letter = Letter::example("verify_email", "https://app.example.com").unwrap();
    letter.write(Uuid::from_u128(7), to, Language::English).unwrap()
}

fn settings(url: &str) -> SmtpSettings {
    SmtpSettings {
        url: SecretString::from(url),
        from: "Tenantry <no-reply@example.com>".to_owned(),
    }
}

fn outbox() -> Arc<Outbox> {
    Arc::new(Outbox::new(|_| {}))
}

/// A mail server that answers each RCPT with the given line, and counts what happens.
struct FakeServer {
    url: String,
    connections: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
}

impl FakeServer {
    async fn start(recipient_answer: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, taken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (connected, took) = (Arc::clone(&connections), Arc::clone(&taken));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connected.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, recipient_answer, Arc::clone(&took)));
            }
        });
        Self {
            url: format!("smtp://127.0.0.1:{port}?tls=none"),
            connections,
            taken,
        }
    }
}

async fn serve(stream: TcpStream, recipient_answer: &str, taken: Arc<AtomicUsize>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut in_message = false;
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = if in_message {
            if line != "." {
                continue;
            }
            in_message = false;
            taken.fetch_add(1, Ordering::SeqCst);
            "250 taken"
        } else if line.starts_with("RCPT") {
            recipient_answer
        } else if line == "DATA" {
            in_message = true;
            "354 go on"
        } else {
            "250 fine"
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn without_a_way_nothing_is_sent() {
    let mailer = Mailer::none();
    assert_eq!(mailer.send(&mail(), now()).await, Err(SendError::NotConfigured));
    assert!(mailer.outbox().is_none());
}

#[tokio::test]
async fn an_outbox_alone_keeps_mails() {
    let mailer = Mailer::new(None, Some(outbox())).unwrap();
    mailer.clone().send(&mail(), now()).await.unwrap();
    let mails = mailer.outbox().unwrap().mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "ann@example.org");
    assert_eq!(mails[0].sent_at, now());
}

#[tokio::test]
async fn a_server_gets_mails_over_one_connection_and_the_outbox_after_it() {
    let server = FakeServer::start("250 fine").await;
    let mailer = Mailer::new(Some(&settings(&server.url)), Some(outbox())).unwrap();
    for sent in 1..=3 {
        mailer.send(&mail(), now()).await.unwrap();
        assert_eq!(server.taken.load(Ordering::SeqCst), sent);
        assert_eq!(mailer.outbox().unwrap().mails().len(), sent);
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_decides_whether_to_try_again() {
    for (answer, error) in [
        (
            "550 <ann@example.org>: no such user",
            SendError::Refused(Refusal::Answer(550)),
        ),
        (
            "451 <ann@example.org>: later",
            SendError::Temporary(Trouble::Answer(451)),
        ),
    ] {
        let server = FakeServer::start(answer).await;
        let mailer = Mailer::new(Some(&settings(&server.url)), Some(outbox())).unwrap();
        let failure = mailer.send(&mail(), now()).await.unwrap_err();
        assert_eq!(failure, error);
        assert_eq!(
            failure.to_string(),
            format!("the mail server answered {}", &answer[..3])
        );
        assert!(!format!("{failure:?}").contains("ann"), "{failure:?}");
        assert!(mailer.outbox().unwrap().mails().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("smtp://user:hunter2@127.0.0.1:{port}?tls=none");
    let mailer = Mailer::new(Some(&settings(&url)), None).unwrap();
    let failure = mailer.send(&mail(), now()).await.unwrap_err();
    assert_eq!(failure, SendError::Temporary(Trouble::Connection));
    assert!(!format!("{failure} {failure:?} {mailer:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let server = FakeServer::start("250 fine").await;
    let mailer = Mailer::new(Some(&settings(&server.url)), None).unwrap();
    let mut mail = mail();
    mail.to.address = "nobody".to_owned();
    let failure = mailer.send(&mail, now()).await.unwrap_err();
    assert_eq!(failure, SendError::Refused(Refusal::Address));
    assert!(!failure.to_string().contains("nobody"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn settings_are_checked_and_never_repeated() {
    let failure = Mailer::new(Some(&settings("smtp://user:hunter2@")), None).unwrap_err();
    assert_eq!(failure, InvalidSettings::Url);
    assert!(!format!("{failure} {failure:?}").contains("hunter2"));
    let settings = SmtpSettings {
        from: "nobody".to_owned(),
        ..settings("smtp://user:hunter2@localhost?tls=none")
    };
    assert_eq!(Mailer::new(Some(&settings), None).unwrap_err(), InvalidSettings::From);
    assert!(!format!("{settings:?}").contains("hunter2"));
}
