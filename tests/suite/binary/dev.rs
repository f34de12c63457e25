//! `tenantry dev`, from nothing to a first request and back.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::client::{Client, PASSWORD, text};
use tokio::process::Command;

use super::{
    development::{DataFolder, all_end, descendants},
    process::Outcome,
};

/// The line that the announcement offers to begin with.
fn curl_line(announcement: &str) -> &str {
    let line = announcement
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("curl "));
    line.unwrap_or_else(|| panic!("no line for curl in {announcement}"))
}

/// What a shell answers to a line, pasted as it is.
async fn pasted(line: &str) -> Value {
    let output = Command::new("sh").args(["-euc", line]).output().await.unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {line}: {output:?}"))
}

/// The demo accounts of an announcement, each with its role, address and organization; and their password.
fn accounts(announcement: &str) -> (Vec<[String; 3]>, String) {
    let (_, rest) = announcement.split_once("all with the password `").expect("accounts");
    let (password, lines) = rest.split_once('`').unwrap();
    let accounts = lines
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            words.try_into().expect("a role, an address, an organization")
        })
        .collect();
    (accounts, password.to_owned())
}

/// Signs in and gives the account's client.
pub(super) async fn sign_in(client: &Client, email: &str, password: &str) -> Client {
    let body = json!({ "email": email, "password": password });
    let answer = client.post("/api/v1/auth/login", &body).await;
    answer.expect(StatusCode::OK);
    client.with_token(&text(&answer.data()["accessToken"]))
}

/// The names of the projects that an account sees in its one organization.
async fn projects(client: &Client) -> Vec<String> {
    let organizations = client.get("/api/v1/organizations").await;
    organizations.expect(StatusCode::OK);
    let organization = text(&organizations.data()[0]["id"]);
    let projects = client
        .get(&format!(
            "/api/v1/organizations/{organization}/projects?sort=name&pageSize=100"
        ))
        .await;
    projects.expect(StatusCode::OK);
    let names = projects.data();
    names
        .as_array()
        .unwrap()
        .iter()
        .map(|project| text(&project["name"]))
        .collect()
}

#[tokio::test]
async fn from_nothing_to_a_first_request_and_again_with_the_data() {
    let folder = DataFolder::new();
    let dev = folder.start(true).await;
    let client = dev.client();
    client.get("/health/ready").await.expect(StatusCode::OK);
    let docs = client.get("/docs/").await;
    docs.expect(StatusCode::OK);
    assert!(
        docs.header("content-type").unwrap().starts_with("text/html"),
        "{}",
        docs.text
    );
    assert!(dev.announcement.contains(&folder.path().display().to_string()));

    let listed = pasted(curl_line(&dev.announcement)).await;
    assert_eq!(listed["data"][0]["name"], "Acme", "{listed}");

    let (accounts, password) = accounts(&dev.announcement);
    let mut seen = Vec::new();
    for [role, email, organization] in &accounts {
        let projects = projects(&sign_in(&client, email, &password).await).await;
        // Of each organization's four projects one is private.
        let expected = if matches!(role.as_str(), "owner" | "admin") {
            4
        } else {
            3
        };
        assert_eq!(projects.len(), expected, "{email}: {projects:?}");
        seen.push((organization.as_str(), role.as_str()));
    }
    let roles = ["owner", "admin", "member", "member", "viewer"];
    assert_eq!(
        seen,
        [("Acme", roles), ("Globex", roles)]
            .map(|(name, roles)| roles.map(|role| (name, role)))
            .concat()
    );

    let account = client.register("Ada", Some("Analytical Engines")).await;
    let organization = account.organization().await;
    let workspace = account.default_workspace(&organization).await;
    account
        .create_project(&organization, &workspace, &json!({ "name": "Notes" }))
        .await;
    let mut secrets = folder.secrets();
    secrets.push(account.client.token().unwrap().to_owned());
    secrets.push(account.refresh_token.clone());
    dev.stop().await.keeps(&secrets);

    let again = folder.start(true).await;
    assert_eq!(accounts.len(), self::accounts(&again.announcement).0.len());
    let client = sign_in(&again.client(), &account.email, PASSWORD).await;
    assert_eq!(projects(&client).await, ["Notes"]);
    let listed = pasted(curl_line(&again.announcement)).await;
    let organizations: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| &found["name"])
        .collect();
    assert_eq!(organizations, ["Acme"], "demo data is loaded once");
    again.stop().await.keeps(&folder.secrets());
}

#[tokio::test]
async fn without_demo_data_the_offered_line_makes_the_first_account() {
    let folder = DataFolder::new();
    let dev = folder.start(false).await;
    assert!(!dev.announcement.contains("password `"), "{}", dev.announcement);
    let answer = pasted(curl_line(&dev.announcement)).await;
    let client = dev.client().with_token(&text(&answer["data"]["accessToken"]));
    let organizations = client.get("/api/v1/organizations").await.data();
    assert_eq!(organizations.as_array().unwrap().len(), 1, "{organizations}");
    dev.stop().await.keeps(&folder.secrets());
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = DataFolder::new();
    let first = folder.start(false).await;
    let second: Outcome = folder.dev().run().await;
    let holder = format!("is in use by process {}", first.process.pid());
    second.expect(1).complains(&holder).keeps(&folder.secrets());
    first.client().get("/health/ready").await.expect(StatusCode::OK);
    first.stop().await;
}

#[tokio::test]
async fn told_to_stop_while_it_starts_it_leaves_nothing_behind() {
    let folder = DataFolder::new();
    let starting = folder.dev().start();
    starting.stderr_with("Creating the database cluster").await;
    let started = descendants(starting.pid());
    starting.stop().await.expect(0);
    all_end(&started).await;
    // What was begun is no obstacle.
    folder.start(false).await.stop().await;
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = DataFolder::new();
    let postgres = folder.path().join("postgres");
    std::fs::create_dir_all(&postgres).unwrap();
    std::fs::write(postgres.join("thesis.txt"), "years of work").unwrap();
    folder.dev().run().await.expect(1).complains("holds other files");
    assert_eq!(std::fs::read_dir(&postgres).unwrap().count(), 1);
}

#[tokio::test]
async fn programs_that_are_not_there_are_asked_for() {
    let folder = DataFolder::new();
    let empty = tempfile::tempdir().unwrap();
    let outcome = folder.dev().env("TENANTRY_POSTGRES_BIN", empty.path()).run().await;
    outcome.expect(5).complains("TENANTRY_POSTGRES_BIN");
    assert!(!Path::new(&folder.path()).exists(), "nothing was begun");
}
