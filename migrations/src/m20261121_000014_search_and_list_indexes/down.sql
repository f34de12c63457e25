drop function lookup.workspaces_named(text);
drop function lookup.projects_named(text);
revoke select (organization_id, id, name) on workspaces from tenantry_lookup;
drop policy lookup on workspaces;
revoke select (organization_id, id, name) on projects from tenantry_lookup;
drop policy lookup on projects;
drop index workspaces_named, projects_named;
drop index projects_archived_by_updated_at, projects_archived_by_created_at;
drop index projects_of_workspace_by_name, projects_of_workspace_by_updated_at;

-- Extensions that somebody else has put here stay.
do $$
declare
    extension name;
begin
    for extension in
        select e.extname from pg_extension e
        where e.extname in ('pg_trgm', 'btree_gin') and e.extowner = current_user::regrole
    loop
        execute format('drop extension %I', extension);
    end loop;
end
$$;
