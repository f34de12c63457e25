-- The schema of look-ups: what must be answered before it is known who calls, by functions of a role of its own.
create schema lookup;
revoke all on schema lookup from public;
grant create, usage on schema lookup to tenantry_lookup;
grant usage on schema lookup to tenantry_runtime;
grant usage on schema public to tenantry_lookup, tenantry_runtime;

-- The list of applied migrations belongs to the owner alone; the runtime role learns the names through a look-up.
alter table seaql_migrations enable row level security;
alter table seaql_migrations force row level security;
create policy owner_all on seaql_migrations to current_user using (true) with check (true);
create policy lookup on seaql_migrations for select to tenantry_lookup using (true);
grant select (version) on seaql_migrations to tenantry_lookup;

create function lookup.applied_migrations() returns setof text
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select m.version::text from public.seaql_migrations m order by m.version;
    end;
alter function lookup.applied_migrations() owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.applied_migrations() from public;
grant execute on function lookup.applied_migrations() to tenantry_runtime;
reset role;
