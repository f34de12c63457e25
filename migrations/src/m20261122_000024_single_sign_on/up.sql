-- Domains that an organization says are its own, and those that it has proven by a record in the DNS.
create table domains (
    organization_id uuid not null references organizations (id),
    id              uuid not null unique,
    -- As the DNS knows it (IDNA, UTS 46), without a dot at its end.
    name            text not null check (octet_length(name) between 3 and 253 and name = lower(name)),
    -- What the record holds that proves it.
    token           text not null check (octet_length(token) between 16 and 64),
    -- When it was found there.
    verified_at     timestamptz(3),
    version         bigint not null default 1,
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, name)
);
-- Of all that claim a domain, one has it.
create unique index domains_verified_key on domains (name) where verified_at is not null;
create index domains_by_created_at on domains (organization_id, created_at, id);
alter table domains enable row level security;
alter table domains force row level security;
create policy owner_all on domains to current_user using (true) with check (true);
create policy tenant on domains to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, delete on domains to tenantry_runtime;
grant update (verified_at, version, updated_at) on domains to tenantry_runtime;
create policy lookup on domains for select to tenantry_lookup using (true);
grant select (organization_id, name, verified_at) on domains to tenantry_lookup;

-- Who was a member: nobody comes back by signing in.
create table former_members (
    organization_id uuid not null references organizations (id),
    user_id         uuid not null references users (id) on delete cascade,
    created_at      timestamptz(3) not null,
    primary key (organization_id, user_id)
);
create index former_members_by_user on former_members (user_id);
alter table former_members enable row level security;
alter table former_members force row level security;
create policy owner_all on former_members to current_user using (true) with check (true);
create policy tenant on former_members to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert on former_members to tenantry_runtime;

-- The organization's own OpenID provider, and what is demanded of those who sign in through it or through others.
alter table sign_on_policies
    -- Another one whenever the issuer or the client is: what was vouched for through the one before counts no longer.
    add column connection_id   uuid,
    add column issuer          text check (octet_length(issuer) between 1 and 512),
    add column client_id       text check (char_length(client_id) between 1 and 255),
    -- Sealed.
    add column client_secret   bytea check (octet_length(client_secret) <= 4096),
    -- What whoever signs in through it for the first time becomes in the organization; null: nothing.
    add column default_role    text default 'member' check (default_role in ('member', 'viewer')),
    -- Whether those with an address of the organization's domains sign in through it alone.
    add column sso_required    boolean not null default false,
    -- How old a sign-in may be, in seconds; null: as old as sessions become.
    add column session_max_age integer check (session_max_age between 900 and 2592000),
    add check ((connection_id is null) = (issuer is null)),
    add check ((connection_id is null) = (client_id is null)),
    add check (client_secret is null or connection_id is not null),
    add check (connection_id is not null or not sso_required);
grant update (connection_id, issuer, client_id, client_secret, default_role, sso_required, session_max_age)
    on sign_on_policies to tenantry_runtime;
grant select (connection_id, issuer, client_id, client_secret, default_role, sso_required, session_max_age)
    on sign_on_policies to tenantry_lookup;

-- An organization's provider vouches for nobody elsewhere: the subject of what it says has the connection before it, so that it is the
-- one of no other.
alter table identities
    add column connection_id uuid,
    drop constraint identities_subject_check,
    add constraint identities_subject_check check (octet_length(subject) between 1 and 600),
    add check (connection_id is null or starts_with(subject, connection_id::text || '/'));
alter table pending_identities
    add column connection_id uuid,
    drop constraint pending_identities_subject_check,
    add constraint pending_identities_subject_check check (octet_length(subject) between 1 and 600),
    add check (connection_id is null or starts_with(subject, connection_id::text || '/'));

-- A session that an organization's provider opened goes with the identity that did, as those of trusted issuers do.
alter table sessions drop constraint sessions_check1;
alter table sessions add constraint sessions_external_identity check (external_key is null or identity_id is not null);

-- What an organization is called, and its provider, if it has one that can be signed in through: whoever does is not known yet.
create function lookup.sign_on_connection(wanted uuid)
    returns table (organization_name text, connection_id uuid, issuer text, client_id text, client_secret bytea)
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.name, p.connection_id, p.issuer, p.client_id, p.client_secret
        from public.organizations o
        left join public.sign_on_policies p on p.organization_id = o.id and o.status = 'active'
        where o.id = wanted;
    end;
alter function lookup.sign_on_connection(uuid) owner to tenantry_lookup;

-- Whose provider those with addresses of a domain sign in through, and what they become by that.
create function lookup.sign_on_of_domain(wanted text)
    returns table (
        organization_id uuid, organization_name text, connection_id uuid, default_role text, sso_required boolean
    )
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.id, o.name, p.connection_id, p.default_role, p.sso_required
        from public.domains d
        join public.organizations o on o.id = d.organization_id
        join public.sign_on_policies p on p.organization_id = o.id
        where d.name = wanted and d.verified_at is not null and o.status = 'active' and p.connection_id is not null;
    end;
alter function lookup.sign_on_of_domain(text) owner to tenantry_lookup;

-- The organization, if any, that demands of the caller (app.user_id) to sign in through its provider, and whether they own it. One that
-- is suspended does not, since nobody can, and goes on to hold them to their address.
create function lookup.my_single_sign_on()
    returns table (organization_id uuid, is_active boolean, connection_id uuid, is_owner boolean)
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.id, o.status = 'active', p.connection_id, exists (
                   select 1 from public.grants g
                   join public.roles r on r.organization_id = g.organization_id and r.id = g.role_id
                   where g.organization_id = o.id and g.member_id = m.id and g.workspace_id is null and g.project_id is null
                     and r.built_in and r.key = 'owner')
        from public.users u
        join public.domains d on d.name = split_part(u.email_canonical, '@', 2) and d.verified_at is not null
        join public.sign_on_policies p on p.organization_id = d.organization_id and p.sso_required
        join public.organizations o on o.id = d.organization_id and o.status <> 'deleted'
        join public.members m on m.organization_id = o.id and m.user_id = u.id and m.status = 'active'
        where u.id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.my_single_sign_on() owner to tenantry_lookup;

-- What the caller (app.user_id) holds in the organization of this id or slug, and how they are to sign in there; also in a
-- deleted one, which the program tells only those who may restore it: nothing at all for a stranger. Nodes of the version before read
-- what is demanded of them in columns of its own.
drop function lookup.membership(uuid, text);
create function lookup.membership(wanted_id uuid, wanted_slug text)
    returns table (
        organization_id uuid, status text, member_id uuid, last_seen_at timestamptz, grants jsonb, mfa text,
        mfa_grace_from timestamptz, sign_on jsonb
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
            '[]'), coalesce(p.mfa, 'admins'), coalesce(p.mfa_grace_from, o.created_at), jsonb_build_object(
                'mfa', coalesce(p.mfa, 'admins'),
                'mfa_grace_from', (extract(epoch from coalesce(p.mfa_grace_from, o.created_at)) * 1000)::bigint,
                'session_max_age', p.session_max_age,
                -- What they are to sign in through.
                'connection', case when p.sso_required and exists (
                    select 1 from public.users u
                    join public.domains d on d.name = split_part(u.email_canonical, '@', 2)
                    where u.id = m.user_id and d.organization_id = o.id and d.verified_at is not null
                ) then p.connection_id end)
        from public.organizations o
        join public.members m on m.organization_id = o.id
        left join public.sign_on_policies p on p.organization_id = o.id
        where (o.id = wanted_id or o.slug = wanted_slug)
          and m.status = 'active'
          and m.user_id = (select nullif(current_setting('app.user_id', true), '')::uuid);
    end;
alter function lookup.membership(uuid, text) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.sign_on_connection(uuid) from public;
revoke all on function lookup.sign_on_of_domain(text) from public;
revoke all on function lookup.my_single_sign_on() from public;
revoke all on function lookup.membership(uuid, text) from public;
grant execute on function lookup.sign_on_connection(uuid) to tenantry_runtime;
grant execute on function lookup.sign_on_of_domain(text) to tenantry_runtime;
grant execute on function lookup.my_single_sign_on() to tenantry_runtime;
grant execute on function lookup.membership(uuid, text) to tenantry_runtime;
reset role;
