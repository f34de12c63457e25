drop function lookup.user_by_identity(text, text);
drop table pending_identities;
delete from user_links where purpose = 'confirm_identity';
alter table user_links drop constraint user_links_purpose_check;
alter table user_links add constraint user_links_purpose_check check (purpose in ('verify_email', 'reset_password'));
drop table identities;
