//! An `Access` is made where it is decided that the caller may come in, and nowhere else.

use std::{marker::PhantomData, sync::Arc};

use tenantry_domain::{permissions::perm, trace::TraceId};
use tenantry_persistence::tenant::{Access, TenantContext};

fn without_asking(context: Arc<TenantContext>, trace: TraceId) -> Access<perm::ProjectDelete> {
    Access {
        context,
        trace,
        permission: PhantomData,
    }
}

fn main() {}
