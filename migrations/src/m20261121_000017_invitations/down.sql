drop function lookup.invitation(uuid);
revoke select (name) on users from tenantry_lookup;
revoke select (name) on members from tenantry_lookup;
drop table invitations;
alter table organizations drop column max_seats;
