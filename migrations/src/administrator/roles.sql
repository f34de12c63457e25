-- The roles, once for a cluster. Run it as an administrator; running it again is safe and sets the two passwords anew:
--   psql -v ON_ERROR_STOP=1 -v owner_password=… -v runtime_password=… -f roles.sql
--   createdb --owner tenantry_owner tenantry
--   psql -v ON_ERROR_STOP=1 -d tenantry -f database.sql
set client_min_messages = warning;

do $$
begin
    -- Owns the schema and migrates it. Row-level security holds for it too, so it may bypass nothing.
    if not exists (select from pg_roles where rolname = 'tenantry_owner') then
        create role tenantry_owner nosuperuser nobypassrls nocreaterole nocreatedb;
    end if;
    -- What a serving process may do: migrations grant to this group, never to a login.
    if not exists (select from pg_roles where rolname = 'tenantry_runtime') then
        create role tenantry_runtime nologin nosuperuser nobypassrls nocreaterole nocreatedb;
    end if;
    -- Owns the few functions that answer before it is known who calls.
    if not exists (select from pg_roles where rolname = 'tenantry_lookup') then
        create role tenantry_lookup nologin nosuperuser nobypassrls nocreaterole nocreatedb;
    end if;
    -- The login of the serving processes.
    if not exists (select from pg_roles where rolname = 'tenantry_app') then
        create role tenantry_app nosuperuser nobypassrls nocreaterole nocreatedb;
    end if;
end
$$;

alter role tenantry_owner login password :'owner_password';
alter role tenantry_app login password :'runtime_password';
grant tenantry_runtime to tenantry_app;
-- Lets migrations hand the look-up functions over to their role.
grant tenantry_lookup to tenantry_owner;
