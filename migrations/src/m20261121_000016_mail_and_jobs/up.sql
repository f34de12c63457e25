-- Global: what is done for a person after the request that asked for it, enqueued in its transaction. A worker takes a job for
-- as long as a lease lasts, and deletes it when it is done.
create table user_jobs (
    user_id    uuid not null references users (id) on delete cascade,
    id         uuid not null,
    kind       text not null check (kind ~ '^[a-z_]+$'),
    payload    jsonb not null check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 8192),
    -- The trace of the request that asked for it.
    trace_id   text not null check (trace_id ~ '^[0-9a-f]{32}$'),
    -- When it may be taken; of one that was taken, when its lease ends.
    due_at     timestamptz(3) not null,
    -- Of the worker that has it.
    lease      uuid,
    attempts   integer not null default 0,
    last_error text check (char_length(last_error) <= 500),
    -- When it was given up.
    dead_at    timestamptz(3),
    created_at timestamptz(3) not null,
    primary key (user_id, id)
);
create index user_jobs_due on user_jobs (due_at) where dead_at is null;
alter table user_jobs enable row level security;
alter table user_jobs force row level security;
create policy owner_all on user_jobs to current_user using (true) with check (true);
create policy oneself on user_jobs to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on user_jobs to tenantry_runtime;
grant update (due_at, lease, attempts, last_error, dead_at) on user_jobs to tenantry_runtime;
create policy lookup on user_jobs for select to tenantry_lookup using (true);
grant select (user_id, id, due_at, dead_at) on user_jobs to tenantry_lookup;

-- The same for an organization: what is done for it after the request that asked for it.
create table organization_jobs (
    organization_id uuid not null references organizations (id),
    id         uuid not null,
    kind       text not null check (kind ~ '^[a-z_]+$'),
    payload    jsonb not null check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 8192),
    trace_id   text not null check (trace_id ~ '^[0-9a-f]{32}$'),
    due_at     timestamptz(3) not null,
    lease      uuid,
    attempts   integer not null default 0,
    last_error text check (char_length(last_error) <= 500),
    dead_at    timestamptz(3),
    created_at timestamptz(3) not null,
    primary key (organization_id, id)
);
create index organization_jobs_due on organization_jobs (due_at) where dead_at is null;
alter table organization_jobs enable row level security;
alter table organization_jobs force row level security;
create policy owner_all on organization_jobs to current_user using (true) with check (true);
create policy tenant on organization_jobs to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, delete on organization_jobs to tenantry_runtime;
grant update (due_at, lease, attempts, last_error, dead_at) on organization_jobs to tenantry_runtime;
create policy lookup on organization_jobs for select to tenantry_lookup using (true);
grant select (organization_id, id, due_at, dead_at) on organization_jobs to tenantry_lookup;

-- Global: a link that was mailed to a person, good for one use. The link holds the id and a signature of it; what would open
-- anything is not kept here, not even as a hash.
create table user_links (
    user_id    uuid not null references users (id) on delete cascade,
    id         uuid not null unique,
    purpose    text not null check (purpose in ('verify_email', 'reset_password')),
    -- The address that it was mailed to, as addresses are compared.
    email_canonical text not null,
    expires_at timestamptz(3) not null,
    used_at    timestamptz(3),
    created_at timestamptz(3) not null,
    primary key (user_id, id)
);
alter table user_links enable row level security;
alter table user_links force row level security;
create policy owner_all on user_links to current_user using (true) with check (true);
create policy oneself on user_links to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on user_links to tenantry_runtime;
grant update (used_at) on user_links to tenantry_runtime;
create policy lookup on user_links for select to tenantry_lookup using (true);
grant select (user_id, id) on user_links to tenantry_lookup;

-- A worker: which jobs are due, and whose they are: a person's or an organization's. What they are about is read as their owner.
create function lookup.due_jobs(at timestamptz, most integer)
    returns table (user_id uuid, organization_id uuid, id uuid)
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select j.user_id, j.organization_id, j.id
        from (
            (select u.user_id, null::uuid as organization_id, u.id, u.due_at
             from public.user_jobs u
             where u.dead_at is null and u.due_at <= at
             order by u.due_at
             limit most)
            union all
            (select null::uuid, o.organization_id, o.id, o.due_at
             from public.organization_jobs o
             where o.dead_at is null and o.due_at <= at
             order by o.due_at
             limit most)
        ) j
        order by j.due_at
        limit most;
    end;
alter function lookup.due_jobs(timestamptz, integer) owner to tenantry_lookup;

-- Following a mailed link: no one is known yet but its holder.
create function lookup.user_by_link(link uuid) returns uuid
    language sql stable security definer set search_path = pg_catalog, public
    return (select l.user_id from public.user_links l where l.id = link);
alter function lookup.user_by_link(uuid) owner to tenantry_lookup;

-- Asking for a mail: no one is known yet but an address.
create function lookup.user_by_email(canonical text) returns uuid
    language sql stable security definer set search_path = pg_catalog, public
    return (select u.id from public.users u where u.email_canonical = canonical);
alter function lookup.user_by_email(text) owner to tenantry_lookup;

set local role tenantry_lookup;
revoke all on function lookup.due_jobs(timestamptz, integer) from public;
revoke all on function lookup.user_by_link(uuid) from public;
revoke all on function lookup.user_by_email(text) from public;
grant execute on function lookup.due_jobs(timestamptz, integer) to tenantry_runtime;
grant execute on function lookup.user_by_link(uuid) to tenantry_runtime;
grant execute on function lookup.user_by_email(text) to tenantry_runtime;
reset role;
