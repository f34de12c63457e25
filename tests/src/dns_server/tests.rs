//! A server that tests believe is tested itself, by the client that the application has.

use tenantry_integrations::dns::Dns;

use super::DnsServer;

#[tokio::test]
async fn it_answers_what_it_was_told() {
    let server = DnsServer::start().await;
    let dns = Dns::new(&[server.address()]);
    let none: [&str; 0] = [];
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), none);
    // Longer than a string of a record, and all of it longer than what goes over UDP.
    let long = "x".repeat(900);
    server.set_text("_tenantry.Example.com", &["one", "", &long, &long]);
    let texts = dns.text_records("_tenantry.example.COM").await.unwrap();
    assert_eq!(texts, ["one", "", &long, &long]);
    server.set_text("_tenantry.example.com.", &[]);
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), none);
    server.set_text("_tenantry.example.com", &["two"]);
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), ["two"]);
    assert_eq!(dns.text_records("example.com").await.unwrap(), none);
    server.clear("_tenantry.example.com");
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), none);
}

/// Those are other names, as the DNS knows them.
#[tokio::test]
async fn it_knows_names_in_other_letters() {
    let server = DnsServer::start().await;
    let dns = Dns::new(&[server.address()]);
    server.set_text("_tenantry.xn--bcher-kva.example", &["one"]);
    let texts = dns.text_records("_tenantry.xn--bcher-kva.example").await.unwrap();
    assert_eq!(texts, ["one"]);
    assert_eq!(server.times_asked(), 1);
}

#[tokio::test]
async fn it_fails_where_it_is_told_to() {
    let server = DnsServer::start().await;
    let dns = Dns::new(&[server.address()]);
    server.set_text("_tenantry.example.com", &["one"]);
    server.refuse();
    dns.text_records("_tenantry.example.com").await.unwrap_err();
    let asked = server.times_asked();
    assert!(asked > 0);
    server.recover();
    assert_eq!(dns.text_records("_tenantry.example.com").await.unwrap(), ["one"]);
    assert!(server.times_asked() > asked);
}

#[tokio::test]
async fn it_is_silent_where_it_is_told_to() {
    let server = DnsServer::start().await;
    let dns = Dns::new(&[server.address()]);
    server.set_text("_tenantry.example.com", &["one"]);
    server.answer_nothing();
    let mut asking = std::pin::pin!(dns.text_records("_tenantry.example.com"));
    // It has heard the question, and nobody has an answer.
    while server.times_asked() == 0 {
        tokio::select! {
            biased;
            answer = &mut asking => panic!("there is an answer: {answer:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    server.recover();
    // The question is repeated before long.
    assert_eq!(asking.await.unwrap(), ["one"]);
}
