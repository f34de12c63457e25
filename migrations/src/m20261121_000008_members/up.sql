create table members (
    organization_id uuid not null references organizations (id),
    id           uuid not null,
    user_id      uuid not null references users (id) on delete restrict,
    status       text not null default 'active' check (status in ('active', 'inactive')),
    joined_at    timestamptz(3) not null,
    last_seen_at timestamptz(3),
    version      bigint not null default 1,
    created_at   timestamptz(3) not null,
    updated_at   timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, user_id)
);
create index members_by_created_at on members (organization_id, created_at, id);
create index members_of_user on members (user_id, organization_id);
alter table members enable row level security;
alter table members force row level security;
create policy owner_all on members to current_user using (true) with check (true);
create policy tenant on members to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, update, delete on members to tenantry_runtime;
create policy lookup on members for select to tenantry_lookup using (true);
grant select (organization_id, id, user_id, status, last_seen_at) on members to tenantry_lookup;

-- People see those with whom they are in the organization of the transaction.
create policy co_members on users for select to tenantry_runtime
    using (exists (
        select 1 from members m
        where m.user_id = users.id
          and m.organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid)
    ));
