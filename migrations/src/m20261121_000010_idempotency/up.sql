-- What a repeated request is answered with: written in the transaction of its effect.
create table idempotency_records (
    organization_id uuid not null references organizations (id),
    user_id     uuid not null references users (id) on delete cascade,
    -- SHA-256 of method, path and key.
    scope_hash  bytea not null check (octet_length(scope_hash) = 32),
    -- SHA-256 of the body.
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    resource    jsonb not null,
    created_at  timestamptz(3) not null,
    expires_at  timestamptz(3) not null,
    primary key (organization_id, user_id, scope_hash)
);
create index idempotency_records_of_user on idempotency_records (user_id);
create index idempotency_records_expired on idempotency_records (organization_id, user_id, expires_at);
alter table idempotency_records enable row level security;
alter table idempotency_records force row level security;
create policy owner_all on idempotency_records to current_user using (true) with check (true);
create policy tenant on idempotency_records to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, delete on idempotency_records to tenantry_runtime;

-- Global: the same for what a person does in no organization.
create table user_idempotency_records (
    user_id     uuid not null references users (id) on delete cascade,
    scope_hash  bytea not null check (octet_length(scope_hash) = 32),
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    resource    jsonb not null,
    created_at  timestamptz(3) not null,
    expires_at  timestamptz(3) not null,
    primary key (user_id, scope_hash)
);
create index user_idempotency_records_expired on user_idempotency_records (user_id, expires_at);
alter table user_idempotency_records enable row level security;
alter table user_idempotency_records force row level security;
create policy owner_all on user_idempotency_records to current_user using (true) with check (true);
create policy oneself on user_idempotency_records to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on user_idempotency_records to tenantry_runtime;
