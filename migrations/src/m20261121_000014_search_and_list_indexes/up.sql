-- What carries the lists of large tenants. Whoever owns a database may put these two extensions into it; a server that
-- lacks them needs PostgreSQL's package of contributed modules.
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gin with schema public;
do $$
declare
    elsewhere text;
begin
    select string_agg(format('%I in the schema %s', e.extname, e.extnamespace::regnamespace), ', ') into elsewhere
    from pg_extension e
    where e.extname in ('pg_trgm', 'btree_gin') and e.extnamespace <> 'public'::regnamespace;
    if elsewhere is not null then
        raise exception 'extensions are expected in the schema public: %', elsewhere
            using hint = 'alter extension … set schema public';
    end if;
end
$$;

-- Every order of a list is walked along an index: in all of an organization, as before, and in one workspace.
create index projects_of_workspace_by_updated_at on projects (organization_id, workspace_id, updated_at, id);
create index projects_of_workspace_by_name on projects (organization_id, workspace_id, name, id);
-- Archived projects are few, and the oldest: the newest first, a walk along all of them would come to them last.
create index projects_archived_by_created_at on projects (organization_id, created_at, id) where status = 'archived';
create index projects_archived_by_updated_at on projects (organization_id, updated_at, id) where status = 'archived';

-- Names, by the trigrams in them. The organization leads, so that nobody pays for words that are common elsewhere; and what
-- was written lately waits in a list that every search reads through, so it is kept short (kB).
create index projects_named on projects using gin (organization_id, name gin_trgm_ops)
    with (gin_pending_list_limit = 64);
create index workspaces_named on workspaces using gin (organization_id, name gin_trgm_ops)
    with (gin_pending_list_limit = 64);

-- Which projects and which workspaces of the organization (app.organization_id) have a name like that. Null where the
-- pattern has no trigram, and where there are more than a thousand: both are sought along the order of the list.
--
-- What a policy demands is looked at before what a query asks for, unless that is known to give nothing away. ILIKE is not,
-- so no statement of the runtime role uses these indexes by itself. These functions tell it ids and nothing else: it asks
-- for the rows of those ids as for all others, behind both walls. PL/pgSQL plans with the values at hand, on which it depends
-- what serves best.
create policy lookup on projects for select to tenantry_lookup using (true);
grant select (organization_id, id, name) on projects to tenantry_lookup;
create policy lookup on workspaces for select to tenantry_lookup using (true);
grant select (organization_id, id, name) on workspaces to tenantry_lookup;

create function lookup.projects_named(pattern text) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public
as $$
declare
    tenant constant uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
    named uuid[];
begin
    if pattern ~ '[[:alnum:]]{3}' then
        named := array(
            select p.id from public.projects p where p.organization_id = tenant and p.name ilike pattern limit 1001
        );
    end if;
    return case when cardinality(named) <= 1000 then named end;
end
$$;
alter function lookup.projects_named(text) owner to tenantry_lookup;

create function lookup.workspaces_named(pattern text) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public
as $$
declare
    tenant constant uuid := nullif(current_setting('app.organization_id', true), '')::uuid;
    named uuid[];
begin
    if pattern ~ '[[:alnum:]]{3}' then
        named := array(
            select w.id from public.workspaces w where w.organization_id = tenant and w.name ilike pattern limit 1001
        );
    end if;
    return case when cardinality(named) <= 1000 then named end;
end
$$;
alter function lookup.workspaces_named(text) owner to tenantry_lookup;

set local role tenantry_lookup;
revoke all on function lookup.projects_named(text) from public;
revoke all on function lookup.workspaces_named(text) from public;
grant execute on function lookup.projects_named(text) to tenantry_runtime;
grant execute on function lookup.workspaces_named(text) to tenantry_runtime;
reset role;
