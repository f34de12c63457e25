//! Many clients of several tenants on two sessions of PostgreSQL: right answers for everybody, nothing left of anybody.
//!
//! The same tests run in two worlds. In an ordinary run the application itself has no more than two connections. With
//! `TENANTRY_TEST_POOLER=transaction` it has one for each client, and a PgBouncer in transaction mode has two sessions for
//! all of them: each transaction gets whichever is free, after whoever had it last.
//!
//! What else the suite tests goes through a pooler in that world, too: see `tests/src/database/pooler.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod binary;
mod breaks;
mod crowd;
mod remains;

use tenantry::configuration::Pooler;
use tenantry_tests::{
    app::{Options, TestApp},
    database::{TestDatabase, pooler},
};

use self::crowd::Tenant;

/// How many sessions everybody shares.
const SESSIONS: u16 = 2;

/// How many call at once.
const CLIENTS: u32 = 20;

/// The sessions of the role that serves.
const OF_THE_APPLICATION: &str = "pg_stat_activity where datname = current_database() and usename = 'tenantry_app'";

/// An application on two sessions, with its tenants.
struct Narrow {
    _app: TestApp,
    tenants: Vec<Tenant>,
    database: TestDatabase,
}

impl Narrow {
    async fn start() -> Self {
        let database = TestDatabase::narrow(SESSIONS).await;
        let options = Options {
            max_connections: match pooler() {
                Pooler::None => SESSIONS.into(),
                Pooler::Transaction => CLIENTS,
            },
            ..Options::default()
        };
        let app = TestApp::with(&database, options).await;
        let tenants = crowd::tenants(&app).await;
        Self {
            _app: app,
            tenants,
            database,
        }
    }
}

/// Ends the sessions, whatever they are at, and says how many there were.
async fn end_sessions(database: &TestDatabase) -> i64 {
    let ended = format!("(select pg_terminate_backend(pid) as ended from {OF_THE_APPLICATION}) s where ended");
    database.count(&ended).await
}
