//! What else takes the owner of the schema: to see every row, and to have statistics gathered.

use sea_orm_migration::sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Statement};

use crate::runner::{Connection, Error};

/// How many organizations there are beside those of these ids.
///
/// # Errors
/// When the database cannot be reached, or has no schema.
pub async fn organizations_beside(owner_url: &str, ids: &[String]) -> Result<u64, Error> {
    let connection = Connection::open(owner_url).await?;
    let count = Statement::from_sql_and_values(
        connection.0.get_database_backend(),
        "select count(*) as others from organizations where id <> all ($1::uuid[])",
        [format!("{{{}}}", ids.join(",")).into()],
    );
    let counted = connection.0.query_one_raw(count).await;
    connection.close().await?;
    let others: Option<i64> = counted?.map(|row| row.try_get("", "others")).transpose()?;
    Ok(others.and_then(|others| u64::try_from(others).ok()).unwrap_or_default())
}

/// Has PostgreSQL look at every table, which it would do by itself within minutes: for its plans, and so that it knows which
/// rows everybody may see, which are counted by an index alone.
///
/// # Errors
/// When the database cannot be reached.
pub async fn gather_statistics(owner_url: &str) -> Result<(), Error> {
    let connection = Connection::open(owner_url).await?;
    let gathered = gather(&connection.0).await;
    connection.close().await?;
    gathered.map_err(Error::from)
}

/// Of the owner's own tables: the others could only be skipped, each with a warning.
async fn gather(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let tables = Statement::from_string(
        connection.get_database_backend(),
        "select string_agg(format('%I.%I', schemaname, tablename), ', ') as names
         from pg_tables where schemaname = 'public' and tableowner = current_user",
    );
    let row = connection.query_one_raw(tables).await?;
    let names: Option<String> = row.map(|row| row.try_get("", "names")).transpose()?.flatten();
    if let Some(names) = names {
        connection
            .execute_unprepared(&format!("vacuum (analyze) {names}"))
            .await?;
    }
    Ok(())
}
