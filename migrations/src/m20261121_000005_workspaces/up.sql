create table workspaces (
    organization_id uuid not null references organizations (id),
    id          uuid not null,
    name        text not null check (char_length(name) between 1 and 255),
    slug        text not null check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$'),
    description text check (char_length(description) <= 2000),
    icon        text check (char_length(icon) <= 255),
    color       text not null default '#3B82F6' check (color ~ '^#[0-9A-Fa-f]{6}$'),
    is_default  boolean not null default false,
    settings    jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
    version     bigint not null default 1,
    created_at  timestamptz(3) not null,
    updated_at  timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, slug)
);
create unique index workspaces_one_default on workspaces (organization_id) where is_default;
create index workspaces_by_created_at on workspaces (organization_id, created_at, id);
create index workspaces_by_updated_at on workspaces (organization_id, updated_at, id);
create index workspaces_by_name on workspaces (organization_id, name, id);
alter table workspaces enable row level security;
alter table workspaces force row level security;
create policy owner_all on workspaces to current_user using (true) with check (true);
create policy tenant on workspaces to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, update, delete on workspaces to tenantry_runtime;
