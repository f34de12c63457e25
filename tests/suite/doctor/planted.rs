//! One defect a test, each in a database of its own: it is named, and nothing else is.
//!
//! To plant another: what a superuser does to the shipped schema, and the code and subject of each finding.

use tenantry_tests::database::TestDatabase;

use super::{found, protection, tenant_table};

macro_rules! planted {
    ($($name:ident: $sql:expr => $([$code:literal $subject:literal])*;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let database = TestDatabase::new().await;
                database.superuser($sql).await;
                let expected: Vec<(String, String)> = vec![$(($code.to_owned(), $subject.to_owned())),*];
                assert_eq!(found(database.runtime_url()).await, expected);
            }
        )*
    };
}

// Tables and their row-level security.
planted! {
    a_good_tenant_table_is_none: tenant_table("notes") => ;
    a_table_of_nobody: "create table stray (id uuid primary key)" =>
        ["policy_missing" "public.stray"] ["rls_not_enabled" "public.stray"] ["rls_not_forced" "public.stray"]
        ["table_without_organization" "public.stray"];
    a_table_of_a_global_name_elsewhere:
        format!("create schema other; create table other.users (id uuid primary key, organization_id uuid);
                 create index on other.users (organization_id); {}", protection("other.users")) =>
        ["table_without_organization" "other.users"];
    an_organization_that_is_no_uuid:
        "create table notes (organization_id text not null primary key);
         alter table notes enable row level security; alter table notes force row level security;
         create policy tenant on notes to tenantry_runtime
             using (organization_id = (select current_setting('app.organization_id', true)))
             with check (organization_id = (select current_setting('app.organization_id', true)))" =>
        ["policy_open" "tenant on public.notes"] ["policy_open" "tenant on public.notes"]
        ["policy_setting_per_row" "tenant on public.notes"] ["policy_setting_per_row" "tenant on public.notes"]
        ["table_without_organization" "public.notes"];
    row_level_security_off: "alter table projects disable row level security" => ["rls_not_enabled" "public.projects"];
    row_level_security_not_forced: "alter table users no force row level security" =>
        ["rls_not_forced" "public.users"];
    the_list_of_migrations_unprotected: "alter table seaql_migrations disable row level security" =>
        ["rls_not_enabled" "public.seaql_migrations"];
    no_index:
        format!("create table notes (organization_id uuid not null, id uuid unique); {}", protection("notes")) =>
        ["table_without_organization_index" "public.notes"];
    an_index_that_leads_with_something_else:
        format!("create table notes (organization_id uuid not null, id uuid, unique (id, organization_id)); {}",
                protection("notes")) =>
        ["table_without_organization_index" "public.notes"];
    an_index_over_some_rows:
        format!("create table notes (organization_id uuid not null, id uuid);
                 create index on notes (organization_id) where id is not null; {}", protection("notes")) =>
        ["table_without_organization_index" "public.notes"];
    a_child_by_inheritance: "create table child () inherits (projects)" =>
        ["policy_missing" "public.child"] ["rls_not_enabled" "public.child"] ["rls_not_forced" "public.child"]
        ["table_without_organization_index" "public.child"];
    a_foreign_table:
        "create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
         create foreign table far (organization_id uuid not null) server elsewhere" => ["foreign_table" "public.far"];
}

// Policies.
planted! {
    no_policy: "drop policy tenant on projects" => ["policy_missing" "public.projects"];
    a_policy_without_using:
        "drop policy tenant on projects;
         create policy tenant on projects for insert to tenantry_runtime
             with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))" =>
        ["policy_without_using" "public.projects"];
    a_policy_without_check:
        "drop policy tenant on projects;
         create policy tenant on projects to tenantry_runtime
             using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))" =>
        ["policy_without_check" "public.projects"];
    another_policy_without_check:
        "create policy other on projects for update to tenantry_runtime
             using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))" =>
        ["policy_without_check" "public.projects"];
    only_a_restrictive_policy:
        "drop policy tenant on projects;
         create policy tenant on projects as restrictive to tenantry_runtime
             using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))
             with check (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid))" =>
        ["policy_missing" "public.projects"];
    using_true: "alter policy tenant on projects using (true)" => ["policy_open" "tenant on public.projects"];
    with_check_true: "alter policy tenant on projects with check (true)" =>
        ["policy_open" "tenant on public.projects"];
    or_true:
        "alter policy tenant on projects
             using (organization_id = (select nullif(current_setting('app.organization_id', true), '')::uuid)
                    or true)" =>
        ["policy_open" "tenant on public.projects"];
    the_wrong_setting:
        "alter policy tenant on projects
             using (organization_id = (select nullif(current_setting('app.user_id', true), '')::uuid))" =>
        ["policy_open" "tenant on public.projects"];
    the_wrong_column:
        "alter policy oneself on sessions
             using (id = (select nullif(current_setting('app.user_id', true), '')::uuid))" =>
        ["policy_open" "oneself on public.sessions"];
    an_operator_of_another_schema:
        "create function same(uuid, uuid) returns boolean language sql return true;
         create operator = (leftarg = uuid, rightarg = uuid, function = same);
         alter policy tenant on projects using
             (organization_id operator(public.=)
                 (select nullif(current_setting('app.organization_id', true), '')::uuid))" =>
        ["policy_open" "tenant on public.projects"];
    a_further_policy_for_everybody: "create policy more on projects for select using (true)" =>
        ["policy_open" "more on public.projects"];
    a_further_policy_for_the_login: "create policy more on grants for delete to tenantry_app using (true)" =>
        ["policy_open" "more on public.grants"];
    writing_among_co_members:
        "create policy more on users for update to tenantry_runtime
             using (exists (select 1 from members m where m.user_id = users.id and m.organization_id =
                 (select nullif(current_setting('app.organization_id', true), '')::uuid)))
             with check (exists (select 1 from members m where m.user_id = users.id and m.organization_id =
                 (select nullif(current_setting('app.organization_id', true), '')::uuid)))" =>
        ["policy_open" "more on public.users"];
    a_policy_on_the_list_of_migrations: "create policy more on seaql_migrations to tenantry_runtime using (true)" =>
        ["policy_open" "more on public.seaql_migrations"];
    a_call_for_each_row:
        "alter policy tenant on projects using
             (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)" =>
        ["policy_setting_per_row" "tenant on public.projects"];
    a_call_for_each_row_in_a_restrictive_policy:
        "create policy less on projects as restrictive to tenantry_runtime
             using (created_by = nullif(current_setting('app.user_id', true), '')::uuid)" =>
        ["policy_setting_per_row" "less on public.projects"];
    a_setting_before_any_transaction:
        "do $$ begin execute format(
             'alter database %I set app.organization_id = ''0192f8a0-0000-7000-8000-000000000000''',
             current_database()); end $$" => ["setting_preset" "app.organization_id"];
}

// Foreign keys and partitions.
planted! {
    a_foreign_key_without_organization:
        "alter table projects add unique (id);
         alter table grants add constraint stray foreign key (project_id) references projects (id)" =>
        ["foreign_key_without_organization" "stray on public.grants"];
    a_foreign_key_that_crosses_its_columns:
        "alter table members add constraint crossed foreign key (id, organization_id)
             references workspaces (organization_id, id)" =>
        ["foreign_key_without_organization" "crossed on public.members"];
    a_partition_without_policies: format!("{} create table y2026 partition of logs default;", partitioned()) =>
        ["partition_unprotected" "public.y2026"];
    a_partition_without_policies_but_its_flags:
        format!("{} create table y2026 partition of logs default;
                 alter table y2026 enable row level security; alter table y2026 force row level security",
                partitioned()) =>
        ["partition_unprotected" "public.y2026"];
    a_partition_granted:
        format!("{} create table y2026 partition of logs default; {} grant select on y2026 to tenantry_runtime",
                partitioned(), protection("y2026")) =>
        ["partition_granted" "public.y2026"];
    a_column_of_a_partition_granted:
        format!("{} create table y2026 partition of logs default; {} grant select (at) on y2026 to public",
                partitioned(), protection("y2026")) =>
        ["partition_granted" "public.y2026"];
    a_good_partition_is_none:
        format!("{} create table y2026 partition of logs default; {}", partitioned(), protection("y2026")) => ;
}

// Views, rules and functions.
planted! {
    a_view: "create view all_projects as select * from projects" =>
        ["view_without_security_invoker" "public.all_projects"];
    a_view_that_says_so: "create view all_projects with (security_invoker = off) as select * from projects" =>
        ["view_without_security_invoker" "public.all_projects"];
    a_view_with_the_rights_of_its_reader_is_none:
        "create view my_projects with (security_invoker = on) as select * from projects" => ;
    a_materialized_view: "create materialized view copies as select * from projects" =>
        ["materialized_view" "public.copies"];
    a_materialized_view_through_a_view:
        "create view my_projects with (security_invoker) as select * from projects;
         create schema other; create materialized view other.copies as select * from my_projects" =>
        ["materialized_view" "other.copies"];
    a_materialized_view_of_nothing_is_none: "create materialized view numbers as select generate_series(1, 3) as n" => ;
    a_rule: "create rule watched as on insert to projects do also notify projects" =>
        ["rule" "watched on public.projects"];
    a_function_with_its_owners_rights:
        "create function peek() returns bigint language sql security definer set search_path = pg_catalog, public
         begin atomic select count(*) from projects; end" => ["function_not_listed" "public.peek()"];
    a_function_with_its_callers_path:
        "create function peek() returns bigint language sql security definer return 1" =>
        ["function_not_listed" "public.peek()"] ["function_without_search_path" "public.peek()"];
    a_procedure_with_its_owners_rights:
        "create procedure poke(text) language sql security definer set search_path = pg_catalog
         begin atomic select 1; end" => ["function_not_listed" "public.poke(text)"];
    a_lookup_without_path: "alter function lookup.membership(uuid, text) reset search_path" =>
        ["function_without_search_path" "lookup.membership(uuid,text)"];
    a_lookup_with_a_path_of_its_callers:
        "alter function lookup.membership(uuid, text) set search_path = \"$user\", public" =>
        ["function_without_search_path" "lookup.membership(uuid,text)"];
    a_lookup_of_another_owner: "alter function lookup.my_organizations() owner to tenantry_owner" =>
        ["function_owner" "lookup.my_organizations()"];
    a_lookup_for_everybody: "grant execute on function lookup.credentials_by_email(text) to public" =>
        ["function_granted_to_public" "lookup.credentials_by_email(text)"];
    a_lookup_that_tells_more:
        "drop function lookup.user_by_refresh_token(bytea);
         create function lookup.user_by_refresh_token(hash bytea) returns table (user_id uuid, email text)
             language sql stable security definer set search_path = pg_catalog, public
             begin atomic select id, email from public.users; end;
         alter function lookup.user_by_refresh_token(bytea) owner to tenantry_lookup;
         revoke all on function lookup.user_by_refresh_token(bytea) from public" =>
        ["function_not_listed" "lookup.user_by_refresh_token(bytea)"];
}

// Grants.
planted! {
    truncate: "grant truncate on projects to tenantry_runtime" => ["grant_truncate" "public.projects"];
    references_for_the_login: "grant references on projects to tenantry_app" => ["grant_references" "public.projects"];
    references_on_a_column: "grant references (id) on users to tenantry_runtime" =>
        ["grant_references" "public.users.id"];
    trigger_for_everybody: "grant trigger on members to public" => ["grant_trigger" "public.members"];
    everything: "grant all on events to tenantry_runtime" =>
        ["grant_references" "public.events"] ["grant_trigger" "public.events"] ["grant_truncate" "public.events"];
    create_in_a_schema: "grant create on schema public to tenantry_runtime" => ["grant_create" "public"];
    create_in_a_schema_for_everybody: "create schema other; grant create on schema other to public" =>
        ["grant_create" "other"];
    rights_on_tables_to_come:
        "alter default privileges for role tenantry_owner grant truncate on tables to tenantry_runtime" =>
        ["default_privileges" "tenantry_owner"];
    rights_on_schemas_to_come: "alter default privileges for role tenantry_owner grant create on schemas to public" =>
        ["default_privileges" "tenantry_owner"];
    a_lookup_role_that_writes: "grant insert, update (status) on members to tenantry_lookup" =>
        ["lookup_role_writes" "public.members"] ["lookup_role_writes" "public.members.status"];
    a_lookup_role_that_creates: "grant create on schema public to tenantry_lookup" => ["lookup_role_writes" "public"];
}

// Migrations.
planted! {
    a_pending_migration: "delete from seaql_migrations where version = 'm20261121_000011_events'" =>
        ["pending_migrations" "m20261121_000011_events"];
    a_migration_of_a_later_release: "insert into seaql_migrations values ('m20991231_000001_later', 0)" =>
        ["unknown_migration" "m20991231_000001_later"];
    no_word_on_migrations: "drop function lookup.applied_migrations()" =>
        ["pending_migrations" "lookup.applied_migrations()"];
    no_right_to_ask_for_migrations: "revoke execute on function lookup.applied_migrations() from tenantry_runtime" =>
        ["pending_migrations" "lookup.applied_migrations()"];
}

#[tokio::test]
async fn create_in_the_database() {
    let database = TestDatabase::new().await;
    let name = database.name();
    database
        .superuser(format!("grant create on database {name} to tenantry_runtime"))
        .await;
    assert_eq!(
        found(database.runtime_url()).await,
        [("grant_create".to_owned(), name.to_owned())]
    );
}

/// A partitioned table that is protected itself.
fn partitioned() -> String {
    format!(
        "create table logs (organization_id uuid not null, at timestamptz not null, primary key (organization_id, at))
             partition by range (at);
         {}",
        protection("logs")
    )
}
