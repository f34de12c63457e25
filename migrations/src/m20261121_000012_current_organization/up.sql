-- What a person works in where a request names no organization. Whether they are still a member of it is asked whenever
-- it is read.
alter table users add column current_organization_id uuid references organizations (id) on delete set null;
create index users_by_current_organization on users (current_organization_id) where current_organization_id is not null;
grant update (current_organization_id) on users to tenantry_runtime;
grant select (current_organization_id) on users to tenantry_lookup;

-- A person may go: the policies leave them themselves alone to be deleted. What they did outside of organizations goes with
-- them, but for the event that says so, which stays for whoever delivers it.
grant delete on users to tenantry_runtime;
grant delete on user_events to tenantry_runtime;
alter table user_events drop constraint user_events_user_id_fkey;

-- Who made a project is part of what its version stands for: when they go, it is another one.
create function project_lost_its_creator() returns trigger
    language plpgsql set search_path = pg_catalog
    as $$ begin new.version := old.version + 1; return new; end $$;
revoke all on function project_lost_its_creator() from public;
create trigger lost_its_creator before update of created_by on projects
    for each row when (old.created_by is not null and new.created_by is null)
    execute function project_lost_its_creator();

grant select (joined_at, created_at, updated_at) on members to tenantry_lookup;

-- The memberships of the caller (app.user_id) that count, each with its organization and the role held in all of it.
create function lookup.my_memberships()
    returns table (
        id uuid, organization_id uuid, name text, slug text, status text, plan text,
        role_id uuid, role_key text, role_name text,
        joined_at timestamptz, created_at timestamptz, updated_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select m.id, o.id, o.name, o.slug, o.status, o.plan, r.id, r.key, r.name, m.joined_at, m.created_at, m.updated_at
        from public.members m
        join public.organizations o on o.id = m.organization_id
        left join public.grants g on g.organization_id = m.organization_id and g.member_id = m.id
            and g.workspace_id is null and g.project_id is null
        left join public.roles r on r.organization_id = g.organization_id and r.id = g.role_id
        where o.status <> 'deleted'
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.my_memberships() owner to tenantry_lookup;

-- What the caller (app.user_id) has chosen to work in, while they are a member of it.
create function lookup.my_current_organization() returns uuid
    language sql stable security definer set search_path = pg_catalog, public
    return (
        select o.id
        from public.users u
        join public.members m on m.user_id = u.id and m.organization_id = u.current_organization_id
        join public.organizations o on o.id = m.organization_id
        where o.status <> 'deleted'
          and m.status = 'active'
          and u.id = (select nullif(current_setting('app.user_id', true), '')::uuid)
    );
alter function lookup.my_current_organization() owner to tenantry_lookup;

-- The organizations that hold a membership of the caller (app.user_id), whether or not it counts: those to leave by whoever
-- goes.
create function lookup.organizations_to_leave() returns setof uuid
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select m.organization_id
        from public.members m
        where m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid)
        order by m.organization_id;
    end;
alter function lookup.organizations_to_leave() owner to tenantry_lookup;

set local role tenantry_lookup;
revoke all on function lookup.my_memberships() from public;
revoke all on function lookup.my_current_organization() from public;
revoke all on function lookup.organizations_to_leave() from public;
grant execute on function lookup.my_memberships() to tenantry_runtime;
grant execute on function lookup.my_current_organization() to tenantry_runtime;
grant execute on function lookup.organizations_to_leave() to tenantry_runtime;
reset role;
