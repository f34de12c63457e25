//! Search in names: which rows have a name that contains a text, whatever its case.
//!
//! `ILIKE` is not known to give nothing away, so row-level security keeps it from the indexes that carry it. Where a table
//! may hold many rows of a tenant, a look-up tells the ids of those that match ([`Searched::named`]); few rows are
//! compared one by one ([`name_contains`]). To carry another table: an index and a look-up like those of
//! `m20261121_000014_search_and_list_indexes`.

use sea_orm::{
    ConnectionTrait as _, DbBackend, Statement,
    sea_query::{
        Expr, ExprTrait as _, Func, SimpleExpr,
        extension::postgres::{PgExpr as _, PgFunc},
    },
};
use tenantry_domain::text::SearchText;
use uuid::Uuid;

use crate::{connection::Connection, error::Result};

/// A table whose names an index carries.
pub(crate) struct Searched {
    /// Asks for the ids of the rows that match: all of them, or null where that is not for the index to tell.
    pub(crate) look_up: &'static str,
    /// The column of its ids.
    pub(crate) id: SimpleExpr,
    /// The column of its names.
    pub(crate) name: SimpleExpr,
}

impl Searched {
    /// The condition of being named so, in one round trip.
    ///
    /// Where very many rows match, or the text is too short for the index, it compares names: along the order of the list
    /// a page of them is soon found.
    pub(crate) async fn named(self, connection: &Connection, search: &SearchText) -> Result<SimpleExpr> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, self.look_up, [pattern(search).into()]);
        let row = connection.query_one_raw(statement).await?;
        let ids: Option<Vec<Uuid>> = row.map(|row| row.try_get("", "ids")).transpose()?.flatten();
        Ok(match ids {
            Some(ids) => self.id.eq(PgFunc::any(Expr::val(ids))),
            // Said in a way that PostgreSQL takes for true of every other row. What it would estimate is far too few, and it
            // would then fetch and sort all that match, for a page of them.
            None => Func::coalesce([name_contains(self.name, search), Expr::val(false)]).into(),
        })
    }
}

/// That `name` contains the text that is searched for, whatever its case.
pub(crate) fn name_contains(name: SimpleExpr, search: &SearchText) -> SimpleExpr {
    name.ilike(pattern(search))
}

/// The text as a pattern of `LIKE`, in which none of its characters stands for others.
fn pattern(search: &SearchText) -> String {
    let mut pattern = String::from("%");
    for character in search.as_str().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
