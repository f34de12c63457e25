//! Pages of lists: order, place and count, the same for every list.
//!
//! A page is found by its number, and counted; or by the place after which it begins, and then neither writes before it
//! nor the length of the list matter (keyset pagination).

use sea_orm::{
    ConnectionTrait, QueryResult,
    sea_query::{Alias, Asterisk, Condition, Expr, ExprTrait as _, Func, Order, Query, SelectStatement, SimpleExpr},
};
use tenantry_domain::lists::{Direction, ListQuery, Page, Place, SortValue, Window};

use crate::{
    connection::Connection,
    error::{Error, Result},
};

/// One key of an order.
struct Key {
    by: SimpleExpr,
    direction: Direction,
}

/// Fetches the part of `rows` that `query` asks for.
///
/// `rows` selects all that the caller may see; `column` says what a field is in it, and `id` what its last key is.
pub(crate) async fn fetch<F: Copy, T>(
    connection: &Connection,
    mut rows: SelectStatement,
    query: &ListQuery<F>,
    column: impl Fn(F) -> SimpleExpr,
    id: SimpleExpr,
    parse: impl Fn(&QueryResult) -> Result<T>,
) -> Result<Page<T>> {
    let size = u64::from(query.page_size);
    let last_direction = query
        .order
        .last()
        .map_or(Direction::Descending, |&(_, direction)| direction);
    let mut keys: Vec<Key> = query
        .order
        .iter()
        .map(|&(field, direction)| Key {
            by: column(field),
            direction,
        })
        .collect();
    keys.push(Key {
        by: id,
        direction: last_direction,
    });

    let mut total = None;
    match &query.window {
        Window::Page(number) => {
            let count = Query::select()
                .expr_as(Func::count(Expr::col(Asterisk)), "total")
                .from_subquery(rows.clone(), Alias::new("counted"))
                .to_owned();
            let row = connection.query_one(&count).await?;
            let counted: i64 = row.map(|row| row.try_get("", "total")).transpose()?.unwrap_or_default();
            total = Some(u64::try_from(counted).unwrap_or_default());
            rows.offset(u64::from(number.saturating_sub(1)) * size);
        }
        Window::After(Some(place)) => {
            rows.cond_where(after(&keys, place)?);
        }
        Window::After(None) => {}
    }
    for key in keys {
        rows.order_by_expr(key.by, order(key.direction));
    }
    // One more than asked for tells whether there are more.
    rows.limit(size + 1);
    let found = connection.query_all(&rows).await?;
    let more = found.len() as u64 > size;
    let items = found
        .iter()
        .take(query.page_size as usize)
        .map(parse)
        .collect::<Result<_>>()?;
    Ok(Page { items, more, total })
}

const fn order(direction: Direction) -> Order {
    match direction {
        Direction::Ascending => Order::Asc,
        Direction::Descending => Order::Desc,
    }
}

/// What comes after a place.
fn after(keys: &[Key], place: &Place) -> Result<Condition> {
    let values: Vec<SimpleExpr> = place.values.iter().map(value).chain([Expr::val(place.id)]).collect();
    let (Some(first), Some(bound), true) = (keys.first(), values.first(), keys.len() == values.len()) else {
        return Err(Error::Corrupt("a place of another order".to_owned()));
    };
    let beyond = |key: SimpleExpr, direction: Direction, value: SimpleExpr| match direction {
        Direction::Ascending => key.gt(value),
        Direction::Descending => key.lt(value),
    };
    if keys.iter().all(|key| key.direction == first.direction) {
        // One direction: a comparison of rows, which an index on these columns answers.
        let row = Expr::tuple(keys.iter().map(|key| key.by.clone()));
        return Ok(Condition::all().add(beyond(row, first.direction, Expr::tuple(values))));
    }
    let mut any = Condition::any();
    for (index, (key, bound)) in keys.iter().zip(&values).enumerate() {
        let mut all = Condition::all();
        for (equal, value) in keys.iter().zip(&values).take(index) {
            all = all.add(equal.by.clone().eq(value.clone()));
        }
        any = any.add(all.add(beyond(key.by.clone(), key.direction, bound.clone())));
    }
    // It follows from what is said above, and an index on the first key begins there: of alternatives it answers none.
    let not_before = match first.direction {
        Direction::Ascending => first.by.clone().gte(bound.clone()),
        Direction::Descending => first.by.clone().lte(bound.clone()),
    };
    Ok(Condition::all().add(not_before).add(any))
}

fn value(value: &SortValue) -> SimpleExpr {
    match value {
        SortValue::Time(time) => Expr::val(*time),
        SortValue::Text(text) => Expr::val(text.as_str()),
    }
}
