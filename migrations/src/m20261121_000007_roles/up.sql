create table roles (
    organization_id uuid not null references organizations (id),
    id          uuid not null,
    key         text not null check (char_length(key) between 1 and 63),
    name        text not null check (char_length(name) between 1 and 255),
    description text check (char_length(description) <= 2000),
    -- Names of the catalogue; null for a built-in role, whose permissions are the program's.
    permissions text[],
    built_in    boolean not null,
    version     bigint not null default 1,
    created_at  timestamptz(3) not null,
    updated_at  timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, key),
    check (built_in = (permissions is null))
);
alter table roles enable row level security;
alter table roles force row level security;
create policy owner_all on roles to current_user using (true) with check (true);
create policy tenant on roles to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, update, delete on roles to tenantry_runtime;
create policy lookup on roles for select to tenantry_lookup using (true);
grant select (organization_id, id, key, name, permissions, built_in) on roles to tenantry_lookup;
