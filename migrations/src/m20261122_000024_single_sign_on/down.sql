-- What would be an identity of everybody's.
delete from user_links l using pending_identities p
where p.user_id = l.user_id and p.link_id = l.id
  and p.connection_id is not null;

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
drop function lookup.my_single_sign_on();
drop function lookup.sign_on_of_domain(text);
drop function lookup.sign_on_connection(uuid);

delete from sessions s using identities i
where s.external_key is null and i.user_id = s.user_id and i.id = s.identity_id;
alter table sessions drop constraint sessions_external_identity;
alter table sessions add constraint sessions_check1 check ((external_key is null) = (identity_id is null));

delete from identities where connection_id is not null;
alter table identities
    drop constraint identities_subject_check,
    drop column connection_id,
    add constraint identities_subject_check check (octet_length(subject) between 1 and 512);
alter table pending_identities
    drop constraint pending_identities_subject_check,
    drop column connection_id,
    add constraint pending_identities_subject_check check (octet_length(subject) between 1 and 512);
set local role tenantry_lookup;
revoke all on function lookup.membership(uuid, text) from public;
grant execute on function lookup.membership(uuid, text) to tenantry_runtime;
reset role;

revoke select (connection_id, issuer, client_id, client_secret, default_role, sso_required, session_max_age)
    on sign_on_policies from tenantry_lookup;
alter table sign_on_policies
    drop column connection_id, drop column issuer, drop column client_id, drop column client_secret, drop column default_role,
    drop column sso_required, drop column session_max_age;
drop table former_members;
drop table domains;
