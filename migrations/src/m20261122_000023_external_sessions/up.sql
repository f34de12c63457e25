-- Of a session that was opened at another issuer: the hash of what it is known by there, and by which identity of the person's. It goes
-- with that, which its tokens name in vain then.
alter table sessions
    add column external_key bytea check (octet_length(external_key) = 32),
    add column identity_id  uuid,
    add check ((external_key is null) = (identity_id is null)),
    add foreign key (user_id, identity_id) references identities (user_id, id) on delete cascade;
create index sessions_of_identity on sessions (user_id, identity_id) where identity_id is not null;
-- One at a time is alive.
create unique index sessions_external on sessions (user_id, external_key) where external_key is not null and revoked_at is null;

-- Whoever has a second factor opens no session without it, but at another issuer, which asks for its own: there it is used afterwards,
-- where an organization demands it.
drop policy second_factor on sessions;
create policy second_factor on sessions as restrictive for insert to tenantry_runtime
    with check (factor_used_at is not null or external_key is not null
        or not exists (select 1 from users u where u.id = sessions.user_id and u.mfa_enabled));

-- When all of a person's sessions were last ended, or all but one: tokens of other issuers from until then open none.
alter table users add column sessions_ended_at timestamptz(3);
grant update (sessions_ended_at) on users to tenantry_runtime;
