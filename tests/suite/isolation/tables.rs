//! The tables, as the catalogue of the database tells of them, and whose rows are whose.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::world::{Tenant, World};

/// Tables in which nobody owns a row: the runtime role has no right to them at all.
pub(super) const OWNERLESS: [&str; 1] = ["seaql_migrations"];

/// A table and the column that says whose its rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) owner: Owner,
    /// The column that holds the owner.
    pub(super) column: &'static str,
    /// A column that the runtime role may change: the owner's own, for want of one.
    pub(super) changeable: String,
}

/// What a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Organization,
    Person,
}

/// Every table with owners. One of which nobody knows whose its rows are fails here.
pub(super) async fn all(connection: &mut PgConnection) -> Vec<Table> {
    let columns: Vec<(String, Vec<String>, Option<String>)> = sqlx::query_as(
        "select c.relname::text, array_agg(a.attname::text),
                max(a.attname::text) filter (where has_column_privilege('tenantry_runtime', c.oid, a.attnum, 'update'))
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
         group by 1 order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let owned = columns
        .into_iter()
        .filter(|(name, ..)| !OWNERLESS.contains(&name.as_str()));
    let tables: Vec<Table> = owned
        .map(|(name, columns, changeable)| {
            let has = |column: &str| columns.iter().any(|known| known == column);
            let (owner, column) = match name.as_str() {
                "organizations" => (Owner::Organization, "id"),
                "users" => (Owner::Person, "id"),
                _ if has("organization_id") => (Owner::Organization, "organization_id"),
                _ if has("user_id") => (Owner::Person, "user_id"),
                _ => panic!("nobody knows whose the rows of {name} are"),
            };
            Table {
                name,
                owner,
                column,
                changeable: changeable.unwrap_or_else(|| column.to_owned()),
            }
        })
        .collect();
    assert!(tables.len() > 10, "{tables:?}");
    tables
}

/// The names of those whose rows belong to organizations.
pub(super) fn of_tenants(tables: &[Table]) -> Vec<&str> {
    tables
        .iter()
        .filter(|table| table.owner == Owner::Organization)
        .map(|table| table.name.as_str())
        .collect()
}

/// The rows of a tenant and of its people, by table.
pub(super) type Rows = BTreeMap<String, Value>;

/// Reads all rows of a tenant and of its people, as a superuser.
pub(super) async fn rows(superuser: &mut PgConnection, tables: &[Table], tenant: &Tenant, others: &[&str]) -> Rows {
    let list = |ids: &[&str]| {
        let quoted: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        quoted.join(", ")
    };
    let organizations = list(&[&tenant.organization, &tenant.second_organization]);
    let people: Vec<&str> = tenant.people().iter().map(|(_, person)| person.id.as_str()).collect();
    let people = list(&[&people[..], others].concat());
    let each: Vec<String> = tables
        .iter()
        .map(
            |Table {
                 name, owner, column, ..
             }| {
                let owners = match owner {
                    Owner::Organization => &organizations,
                    Owner::Person => &people,
                };
                format!(
                    "select '{name}', coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text), '[]')
                 from {name} t where {column} in ({owners})"
                )
            },
        )
        .collect();
    let rows: Vec<(String, Value)> = sqlx::query_as(AssertSqlSafe(each.join(" union all ")))
        .fetch_all(superuser)
        .await
        .unwrap();
    rows.into_iter().collect()
}

/// Strings that are in the rows of B and not in those of A, with the table that each tells of: ids, names, addresses.
pub(super) async fn strings_of_b(
    superuser: &mut PgConnection,
    tables: &[Table],
    world: &World,
) -> HashMap<String, String> {
    let a = rows(superuser, tables, &world.a, &[&world.both.id]).await;
    let b = rows(superuser, tables, &world.b, &[]).await;
    let mut own = HashMap::new();
    collect(&a, &mut own);
    let mut others = HashMap::new();
    collect(&b, &mut others);
    // What is short is a word of the program's, such as a status.
    others.retain(|text, _| text.len() >= 8 && !own.contains_key(text));
    assert!(
        [
            &world.b.organization,
            &world.b.project,
            &world.b.workspaces[1],
            &world.b.owner.email
        ]
        .into_iter()
        .all(|text| others.contains_key(text)),
        "B is not in its own rows"
    );
    others
}

/// Strings by the table that they tell of: its own ids before anything else, values of columns before those of documents.
fn collect(rows: &Rows, found: &mut HashMap<String, String>) {
    let each = || {
        let of_table = |(table, rows): (_, &'_ Value)| -> Vec<(&'_ String, Value)> {
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| (table, row.clone()))
                .collect()
        };
        rows.iter().flat_map(of_table)
    };
    for (table, row) in each() {
        if let Some(id) = row["id"].as_str() {
            found.insert(id.to_owned(), table.clone());
        }
    }
    for (table, row) in each() {
        for value in row.as_object().unwrap().values().filter_map(Value::as_str) {
            found.entry(value.to_owned()).or_insert_with(|| table.clone());
        }
    }
    for (table, row) in each() {
        strings(&row, &mut |text| {
            found.entry(text.to_owned()).or_insert_with(|| table.clone());
        });
    }
}

fn strings(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, each)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
