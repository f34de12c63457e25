//! What domains cost, and to find out how somebody signs in.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_tests::{app::Options, client::text, dns_server::DnsServer, scene::Scene};

use super::statements_of;

/// The most round trips of these operations, the caller's session in a warm cache and no pooler in between. What the DNS is asked is
/// no round trip.
const OF_DOMAINS: [(&str, usize); 6] = [
    ("addDomain", 9),
    ("listDomains", 3),
    ("verifyDomain", 11),
    ("getDomain", 2),
    ("discoverSignIn", 3),
    ("removeDomain", 13),
];

/// The same options, of an application that asks this DNS server.
pub(super) fn asking(dns: &DnsServer, options: Options) -> Options {
    Options {
        dns_servers: vec![dns.address()],
        ..options
    }
}

/// The statements of the operations on domains, by name, with one of the organization's that comes and goes.
pub(super) async fn domains_of(scene: &Scene, dns: &DnsServer, number: u32) -> Vec<(&'static str, Vec<String>)> {
    let owner = scene.client();
    let domains = scene.path("/domains");
    let wanted = json!({ "domain": "acme.example" });
    let added = statements_of(owner, number, Method::POST, &domains, Some(&wanted)).await;
    let listed = statements_of(owner, number + 1, Method::GET, &domains, None).await;

    let domain = owner.get(&domains).await.expect(StatusCode::OK).data()[0].clone();
    let record = &domain["record"];
    dns.set_text(&text(&record["name"]), &[&text(&record["value"])]);
    let path = format!("{domains}/{}", text(&domain["id"]));
    let verify = format!("{path}/verify");
    let verified = statements_of(owner, number + 2, Method::POST, &verify, None).await;

    // What was looked up of the owner is looked up anew, once.
    owner.get(&path).await.expect(StatusCode::OK);
    let shown = statements_of(owner, number + 3, Method::GET, &path, None).await;
    let asked = json!({ "email": "somebody@acme.example" });
    let discover = "/api/v1/auth/discover";
    let discovered = statements_of(&owner.anonymous(), number + 4, Method::POST, discover, Some(&asked)).await;
    let removed = statements_of(owner, number + 5, Method::DELETE, &path, None).await;
    vec![
        ("addDomain", added),
        ("listDomains", listed),
        ("verifyDomain", verified),
        ("getDomain", shown),
        ("discoverSignIn", discovered),
        ("removeDomain", removed),
    ]
}

#[tokio::test]
async fn domains_cost_as_much_as_they_are_said_to_at_most() {
    let dns = DnsServer::start().await;
    let scene = Scene::with(asking(&dns, Options::default())).await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    for ((name, statements), (said, most)) in domains_of(&scene, &dns, 0xf201).await.into_iter().zip(OF_DOMAINS) {
        assert_eq!(name, said);
        assert!(statements.len() <= most, "{name}: {statements:#?}");
        let events = statements.iter().filter(|statement| statement.contains("events"));
        let writes = ["addDomain", "verifyDomain", "removeDomain"].contains(&name);
        assert_eq!(events.count(), usize::from(writes), "{name}: {statements:#?}");
    }
}
