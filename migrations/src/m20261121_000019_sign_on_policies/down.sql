drop function lookup.membership(uuid, text);
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
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.membership(uuid, text) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.membership(uuid, text) from public;
grant execute on function lookup.membership(uuid, text) to tenantry_runtime;
reset role;
drop table sign_on_policies;
