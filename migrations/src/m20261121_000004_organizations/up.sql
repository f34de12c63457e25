-- Global: the tenants. A tenant sees the row that it is.
create table organizations (
    id         uuid primary key,
    name       text not null check (char_length(name) between 1 and 255),
    slug       text not null unique check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$'),
    status     text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
    plan       text not null default 'free' check (plan in ('free', 'starter', 'pro', 'enterprise')),
    region     text not null check (char_length(region) between 1 and 63),
    isolation  text not null default 'shared' check (isolation in ('shared')),
    settings   jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
    version    bigint not null default 1,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null
);
alter table organizations enable row level security;
alter table organizations force row level security;
create policy owner_all on organizations to current_user using (true) with check (true);
create policy tenant on organizations to tenantry_runtime
    using (id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
    with check (id = (select nullif(current_setting('app.organization_id', true), '')::uuid));
grant select, insert on organizations to tenantry_runtime;
grant update (name, slug, status, settings, version, updated_at) on organizations to tenantry_runtime;
create policy lookup on organizations for select to tenantry_lookup using (true);
grant select (id, name, slug, status, plan, region, isolation, settings, version, created_at, updated_at)
    on organizations to tenantry_lookup;

-- The first of these slugs that no organization has, deleted ones included: those of other tenants cannot be seen.
create function lookup.free_organization_slug(candidates text[]) returns text
    language sql stable security definer set search_path = pg_catalog, public
    return (
        select c.slug
        from unnest(candidates) with ordinality c (slug, position)
        where not exists (select 1 from public.organizations o where o.slug = c.slug)
        order by c.position
        limit 1
    );
alter function lookup.free_organization_slug(text[]) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.free_organization_slug(text[]) from public;
grant execute on function lookup.free_organization_slug(text[]) to tenantry_runtime;
reset role;
