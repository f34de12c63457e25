//! A person who goes is in one organization at a time: another is entered when the departure from it has ended.

use tenantry_domain::ids::OrganizationId;
use tenantry_persistence::{Result, user::DepartingTx};

async fn from_one_in_another(tx: &mut DepartingTx, one: OrganizationId, other: OrganizationId) -> Result<bool> {
    let departure = tx.depart_from(one).await?;
    tx.depart_from(other).await?;
    Ok(departure.is_some())
}

fn main() {}
