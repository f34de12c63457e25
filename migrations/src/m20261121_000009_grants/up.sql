-- A role held by a member: in the whole organization where both targets are null, else in a workspace or a project.
create table grants (
    organization_id uuid not null references organizations (id),
    id           uuid not null,
    member_id    uuid not null,
    role_id      uuid not null,
    workspace_id uuid,
    project_id   uuid,
    created_at   timestamptz(3) not null,
    updated_at   timestamptz(3) not null,
    primary key (organization_id, id),
    unique nulls not distinct (organization_id, member_id, workspace_id, project_id),
    foreign key (organization_id, member_id) references members (organization_id, id) on delete cascade,
    foreign key (organization_id, role_id) references roles (organization_id, id),
    foreign key (organization_id, workspace_id) references workspaces (organization_id, id) on delete cascade,
    foreign key (organization_id, project_id) references projects (organization_id, id) on delete cascade,
    check (workspace_id is null or project_id is null)
);
create index grants_of_role on grants (organization_id, role_id);
create index grants_of_workspace on grants (organization_id, workspace_id) where workspace_id is not null;
create index grants_of_project on grants (organization_id, project_id) where project_id is not null;
alter table grants enable row level security;
alter table grants force row level security;
create policy owner_all on grants to current_user using (true) with check (true);
create policy tenant on grants to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, update, delete on grants to tenantry_runtime;
create policy lookup on grants for select to tenantry_lookup using (true);
grant select (organization_id, member_id, role_id, workspace_id, project_id) on grants to tenantry_lookup;

-- What the caller (app.user_id) holds in the organization of this id or slug: nothing at all for a stranger.
create function lookup.membership(wanted_id uuid, wanted_slug text)
    returns table (organization_id uuid, status text, member_id uuid, last_seen_at timestamptz, grants jsonb)
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.id, o.status, m.id, m.last_seen_at, coalesce(
            (select jsonb_agg(jsonb_build_object(
                    'workspace_id', g.workspace_id, 'project_id', g.project_id,
                    'role_id', r.id, 'key', r.key, 'name', r.name,
                    'permissions', r.permissions, 'built_in', r.built_in)
                order by g.workspace_id nulls first, g.project_id nulls first)
             from public.grants g
             join public.roles r on r.organization_id = g.organization_id and r.id = g.role_id
             where g.organization_id = o.id and g.member_id = m.id),
            '[]')
        from public.organizations o
        join public.members m on m.organization_id = o.id
        where (o.id = wanted_id or o.slug = wanted_slug)
          and o.status <> 'deleted'
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.membership(uuid, text) owner to tenantry_lookup;

-- The organizations that the caller (app.user_id) is a member of.
create function lookup.my_organizations()
    returns table (
        id uuid, name text, slug text, status text, plan text, region text, isolation text, settings jsonb,
        version bigint, created_at timestamptz, updated_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.id, o.name, o.slug, o.status, o.plan, o.region, o.isolation,
               -- A suspended organization tells nothing of itself, and none does to those without a role in all of it.
               case when o.status = 'active' and exists (
                   select 1 from public.grants g
                   where g.organization_id = o.id and g.member_id = m.id
                     and g.workspace_id is null and g.project_id is null
               ) then o.settings else '{}' end,
               o.version, o.created_at, o.updated_at
        from public.organizations o
        join public.members m on m.organization_id = o.id
        where o.status <> 'deleted'
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.my_organizations() owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.membership(uuid, text) from public;
revoke all on function lookup.my_organizations() from public;
grant execute on function lookup.membership(uuid, text) to tenantry_runtime;
grant execute on function lookup.my_organizations() to tenantry_runtime;
reset role;
