drop function lookup.user_by_refresh_token(bytea);
drop table refresh_tokens;
drop table sessions;
