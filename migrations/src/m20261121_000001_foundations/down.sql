drop function lookup.applied_migrations();
drop policy lookup on seaql_migrations;
drop policy owner_all on seaql_migrations;
alter table seaql_migrations no force row level security;
alter table seaql_migrations disable row level security;
revoke select (version) on seaql_migrations from tenantry_lookup;
revoke usage on schema public from tenantry_lookup, tenantry_runtime;
drop schema lookup;
