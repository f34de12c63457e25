//! How many round trips to the database a request costs: counted by its statements, since each is sent and waited for by
//! itself, BEGIN (with the settings that travel in it) and COMMIT among them; twice where it has to be prepared each time,
//! behind a pooler.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failing test should stop where it fails; the table is for whoever asks for it with --nocapture"
)]

mod domains;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry::configuration::Pooler;
use tenantry_tests::{
    app::PUBLIC_URL,
    client::{Client, text},
    database::pooler,
    dns_server::DnsServer,
    identity_provider::IdentityProvider,
    passkey::Authenticator,
    scene::Scene,
    statements,
};

use self::domains::{asking, domains_of};
use crate::world;

/// The most round trips of a project read by id, its tenant in a warm cache.
const READ_BY_ID: usize = 3;

/// The statements of one request.
async fn statements_of(client: &Client, number: u32, method: Method, path: &str, body: Option<&Value>) -> Vec<String> {
    let trace = format!("{number:032x}");
    let request = client
        .request(method, path)
        .header("traceparent", statements::traceparent(&trace));
    let answer = client.send(match body {
        Some(body) => request.json(body),
        None => request,
    });
    let answer = answer.await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    assert_eq!(answer.header("x-trace-id"), Some(trace.as_str()));
    statements::of_trace(&trace)
}

/// What is sent as one message is one round trip, and so is what was prepared before.
fn round_trips(statements: &[String]) -> usize {
    let by_itself = |statement: &str| {
        ["BEGIN", "SET LOCAL", "COMMIT"]
            .iter()
            .any(|word| statement.starts_with(word))
    };
    let prepared = statements.iter().filter(|statement| !by_itself(statement)).count();
    statements.len()
        + match pooler() {
            Pooler::None => 0,
            Pooler::Transaction => prepared,
        }
}

/// The most round trips of a page of projects by cursor, searched or not, its tenant in a warm cache and no pooler in between.
const LIST_BY_CURSOR: usize = 3;

const PASSKEYS: &str = "/api/v1/auth/passkeys";

/// The most round trips of the operations on passkeys, the caller's session in a warm cache and no pooler in between. The
/// first one brings recovery codes, and the last one takes them along.
const OF_PASSKEYS: [(&str, usize); 4] = [
    ("registerPasskey", 20),
    ("listPasskeys", 3),
    ("loginWithPasskey", 14),
    ("deletePasskey", 15),
];

/// The statements of the operations on passkeys, by name, with a first passkey of the owner's that comes and goes.
async fn passkeys_of(scene: &Scene, number: u32) -> Vec<(&'static str, Vec<String>)> {
    let owner = scene.client();
    let mut phone = Authenticator::new(PUBLIC_URL);
    let nothing = owner.request(Method::POST, &format!("{PASSKEYS}/options"));
    let options = owner.send(nothing).await.expect(StatusCode::OK).data();
    let made = phone.create(&options);
    let registered = statements_of(owner, number, Method::POST, PASSKEYS, Some(&made)).await;
    // What was looked up of the owner is looked up anew, once.
    let list = owner.get(PASSKEYS).await;
    let path = format!("{PASSKEYS}/{}", text(&list.expect(StatusCode::OK).data()[0]["id"]));
    let listed = statements_of(owner, number + 1, Method::GET, PASSKEYS, None).await;

    let anyone = owner.anonymous();
    let login = format!("{PASSKEYS}/login");
    let nothing = anyone.request(Method::POST, &format!("{login}/options"));
    let options = anyone.send(nothing).await.expect(StatusCode::OK).data();
    let used = phone.get(&options);
    let signed_in = statements_of(&anyone, number + 2, Method::POST, &login, Some(&used)).await;
    let deleted = statements_of(owner, number + 3, Method::DELETE, &path, None).await;
    vec![
        ("registerPasskey", registered),
        ("listPasskeys", listed),
        ("loginWithPasskey", signed_in),
        ("deletePasskey", deleted),
    ]
}

#[tokio::test]
async fn passkeys_cost_as_much_as_they_are_said_to_at_most() {
    let scene = Scene::new().await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    for ((name, statements), (said, most)) in passkeys_of(&scene, 0xe001).await.into_iter().zip(OF_PASSKEYS) {
        assert_eq!(name, said);
        assert!(statements.len() <= most, "{name}: {statements:#?}");
        let events = statements.iter().filter(|statement| statement.contains("user_events"));
        assert_eq!(
            events.count(),
            usize::from(name != "listPasskeys"),
            "{name}: {statements:#?}"
        );
    }
}

const IDENTITIES: &str = "/api/v1/auth/identities";

/// The most round trips of the operations on identities, the caller's session in a warm cache and no pooler in between.
const OF_IDENTITIES: [(&str, usize); 4] = [
    ("linkIdentity", 14),
    ("listIdentities", 3),
    ("exchangeSignInCode", 16),
    ("unlinkIdentity", 15),
];

/// The statements of the operations on identities, by name, with one of the owner's that comes and goes.
async fn identities_of(scene: &Scene, number: u32) -> Vec<(&'static str, Vec<String>)> {
    let owner = scene.client();
    let shown = || {
        let code = world::sign_in_code("somebody", &scene.owner.email);
        json!({ "code": code, "codeVerifier": world::CODE_VERIFIER })
    };
    let path = format!("{IDENTITIES}/{}", world::PROVIDER);
    let linked = statements_of(owner, number, Method::POST, &path, Some(&shown())).await;
    // What was looked up of the owner is looked up anew, once.
    let list = owner.get(IDENTITIES).await;
    let path = format!("{IDENTITIES}/{}", text(&list.expect(StatusCode::OK).data()[0]["id"]));
    let listed = statements_of(owner, number + 1, Method::GET, IDENTITIES, None).await;

    let exchange = "/api/v1/auth/oidc/exchange";
    let anyone = owner.anonymous();
    let signed_in = statements_of(&anyone, number + 2, Method::POST, exchange, Some(&shown())).await;
    let unlinked = statements_of(owner, number + 3, Method::DELETE, &path, None).await;
    vec![
        ("linkIdentity", linked),
        ("listIdentities", listed),
        ("exchangeSignInCode", signed_in),
        ("unlinkIdentity", unlinked),
    ]
}

#[tokio::test]
async fn identities_cost_as_much_as_they_are_said_to_at_most() {
    let provider = IdentityProvider::start().await;
    let scene = Scene::with(world::options(&provider)).await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    for ((name, statements), (said, most)) in identities_of(&scene, 0xf001).await.into_iter().zip(OF_IDENTITIES) {
        assert_eq!(name, said);
        assert!(statements.len() <= most, "{name}: {statements:#?}");
        let events = statements.iter().filter(|statement| statement.contains("user_events"));
        assert_eq!(
            events.count(),
            usize::from(name != "listIdentities"),
            "{name}: {statements:#?}"
        );
    }
}

const EMAIL_CHANGE: &str = "/api/v1/auth/email/change";

/// The most round trips of the operations on a change of address, the caller's session in a warm cache and no pooler in between.
/// The present address is not proven, so that the new one alone is asked.
const OF_EMAIL_CHANGES: [(&str, usize); 4] = [
    ("requestEmailChange", 15),
    ("getEmailChange", 3),
    ("cancelEmailChange", 10),
    ("confirmEmailChange", 17),
];

/// The statements of the operations on a change of address, by name, with one of the owner's that is taken back, and one that comes
/// about.
async fn email_changes_of(scene: &Scene, number: u32) -> Vec<(&'static str, Vec<String>)> {
    let owner = scene.client();
    let wanted = |name: &str| json!({ "email": format!("{name}@other.example") });
    let requested = statements_of(owner, number, Method::POST, EMAIL_CHANGE, Some(&wanted("first"))).await;
    let shown = statements_of(owner, number + 1, Method::GET, EMAIL_CHANGE, None).await;
    let cancelled = statements_of(owner, number + 2, Method::DELETE, EMAIL_CHANGE, None).await;

    owner
        .post(EMAIL_CHANGE, &wanted("second"))
        .await
        .expect(StatusCode::ACCEPTED);
    let mails = scene.app.mails().await;
    let mut lines = mails
        .iter()
        .filter(|mail| mail.to == "second@other.example")
        .flat_map(|mail| mail.text.lines());
    let start = format!("{PUBLIC_URL}/confirm-email-change?token=");
    let secret = lines.find_map(|line| line.strip_prefix(&start)).expect("a link");
    let followed = json!({ "token": secret });
    let confirm = format!("{EMAIL_CHANGE}/confirm");
    let confirmed = statements_of(&owner.anonymous(), number + 3, Method::POST, &confirm, Some(&followed)).await;
    vec![
        ("requestEmailChange", requested),
        ("getEmailChange", shown),
        ("cancelEmailChange", cancelled),
        ("confirmEmailChange", confirmed),
    ]
}

#[tokio::test]
async fn changes_of_addresses_cost_as_much_as_they_are_said_to_at_most() {
    let scene = Scene::new().await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    for ((name, statements), (said, most)) in email_changes_of(&scene, 0xf101).await.into_iter().zip(OF_EMAIL_CHANGES) {
        assert_eq!(name, said);
        assert!(statements.len() <= most, "{name}: {statements:#?}");
        let events = statements.iter().filter(|statement| statement.contains("user_events"));
        assert_eq!(
            events.count(),
            usize::from(name != "getEmailChange"),
            "{name}: {statements:#?}"
        );
    }
}

#[tokio::test]
async fn a_list_by_cursor_costs_three_at_most() {
    let scene = Scene::new().await;
    scene.app.clock.stop();
    for number in 0..5 {
        scene
            .create_project(&json!({ "name": format!("Website {number}") }))
            .await;
    }
    let owner = scene.client();
    let mut number = 0xf0_d000;
    for filters in ["", "&q=website", "&q=eb", "&status=active", "&sort=name,-updatedAt"] {
        let mut cursor = String::new();
        for _ in 0..2 {
            let path = scene.path(&format!("/projects?pageSize=2{filters}&cursor={cursor}"));
            number += 1;
            let page = statements_of(owner, number, Method::GET, &path, None).await;
            assert!(page.len() <= LIST_BY_CURSOR, "{path}: {page:#?}");
            assert!(
                page.iter().any(|statement| statement.contains("LIMIT")),
                "{path}: {page:#?}"
            );
            cursor = text(&owner.get(&path).await.json()["meta"]["nextCursor"]);
        }
    }
}

#[tokio::test]
async fn a_project_read_by_id_costs_three_at_most() {
    let provider = IdentityProvider::start().await;
    let dns = DnsServer::start().await;
    let scene = Scene::with(asking(&dns, world::options(&provider))).await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let (owner, path) = (scene.client(), scene.project(&project));
    owner.get(&path).await.expect(StatusCode::OK);

    let read = statements_of(owner, 0xa001, Method::GET, &path, None).await;
    assert!(round_trips(&read) <= READ_BY_ID, "{read:#?}");
    // What is counted is there to be counted: the transaction, and what is asked in it.
    assert!(
        read.iter()
            .any(|statement| statement.to_uppercase().starts_with("BEGIN")),
        "{read:#?}"
    );
    assert!(read.iter().any(|statement| statement.contains("projects")), "{read:#?}");

    let member = owner.get(&scene.path("/members")).await.data();
    let member = scene.path(&format!("/members/{}", text(&member[0]["id"])));
    let read = statements_of(owner, 0xa002, Method::GET, &member, None).await;
    assert_eq!(read.len(), 2, "{read:#?}");

    let mut table = String::from("round trips of each operation, with a warm cache:\n");
    let workspace = format!("/workspaces/{}", scene.workspace);
    let created = json!({ "name": "Other" });
    let changed = json!({ "name": "Changed" });
    let chosen = json!({ "organizationId": scene.organization });
    let operations = [
        ("getProject", Method::GET, path.clone(), None),
        ("listProjects", Method::GET, scene.path("/projects"), None),
        (
            "listProjects by cursor",
            Method::GET,
            scene.path("/projects?cursor="),
            None,
        ),
        (
            "listProjects by cursor, searched",
            Method::GET,
            scene.path("/projects?cursor=&q=website"),
            None,
        ),
        ("createProject", Method::POST, scene.projects(), Some(&created)),
        ("updateProject", Method::PATCH, path.clone(), Some(&changed)),
        ("replaceProject", Method::PUT, path.clone(), Some(&created)),
        ("deleteProject", Method::DELETE, path, None),
        (
            "createWorkspace",
            Method::POST,
            scene.path("/workspaces"),
            Some(&created),
        ),
        ("updateWorkspace", Method::PATCH, scene.path(&workspace), Some(&changed)),
        ("replaceOrganization", Method::PUT, scene.path(""), Some(&created)),
        ("getWorkspace", Method::GET, scene.path(&workspace), None),
        ("listWorkspaces", Method::GET, scene.path("/workspaces"), None),
        ("listMembers", Method::GET, scene.path("/members"), None),
        ("getMember", Method::GET, member.clone(), None),
        ("updateMember", Method::PATCH, member.clone(), Some(&changed)),
        ("getOrganization", Method::GET, scene.path(""), None),
        ("getContext", Method::GET, scene.path("/context"), None),
        (
            "listOrganizations",
            Method::GET,
            "/api/v1/organizations".to_owned(),
            None,
        ),
        (
            "createOrganization",
            Method::POST,
            "/api/v1/organizations".to_owned(),
            Some(&created),
        ),
        ("getSignOn", Method::GET, scene.path("/sso"), None),
        ("getMe", Method::GET, "/api/v1/me".to_owned(), None),
        ("updateMe", Method::PATCH, "/api/v1/me".to_owned(), Some(&changed)),
        (
            "listMyOrganizations",
            Method::GET,
            "/api/v1/me/organizations".to_owned(),
            None,
        ),
        (
            "setCurrentOrganization",
            Method::PUT,
            "/api/v1/me/current-organization".to_owned(),
            Some(&chosen),
        ),
        ("listSessions", Method::GET, "/api/v1/auth/sessions".to_owned(), None),
        ("getMfa", Method::GET, "/api/v1/auth/mfa".to_owned(), None),
        (
            "listTrustedDevices",
            Method::GET,
            "/api/v1/auth/trusted-devices".to_owned(),
            None,
        ),
        ("listPermissions", Method::GET, "/api/v1/permissions".to_owned(), None),
    ];
    for (number, (name, method, path, body)) in (0xb001..).zip(operations) {
        let statements = statements_of(owner, number, method, &path, body).await;
        table += &format!("{:>4}  {name}\n", round_trips(&statements));
    }
    let login = json!({ "email": scene.owner.email, "password": tenantry_tests::client::PASSWORD });
    let anyone = owner.anonymous();
    let statements = statements_of(&anyone, 0xc001, Method::POST, "/api/v1/auth/login", Some(&login)).await;
    table += &format!("{:>4}  login\n", round_trips(&statements));
    let token = json!({ "refreshToken": text(&json!(scene.owner.refresh_token)) });
    let statements = statements_of(&anyone, 0xc002, Method::POST, "/api/v1/auth/refresh", Some(&token)).await;
    table += &format!("{:>4}  refresh\n", round_trips(&statements));
    let mut more = passkeys_of(&scene, 0xc101).await;
    more.extend(identities_of(&scene, 0xc201).await);
    more.extend(email_changes_of(&scene, 0xc301).await);
    more.extend(domains_of(&scene, &dns, 0xc401).await);
    for (name, statements) in more {
        table += &format!("{:>4}  {name}\n", round_trips(&statements));
    }
    let passwords =
        json!({ "currentPassword": tenantry_tests::client::PASSWORD, "newPassword": "vermilion otters juggle" });
    let statements = statements_of(owner, 0xc003, Method::PUT, "/api/v1/auth/password", Some(&passwords)).await;
    table += &format!("{:>4}  changePassword\n", round_trips(&statements));
    let member = scene.joined("member").await.client;
    let statements = statements_of(&member, 0xc004, Method::DELETE, "/api/v1/me", None).await;
    table += &format!(
        "{:>4}  deleteMe, a member of one organization\n",
        round_trips(&statements)
    );
    eprint!("{table}");
}
