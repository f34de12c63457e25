//! The pool, its connections and the tables are this crate's alone: no statement of another's making reaches a row.

use tenantry_persistence::{Database, connection::Connection, entities::projects::Entity};

fn raw(database: &Database) {
    let _ = &database.pool;
}

fn main() {}
