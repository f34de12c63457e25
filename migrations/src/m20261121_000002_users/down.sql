drop function lookup.credentials_by_email(text);
drop table credentials;
drop table users;
