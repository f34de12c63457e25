//! Runs 1 and 3: every operation over HTTP, as every caller of A, with what is B's at every place where it can go.
//!
//! Each request goes out three times: as it is meant, with B's value in A's place, and with a value of nothing. The last
//! two must be answered alike; none may be answered with a byte of B's, nor leave a trace in B's rows. Meanwhile the
//! statements that reach the database are looked at, for not every missing filter shows in an answer.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use reqwest::{Method, StatusCode};
use sqlx::PgConnection;
use tenantry_tests::{
    app::TestApp,
    client::Client,
    database::{TestDatabase, connect},
    statements,
};

use super::{
    answers::Seen,
    filters,
    tables::{self, Table},
};
use crate::{
    operations::{self, Input, Meaning, Operation},
    world::{Caller, KEY_OF_B, World, new_id, new_text},
};

/// What a walk has found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) findings: Vec<Finding>,
    /// Tenant tables that some statement read, changed or deleted from.
    pub(super) reached: BTreeSet<String>,
    /// The organization that each request was about, where it was about one, by its trace.
    pub(super) traces: HashMap<String, Option<String>>,
}

/// A way in which tenants were not kept apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// The table that it tells of, if one can be told.
    pub(super) table: Option<String>,
    request: String,
    problem: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An answer holds something of B's.
    ForeignByte,
    /// A foreign id is told from one of nothing, or was taken.
    ToldApart,
    /// B's rows are others than before.
    ForeignRow,
    /// A statement does not ask for the organization.
    Unfiltered,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.as_deref().unwrap_or("-");
        write!(f, "{:?} {table}: {}: {}", self.kind, self.request, self.problem)
    }
}

impl Walk {
    /// The tables that findings of this kind name.
    pub(super) fn tables(&self, kind: Kind) -> BTreeSet<&str> {
        self.findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .filter_map(|finding| finding.table.as_deref())
            .collect()
    }
}

struct Walker<'w> {
    world: &'w World,
    tables: &'w [Table],
    strings_of_b: HashMap<String, String>,
    /// Creates what a request uses up; never walks through operations that would end this session.
    creator: Client,
    walk: Walk,
}

/// Walks through every operation of the document.
pub(super) async fn walk(app: &TestApp, database: &TestDatabase, world: &World) -> Walk {
    let mut superuser = connect(database.superuser_url()).await;
    let tables = tables::all(&mut superuser).await;
    let operations = operations::all();
    let client = app.client();

    let mut callers = Vec::new();
    for (name, person) in world.a.people() {
        callers.push(person.sign_in(name, &client).await);
    }
    let both = world.both.sign_in("both", &client).await;
    let owner_of_b = world.b.owner.sign_in("owner of B", &client).await;
    let mut cursors = HashMap::new();
    for operation in operations.iter().filter(|operation| operation.has(Meaning::Cursor)) {
        for caller in [&both, &owner_of_b] {
            let cursor = cursor_of_b(operation, caller, world).await;
            cursors.insert((operation.name.clone(), caller.name), cursor);
        }
    }

    let mut walker = Walker {
        strings_of_b: tables::strings_of_b(&mut superuser, &tables, world).await,
        world,
        tables: &tables,
        creator: both.client.clone(),
        walk: Walk::default(),
    };
    for operation in &operations {
        let before = tables::rows(&mut superuser, &tables, &world.b, &[]).await;
        let in_organization = operation.has(Meaning::Organization);
        for caller in callers.iter().chain(in_organization.then_some(&both)) {
            let keeper = if caller.name == "both" { "both" } else { owner_of_b.name };
            let cursor = cursors.get(&(operation.name.clone(), keeper));
            let stand_in = world.a.stand_in(operation, caller, &client).await;
            let caller = stand_in.as_ref().unwrap_or(caller);
            walker.drive(operation, caller, cursor.map(String::as_str)).await;
            world.a.mend(operation, caller, &client).await;
        }
        let after = tables::rows(&mut superuser, &tables, &world.b, &[]).await;
        for (table, _) in before.iter().filter(|(table, rows)| after[*table] != **rows) {
            walker.found(Kind::ForeignRow, Some(table), &operation.name, "B's rows have changed");
        }
    }
    walker.look_at_events(&mut superuser).await;
    walker.walk.findings.sort();
    walker.walk.findings.dedup();
    walker.walk
}

/// The place after the first entry of a list of B's.
async fn cursor_of_b(operation: &Operation, caller: &Caller, world: &World) -> String {
    let client = &caller.client;
    if operation.name == "listPasskeys" {
        for _ in 0..2 {
            world.b.new_passkey(&caller.person).await;
        }
    }
    let values = world.b.inputs(operation, caller, None, &[]).await;
    let mut request = operation.request(client, &values).build().unwrap();
    request.url_mut().query_pairs_mut().append_pair("pageSize", "1");
    let mut path = request.url().path().to_owned();
    path.push('?');
    path.push_str(request.url().query().unwrap_or_default());
    let list = client.get(&path).await;
    list.expect(StatusCode::OK);
    let list = list.json();
    let cursor = list["meta"]["nextCursor"].as_str();
    cursor
        .unwrap_or_else(|| panic!("{}: there is no second entry in {list}", operation.name))
        .to_owned()
}

impl Walker<'_> {
    fn found(&mut self, kind: Kind, table: Option<&str>, request: &str, problem: impl Into<String>) {
        self.walk.findings.push(Finding {
            kind,
            table: table.map(str::to_owned),
            request: request.to_owned(),
            problem: problem.into(),
        });
    }

    /// Sends an operation as it is meant, and with every set of B's values.
    async fn drive(&mut self, operation: &Operation, caller: &Caller, cursor: Option<&str>) {
        let own = self.world.a.inputs(operation, caller, Some(&self.creator), &[]).await;
        self.send(operation, caller, "own", &own).await;

        let mut targets: Vec<&Input> = operation
            .inputs
            .iter()
            .filter(|input| is_target(operation, input))
            .collect();
        if caller.name == "both" {
            // In B's own paths they are at home.
            targets.retain(|input| input.meaning != Meaning::Organization);
        }
        let mut sets: Vec<Vec<&Input>> = targets.iter().map(|&target| vec![target]).collect();
        // A key that was just shown by itself is known by now.
        targets.retain(|input| input.meaning != Meaning::IdempotencyKey);
        if targets.len() > 1 {
            sets.push(targets);
        }
        for set in sets {
            let by_slug = set.iter().any(|input| input.meaning == Meaning::Organization);
            for spelling in [Spelling::Id, Spelling::Slug]
                .into_iter()
                .take(1 + usize::from(by_slug))
            {
                self.compare(operation, caller, &set, spelling, cursor).await;
            }
        }
    }

    /// Sends B's values, and values of nothing, at the same places: the answers must not tell which is which.
    async fn compare(
        &mut self,
        operation: &Operation,
        caller: &Caller,
        set: &[&Input],
        spelling: Spelling,
        cursor: Option<&str>,
    ) {
        let names: Vec<&str> = set.iter().map(|input| input.name.as_str()).collect();
        let said = names.join("+");
        let mut answers = Vec::new();
        for kind in ["B's", "no"] {
            let mut values = self.world.a.inputs(operation, caller, None, set).await;
            for &input in set {
                let foreign = self.foreign(input.meaning, spelling, cursor);
                let value = if kind == "B's" {
                    foreign
                } else {
                    nothing(input.meaning, spelling, &foreign)
                };
                values.insert(input.clone(), value);
                if input.meaning == Meaning::Address {
                    // With the password it would be no stranger who signs in.
                    let password = operation.inputs.iter().find(|input| input.meaning == Meaning::Password);
                    values.extend(password.map(|input| (input.clone(), "not the right password".to_owned())));
                }
            }
            answers.push(self.send(operation, caller, &format!("{kind} {said}"), &values).await);
        }
        let request = format!("{} as {} with {said}", operation.name, caller.name);
        let (foreign, nothing) = (&answers[0], &answers[1]);
        if set.iter().any(|input| input.meaning.is_id()) && foreign.status.is_success() {
            self.found(
                Kind::ToldApart,
                None,
                &request,
                format!("was taken: {}", foreign.status),
            );
        }
        let created = operation.method != Method::GET && foreign.status.is_success() && nothing.status.is_success();
        let alike = if created {
            // Two things that were created differ in their ids.
            (foreign.status, foreign.header("idempotency-replayed"))
                == (nothing.status, nothing.header("idempotency-replayed"))
        } else {
            foreign == nothing
        };
        if !alike {
            self.found(Kind::ToldApart, None, &request, foreign.difference(nothing));
        }
    }

    fn foreign(&self, meaning: Meaning, spelling: Spelling, cursor: Option<&str>) -> String {
        let b = &self.world.b;
        match (meaning, spelling) {
            (Meaning::Organization, Spelling::Id) | (Meaning::MemberOf, _) => b.organization.clone(),
            (Meaning::Organization, Spelling::Slug) => b.slug.clone(),
            (Meaning::Workspace, _) => b.workspaces[1].clone(),
            (Meaning::Project, _) => b.project.clone(),
            (Meaning::Member, _) => b.colleague.clone(),
            (Meaning::Role, _) => self.id_of_b("roles"),
            (Meaning::Invitation, _) => b.invitation.clone(),
            (Meaning::Domain, _) => b.domains[0].clone(),
            (Meaning::DomainName, _) => b.domain_name.clone(),
            (Meaning::Session, _) => self.id_of_b("sessions"),
            (Meaning::TrustedDevice, _) => self.id_of_b("trusted_devices"),
            (Meaning::Passkey, _) => self.id_of_b("passkeys"),
            (Meaning::Identity, _) => self.id_of_b("identities"),
            (Meaning::Cursor, _) => cursor.unwrap().to_owned(),
            (Meaning::Search, _) => "Bravo".to_owned(),
            (Meaning::IdempotencyKey, _) => KEY_OF_B.to_owned(),
            (Meaning::Address, _) => b.owner.email.clone(),
            (
                Meaning::Password
                | Meaning::NewPassword
                | Meaning::RefreshToken
                | Meaning::LinkSecret
                | Meaning::Code
                | Meaning::SecondStep
                | Meaning::Answered
                | Meaning::Provider
                | Meaning::RedirectUri
                | Meaning::FlowState
                | Meaning::Voucher
                | Meaning::SignInCode
                | Meaning::CodeVerifier
                | Meaning::Name
                | Meaning::Detail,
                _,
            ) => {
                unreachable!("{meaning:?} is no target")
            }
        }
    }

    /// The id of some row of B's in this table.
    fn id_of_b(&self, table: &str) -> String {
        let found = self
            .strings_of_b
            .iter()
            .find(|(text, of)| *of == table && text.len() == 36);
        found.unwrap().0.clone()
    }

    /// Sends a request of a trace of its own and looks at the answer and at the statements.
    async fn send(
        &mut self,
        operation: &Operation,
        caller: &Caller,
        what: &str,
        values: &HashMap<Input, String>,
    ) -> Seen {
        let trace = new_text();
        let client = caller
            .client
            .with_header("traceparent", &statements::traceparent(&trace));
        let answer = client.send(operation.request(&client, values)).await;
        let request = format!("{} as {} with {what}", operation.name, caller.name);
        let organization = operation
            .inputs
            .iter()
            .find(|input| input.meaning == Meaning::Organization);
        let organization = organization.map(|input| values[input].clone());
        let organization = organization.or_else(|| match operation.name.as_str() {
            // Whoever goes leaves the one organization that they are in.
            "deleteMe" => Some(self.world.a.organization.clone()),
            "acceptInvitation" => Some(self.world.a.second_organization.clone()),
            _ => None,
        });
        self.walk.traces.insert(trace.clone(), organization);
        if answer.status.is_server_error() {
            self.found(
                Kind::ToldApart,
                None,
                &request,
                format!("{} {}", answer.status, answer.text),
            );
        }

        let seen = Seen::of(&answer, values);
        let foreign: Vec<(String, String)> = self
            .strings_of_b
            .iter()
            .filter(|(text, _)| seen.holds(text))
            .map(|(text, table)| (text.clone(), table.clone()))
            .collect();
        for (text, table) in foreign {
            self.found(
                Kind::ForeignByte,
                Some(&table),
                &request,
                format!("{} with {text}", answer.status),
            );
        }
        let tables = tables::of_tenants(self.tables);
        for statement in statements::of_trace(&trace) {
            let used = filters::of(&statement, &tables);
            self.walk.reached.extend(used.reached.iter().map(ToString::to_string));
            for table in used.unfiltered {
                self.found(Kind::Unfiltered, Some(table), &operation.name, statement.clone());
            }
        }
        seen
    }

    /// What is only ever inserted has no filter that could be missing: that an event is of the organization that the
    /// request was about is seen in its row.
    async fn look_at_events(&mut self, superuser: &mut PgConnection) {
        let events: Vec<(String, String, String, String)> =
            sqlx::query_as("select trace_id, type, organization_id::text, resource_id::text from events")
                .fetch_all(superuser)
                .await
                .unwrap();
        let mut of_this_walk = 0;
        for (trace, kind, organization, resource) in events {
            let Some(about) = self.walk.traces.get(&trace) else {
                continue;
            };
            // Without an organization in the path, one was founded.
            let expected = about.clone().unwrap_or(resource);
            if organization != expected {
                self.found(
                    Kind::ForeignRow,
                    Some("events"),
                    &kind,
                    format!("{organization}, not {expected}"),
                );
            }
            of_this_walk += 1;
        }
        assert!(
            of_this_walk > 20,
            "{of_this_walk} events: the walk wrote next to nothing"
        );
    }
}

/// How an organization is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Id,
    Slug,
}

/// Whether somebody else's value can be put there.
fn is_target(operation: &Operation, input: &Input) -> bool {
    match input.meaning {
        Meaning::Organization
        | Meaning::MemberOf
        | Meaning::Workspace
        | Meaning::Project
        | Meaning::Member
        | Meaning::Role
        | Meaning::Session
        | Meaning::Invitation
        | Meaning::Domain
        | Meaning::DomainName
        | Meaning::TrustedDevice
        | Meaning::Passkey
        | Meaning::Identity
        | Meaning::Cursor
        | Meaning::Search
        | Meaning::IdempotencyKey => true,
        // Registering tells by decision that an address is taken; and whoever asks for a mail to an address has it sent there.
        Meaning::Address => {
            ["login", "inviteMember", "requestEmailChange", "discoverSignIn"].contains(&operation.name.as_str())
        }
        Meaning::Password
        | Meaning::NewPassword
        | Meaning::RefreshToken
        | Meaning::LinkSecret
        | Meaning::Code
        | Meaning::SecondStep
        | Meaning::Answered
        | Meaning::Provider
        | Meaning::RedirectUri
        | Meaning::FlowState
        | Meaning::Voucher
        | Meaning::SignInCode
        | Meaning::CodeVerifier
        | Meaning::Name
        | Meaning::Detail => false,
    }
}

/// A value like `foreign`, of the same length, that is nobody's.
fn nothing(meaning: Meaning, spelling: Spelling, foreign: &str) -> String {
    match (meaning, spelling) {
        (Meaning::Organization, Spelling::Id)
        | (
            Meaning::MemberOf
            | Meaning::Workspace
            | Meaning::Project
            | Meaning::Member
            | Meaning::Role
            | Meaning::Session
            | Meaning::TrustedDevice
            | Meaning::Passkey
            | Meaning::Identity
            | Meaning::Invitation
            | Meaning::Domain,
            _,
        ) => new_id(),
        (Meaning::DomainName, _) => {
            let (name, end) = foreign.split_once('.').unwrap();
            format!("{}.{end}", &new_text()[..name.len()])
        }
        (Meaning::Cursor, _) => foreign.chars().rev().collect(),
        // Of letters that no id and no name of the world's making has.
        (Meaning::Search, _) => "zwyzw".chars().cycle().take(foreign.len()).collect(),
        _ => {
            let random = new_text().repeat(8);
            let (_, end) = foreign.split_once('@').unwrap_or(("", ""));
            let at = if end.is_empty() { "" } else { "@" };
            format!("{}{at}{end}", &random[..foreign.len() - end.len() - at.len()])
        }
    }
}
