-- What was done in an organization, in the transaction that did it. Rows are added and read, never changed.
create table events (
    organization_id uuid not null references organizations (id),
    id            uuid not null,
    type          text not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
    actor_user_id uuid,
    resource_type text not null,
    resource_id   uuid not null,
    trace_id      text not null check (trace_id ~ '^[0-9a-f]{32}$'),
    before        jsonb,
    after         jsonb,
    created_at    timestamptz(3) not null,
    primary key (organization_id, id)
);
alter table events enable row level security;
alter table events force row level security;
create policy owner_all on events to current_user using (true) with check (true);
create policy tenant on events to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert on events to tenantry_runtime;

-- Global: the same for what a person did in no organization.
create table user_events (
    user_id       uuid not null references users (id) on delete cascade,
    id            uuid not null,
    type          text not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
    resource_type text not null,
    resource_id   uuid not null,
    trace_id      text not null check (trace_id ~ '^[0-9a-f]{32}$'),
    before        jsonb,
    after         jsonb,
    created_at    timestamptz(3) not null,
    primary key (user_id, id)
);
alter table user_events enable row level security;
alter table user_events force row level security;
create policy owner_all on user_events to current_user using (true) with check (true);
create policy oneself on user_events to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert on user_events to tenantry_runtime;
