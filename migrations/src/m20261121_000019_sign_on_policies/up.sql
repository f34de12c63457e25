-- How the members of an organization sign in. One without a row has the defaults, from its founding on.
create table sign_on_policies (
    organization_id uuid primary key references organizations (id),
    -- Of whom a second factor is demanded.
    mfa             text not null default 'admins' check (mfa in ('admins', 'everyone')),
    -- From when on the time is counted that they have to set one up.
    mfa_grace_from  timestamptz(3) not null,
    -- Counts the changes.
    version         bigint not null default 0,
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null
);
alter table sign_on_policies enable row level security;
alter table sign_on_policies force row level security;
create policy owner_all on sign_on_policies to current_user using (true) with check (true);
create policy tenant on sign_on_policies to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert on sign_on_policies to tenantry_runtime;
grant update (mfa, version, updated_at) on sign_on_policies to tenantry_runtime;
create policy lookup on sign_on_policies for select to tenantry_lookup using (true);
grant select (organization_id, mfa, mfa_grace_from) on sign_on_policies to tenantry_lookup;

-- Those that are there already have as long from now on as a new one has from its founding.
insert into sign_on_policies (organization_id, mfa_grace_from, created_at, updated_at)
select id, now(), created_at, created_at from organizations;

-- What the caller (app.user_id) holds in the organization of this id or slug, and how they are to sign in there; also in a
-- deleted one, which the program tells only those who may restore it: nothing at all for a stranger.
drop function lookup.membership(uuid, text);
create function lookup.membership(wanted_id uuid, wanted_slug text)
    returns table (
        organization_id uuid, status text, member_id uuid, last_seen_at timestamptz, grants jsonb, mfa text,
        mfa_grace_from timestamptz
    )
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
            '[]'), coalesce(p.mfa, 'admins'), coalesce(p.mfa_grace_from, o.created_at)
        from public.organizations o
        join public.members m on m.organization_id = o.id
        left join public.sign_on_policies p on p.organization_id = o.id
        where (o.id = wanted_id or o.slug = wanted_slug)
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.membership(uuid, text) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.membership(uuid, text) from public;
grant execute on function lookup.membership(uuid, text) to tenantry_runtime;
reset role;
