create table projects (
    organization_id uuid not null references organizations (id),
    id           uuid not null,
    workspace_id uuid not null,
    name         text not null check (char_length(name) between 1 and 255),
    slug         text not null check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$'),
    description  text check (char_length(description) <= 2000),
    status       text not null default 'active' check (status in ('active', 'archived')),
    visibility   text not null default 'organization' check (visibility in ('organization', 'private')),
    settings     jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
    created_by   uuid references users (id) on delete set null,
    version      bigint not null default 1,
    created_at   timestamptz(3) not null,
    updated_at   timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, workspace_id, slug),
    foreign key (organization_id, workspace_id) references workspaces (organization_id, id)
);
create index projects_by_created_at on projects (organization_id, created_at, id);
create index projects_by_updated_at on projects (organization_id, updated_at, id);
create index projects_by_name on projects (organization_id, name, id);
create index projects_of_workspace_by_created_at on projects (organization_id, workspace_id, created_at, id);
create index projects_by_creator on projects (created_by);
alter table projects enable row level security;
alter table projects force row level security;
create policy owner_all on projects to current_user using (true) with check (true);
create policy tenant on projects to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, update, delete on projects to tenantry_runtime;
