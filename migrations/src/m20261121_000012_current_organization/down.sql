drop function lookup.organizations_to_leave();
drop function lookup.my_current_organization();
drop function lookup.my_memberships();
revoke select (joined_at, created_at, updated_at) on members from tenantry_lookup;
drop trigger lost_its_creator on projects;
drop function project_lost_its_creator();
-- What is left of those who have gone.
delete from user_events e where not exists (select from users u where u.id = e.user_id);
alter table user_events add constraint user_events_user_id_fkey
    foreign key (user_id) references users (id) on delete cascade;
revoke delete on user_events from tenantry_runtime;
revoke delete on users from tenantry_runtime;
revoke select (current_organization_id) on users from tenantry_lookup;
revoke update (current_organization_id) on users from tenantry_runtime;
drop index users_by_current_organization;
alter table users drop column current_organization_id;
