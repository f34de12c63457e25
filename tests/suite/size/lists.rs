//! Every list operation of the document, in every way in which it may be asked for.

use std::{collections::BTreeMap, fmt};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tenantry_domain::{
    domains::MAX_DOMAINS,
    invitations::MAX_OPEN,
    lists::{
        DomainField, IdentityField, InvitationField, MemberField, MembershipField, PasskeyField, ResourceField,
        SessionField, TrustedDeviceField,
    },
};
use tenantry_tests::{
    app::TestApp,
    client::{Client, text},
    database::TestDatabase,
    statements,
};
use url::form_urlencoded::byte_serialize;

use super::plans::{Bounds, Run};
use crate::operations;

/// What a page of 20 may read and sort: a page is looked for among so many at the most, whatever is passed over.
const PAGE: Bounds = Bounds {
    read: 6_000.0,
    sorted: 1_100.0,
};

/// The last numbered page, which is preceded by nearly 10,000 rows: it reads those, and may sort as many.
const LAST_PAGE: Bounds = Bounds {
    read: 25_000.0,
    sorted: 25_000.0,
};

/// All rows of the large tenant, and what comes with them.
const WHOLE: f64 = 110_000.0;

/// Someone who lists, in the large organization.
pub(super) struct Asker {
    name: &'static str,
    client: Client,
    organization: String,
    /// A workspace with very many projects, and one with some.
    workspaces: Vec<String>,
}

impl Asker {
    pub(super) async fn new(name: &'static str, client: Client) -> Self {
        let organizations = client.get("/api/v1/organizations").await.data();
        let organization = text(&organizations[0]["id"]);
        let workspaces = client
            .get(&format!(
                "/api/v1/organizations/{organization}/workspaces?sort=createdAt&pageSize=100"
            ))
            .await
            .data();
        let workspaces = workspaces.as_array().unwrap().iter();
        // The first is the default one.
        let workspaces = workspaces.map(|workspace| text(&workspace["id"])).take(2).collect();
        Self {
            name,
            client,
            organization,
            workspaces,
        }
    }
}

/// Someone new in the large organization, who may see one workspace of many projects and nothing else.
pub(super) async fn guest(app: &TestApp, database: &TestDatabase, owner: &Client) -> Client {
    let guest = app.client().register("Gusta Guest", None).await;
    let organization = text(&owner.get("/api/v1/organizations").await.data()[0]["id"]);
    database
        .owner(format!(
            "with member as (
                 insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
                 values ('{organization}', gen_random_uuid(), '{}', now(), now(), now()) returning organization_id, id
             )
             insert into grants (organization_id, id, member_id, role_id, workspace_id, created_at, updated_at)
             select m.organization_id, gen_random_uuid(), m.id, r.id, w.id, now(), now()
             from member m
             join roles r on r.organization_id = m.organization_id and r.key = 'viewer'
             join workspaces w on w.organization_id = m.organization_id and w.is_default",
            guest.user_id
        ))
        .await;
    guest.client
}

/// As many invitations of the large organization as it may have, and some of every other.
pub(super) async fn invite_many(database: &TestDatabase, owner: &Client) {
    let organization = text(&owner.get("/api/v1/organizations").await.data()[0]["id"]);
    database
        .owner(format!(
            "insert into invitations (organization_id, id, email, email_canonical, role_id, invited_by, expires_at,
                                      created_at, updated_at)
             select sender.organization_id, gen_random_uuid(), email, email, sender.role_id, sender.id,
                    now() + number * interval '1 second', now() - number * interval '1 second', now()
             from (select distinct on (m.organization_id) m.organization_id, m.id, r.id as role_id
                   from members m join roles r on r.organization_id = m.organization_id and r.key = 'viewer') sender
             cross join generate_series(1, {MAX_OPEN}) number
             cross join concat('invited', number, '@example.com') email
             where number <= 10 or sender.organization_id = '{organization}';
             analyze invitations"
        ))
        .await;
}

/// As many domains of every organization as it may have, half of them proven.
pub(super) async fn claim_many(database: &TestDatabase) {
    database
        .owner(format!(
            "insert into domains (organization_id, id, name, token, verified_at, created_at, updated_at)
             select o.id, gen_random_uuid(), concat('n', number, '.', o.id, '.example'), repeat('t', 16),
                    case when number % 2 = 0 then now() end, now() - number * interval '1 second', now()
             from organizations o cross join generate_series(1, {MAX_DOMAINS}) number;
             analyze domains"
        ))
        .await;
}

/// A list and the ways in which it may be asked for.
struct List {
    operation: String,
    path: String,
    sorts: &'static [&'static str],
    filters: &'static [&'static str],
}

/// Filters of lists that can be searched.
const SEARCHES: &[&str] = &["", "q=no such name", "q=a%_"];

/// Filters of projects: by status, and searches for names that are rare, common, unheard of, of two characters of another
/// script, and without any letter.
const OF_PROJECTS: &[&str] = &[
    "",
    "status=active",
    "status=archived",
    "q=reykjavík (3",
    "q=Redesign",
    "q=no such name",
    "q=審査",
    "q=☕☕☕",
    "status=archived&q=mobile app",
];

/// Filters of domains, which are not searched.
const OF_DOMAINS: &[&str] = &["", "status=pending", "status=verified"];

/// Searches that are not the index's to answer, for want of three letters in a row or for a thousand names and more that
/// match: the order of the list is walked until a page is full. Nothing is sorted, but much may be passed over.
const WALKED: [&str; 4] = ["q=Redesign", "q=審査", "q=☕☕☕", "status=archived&q=mobile app"];

/// Searches that very few names answer.
const RARE: [&str; 3] = ["q=reykjavík (3", "q=no such name", "q=a%_"];

/// All lists, and what was found.
pub(super) struct Lists {
    lists: Vec<List>,
    requests: u64,
    /// How many searches the index of names has carried.
    carried: u64,
    /// By what was wrong and where, an example of a request.
    findings: BTreeMap<String, String>,
    /// The most rows that a statement read, by list and kind of statement.
    read: BTreeMap<(String, &'static str), f64>,
}

impl Lists {
    /// Those of the document, each of which must be known here.
    pub(super) fn of_the_document() -> Self {
        let paged = |operation: &operations::Operation| {
            operation.method == Method::GET && operation.inputs.iter().any(|input| input.name == "pageSize")
        };
        let lists = operations::all().into_iter().filter(paged).map(|operation| {
            let (sorts, filters) = match operation.name.as_str() {
                "listProjects" | "listWorkspaceProjects" => (ResourceField::WORDS, OF_PROJECTS),
                "listWorkspaces" | "listOrganizations" => (ResourceField::WORDS, SEARCHES),
                "listMembers" => (MemberField::WORDS, SEARCHES),
                "listMyOrganizations" => (MembershipField::WORDS, SEARCHES),
                "listSessions" => (SessionField::WORDS, &[""][..]),
                "listPasskeys" => (PasskeyField::WORDS, &[""][..]),
                "listIdentities" => (IdentityField::WORDS, &[""][..]),
                "listTrustedDevices" => (TrustedDeviceField::WORDS, &[""][..]),
                "listInvitations" => (InvitationField::WORDS, &[""][..]),
                "listDomains" => (DomainField::WORDS, OF_DOMAINS),
                unknown => panic!("how is {unknown} asked for, and what carries it when it is long?"),
            };
            List {
                operation: operation.name,
                path: operation.path,
                sorts,
                filters,
            }
        });
        let lists: Vec<List> = lists.collect();
        assert!(lists.len() >= 6, "the document was not read");
        Self {
            lists,
            requests: 0,
            carried: 0,
            findings: BTreeMap::new(),
            read: BTreeMap::new(),
        }
    }

    /// Asks for every list in every way, and looks at the plans.
    pub(super) async fn look(&mut self, asker: &Asker) {
        let lists = std::mem::take(&mut self.lists);
        for list in &lists {
            for workspace in asker
                .workspaces
                .iter()
                .take(if list.path.contains("{wsId}") { 2 } else { 1 })
            {
                let path = list
                    .path
                    .replace("{orgId}", &asker.organization)
                    .replace("{wsId}", workspace);
                self.look_at(list, &path, asker).await;
            }
        }
        self.lists = lists;
    }

    async fn look_at(&mut self, list: &List, path: &str, asker: &Asker) {
        let single = list
            .sorts
            .iter()
            .flat_map(|field| [(*field).to_owned(), format!("-{field}")]);
        let (first, last) = (list.sorts[0], list.sorts[list.sorts.len() - 1]);
        let double = [format!("-{last},{first}"), format!("{first},-{last}")];
        let mut long = false;
        for (number, sort) in single.chain(double).enumerate() {
            for (place, filter) in list.filters.iter().enumerate() {
                // Those who see all ask in every way; the others only have one more condition in the same statements, which a
                // few ways of each kind show.
                if asker.name != "owner" && (number + place) % 3 != 0 {
                    continue;
                }
                // A membership without a role in all of the organization is not shown its members; those who invite nobody are
                // not shown who is invited, and those who see no settings no domains.
                let is_for_owners = ["listInvitations", "listDomains"].contains(&list.operation.as_str());
                if list.operation == "listMembers" && asker.name == "guest" || is_for_owners && asker.name != "owner" {
                    continue;
                }
                let base = format!("{path}?sort={sort}&{}", encoded(filter));
                let first = self.ask(list, asker, filter, &format!("{base}&cursor="), PAGE).await;
                if let Some(cursor) = first["meta"]["nextCursor"].as_str() {
                    self.ask(list, asker, filter, &format!("{base}&cursor={cursor}"), PAGE)
                        .await;
                }
                // Whatever the order, what is counted is the same.
                if number < 3 {
                    let counted = self.ask(list, asker, filter, &format!("{base}&page=1"), PAGE).await;
                    long |= counted["meta"]["total"].as_u64().unwrap() > 10_000 && filter.is_empty();
                }
                if long && filter.is_empty() {
                    let deep = self
                        .ask(list, asker, filter, &format!("{base}&page=500"), LAST_PAGE)
                        .await;
                    let cursor = text(&deep["meta"]["nextCursor"]);
                    self.ask(list, asker, filter, &format!("{base}&cursor={cursor}"), PAGE)
                        .await;
                }
            }
        }
    }

    async fn ask(&mut self, list: &List, asker: &Asker, filter: &str, path: &str, page: Bounds) -> Value {
        self.requests += 1;
        let trace = format!(
            "{:032x}",
            0x512e_0000_0000_u64 + self.requests + u64::from(std::process::id()) * 0x1_0000_0000_0000
        );
        let request = asker
            .client
            .request(Method::GET, path)
            .header("traceparent", statements::traceparent(&trace));
        let answer = asker.client.send(request).await;
        answer.expect(StatusCode::OK);
        let notices = statements::notices_of_trace(&trace);
        let runs: Vec<Run> = notices.iter().filter_map(|notice| Run::of_notice(notice)).collect();
        assert!(
            runs.iter().any(Run::fetches_page),
            "no plan of {path} was told: {notices:#?}"
        );
        let walked = WALKED.contains(&filter);
        for run in &runs {
            let (kind, bounds) = if run.counts() {
                ("count", Bounds { read: WHOLE, ..page })
            } else if run.fetches_page() {
                ("page", if walked { Bounds { read: WHOLE, ..page } } else { page })
            } else if run.looks_up() {
                // What is common is found in all places before it is known to be too much.
                (
                    "look-up",
                    if RARE.contains(&filter) {
                        PAGE
                    } else {
                        Bounds { read: WHOLE, ..PAGE }
                    },
                )
            } else {
                ("other", PAGE)
            };
            if kind == "look-up" && RARE.contains(&filter) && list.path.ends_with("/projects") {
                self.carried += u64::from(run.uses("projects_named"));
            }
            let most = self.read.entry((list.operation.clone(), kind)).or_default();
            *most = most.max(run.rows_read());
            for finding in run.findings(bounds) {
                let finding = format!("{}: {kind} of {}: {finding}", asker.name, list.operation);
                self.findings.entry(finding).or_insert_with(|| path.to_owned());
            }
        }
        answer.json()
    }

    /// Asks for the organization's projects with a filter and an order, without the index that carries it, which is found to be
    /// missing.
    pub(super) async fn expect_found_without(&mut self, index: &str, filter: &str, sort: &str, asker: &Asker) {
        self.findings.clear();
        let lists = std::mem::take(&mut self.lists);
        let list = lists.iter().find(|list| list.operation == "listProjects").unwrap();
        let path = list.path.replace("{orgId}", &asker.organization);
        let path = format!("{path}?cursor=&sort={sort}&{}", encoded(filter));
        self.ask(list, asker, filter, &path, PAGE).await;
        self.lists = lists;
        assert!(!self.findings.is_empty(), "nobody misses {index}");
    }

    pub(super) fn expect_nothing_found(&self) {
        let found: Vec<String> = self
            .findings
            .iter()
            .map(|(finding, example)| format!("{finding}\n    {example}"))
            .collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert!(
            self.carried > 100,
            "the index of names carried {} searches",
            self.carried
        );
    }
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the most rows that a statement read, of {} requests:", self.requests)?;
        for ((list, kind), read) in &self.read {
            writeln!(f, "{read:>8}  {list}, {kind}")?;
        }
        Ok(())
    }
}

/// A filter as it stands in a URL.
fn encoded(filter: &str) -> String {
    let pairs = filter.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| format!("{name}={}", byte_serialize(value.as_bytes()).collect::<String>()));
    pairs.collect::<Vec<_>>().join("&")
}
