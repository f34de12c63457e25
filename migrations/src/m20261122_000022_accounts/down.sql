drop table known_devices;
delete from user_links where purpose in ('approve_email_change', 'prove_new_email');
alter table user_links drop constraint user_links_purpose_check;
alter table user_links add constraint user_links_purpose_check
    check (purpose in ('verify_email', 'reset_password', 'confirm_identity'));
drop table email_changes;
