-- How many members an organization may have: those that have more already keep them.
alter table organizations add column max_seats integer not null default 5 check (max_seats >= 1);
update organizations o
set max_seats = greatest(5, (select count(*) from members m where m.organization_id = o.id and m.status = 'active'));

-- Somebody who is asked to become a member. The row goes when they do, and when it is cancelled: whoever shows its link then is
-- told that it is gone.
create table invitations (
    organization_id uuid not null references organizations (id),
    id              uuid not null unique,
    email           text not null check (char_length(email) between 3 and 254),
    -- As addresses are compared. An address is invited once at a time.
    email_canonical text not null check (char_length(email_canonical) between 3 and 254),
    role_id         uuid not null,
    -- Where the role is held; null for the whole organization.
    workspace_id    uuid,
    -- The member who sent it: it gives no more than they hold, so it goes with them.
    invited_by      uuid not null,
    expires_at      timestamptz(3) not null,
    version         bigint not null default 1,
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null,
    primary key (organization_id, id),
    unique (organization_id, email_canonical),
    foreign key (organization_id, role_id) references roles (organization_id, id),
    foreign key (organization_id, workspace_id) references workspaces (organization_id, id) on delete cascade,
    foreign key (organization_id, invited_by) references members (organization_id, id) on delete cascade
);
create index invitations_by_created_at on invitations (organization_id, created_at, id);
create index invitations_of_role on invitations (organization_id, role_id);
create index invitations_of_workspace on invitations (organization_id, workspace_id) where workspace_id is not null;
create index invitations_of_member on invitations (organization_id, invited_by);
alter table invitations enable row level security;
alter table invitations force row level security;
create policy owner_all on invitations to current_user using (true) with check (true);
create policy tenant on invitations to tenantry_runtime
    using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert, delete on invitations to tenantry_runtime;
grant update (invited_by, expires_at, version, updated_at) on invitations to tenantry_runtime;
create policy lookup on invitations for select to tenantry_lookup using (true);
grant select (organization_id, id, email, role_id, workspace_id, invited_by, expires_at, created_at, updated_at)
    on invitations to tenantry_lookup;
grant select (name) on members to tenantry_lookup;
grant select (name) on users to tenantry_lookup;

-- Following the link of an invitation: no one is known yet but its holder, who is told what they are asked to join.
create function lookup.invitation(wanted uuid)
    returns table (
        organization_id uuid, organization_name text, email text, workspace_name text, role_id uuid, role_key text,
        role_name text, invited_by_name text, expires_at timestamptz, created_at timestamptz, updated_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select o.id, o.name, i.email, w.name, r.id, r.key, r.name, coalesce(m.name, u.name), i.expires_at, i.created_at,
               i.updated_at
        from public.invitations i
        join public.organizations o on o.id = i.organization_id
        join public.roles r on r.organization_id = i.organization_id and r.id = i.role_id
        join public.members m on m.organization_id = i.organization_id and m.id = i.invited_by
        join public.users u on u.id = m.user_id
        left join public.workspaces w on w.organization_id = i.organization_id and w.id = i.workspace_id
        where i.id = wanted and o.status <> 'deleted';
    end;
alter function lookup.invitation(uuid) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.invitation(uuid) from public;
grant execute on function lookup.invitation(uuid) to tenantry_runtime;
reset role;
