-- Global: a device on which a person is signed in.
create table sessions (
    user_id      uuid not null references users (id) on delete cascade,
    id           uuid not null unique,
    ip           inet,
    user_agent   text check (char_length(user_agent) <= 512),
    last_seen_at timestamptz(3) not null,
    -- The end that no refresh moves.
    expires_at   timestamptz(3) not null,
    revoked_at   timestamptz(3),
    revoked_because text check (revoked_because in ('logout', 'revoked', 'reuse')),
    created_at   timestamptz(3) not null,
    primary key (user_id, id),
    check ((revoked_at is null) = (revoked_because is null))
);
create index sessions_newest on sessions (user_id, created_at desc, id desc) where revoked_at is null;
alter table sessions enable row level security;
alter table sessions force row level security;
create policy owner_all on sessions to current_user using (true) with check (true);
create policy oneself on sessions to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on sessions to tenantry_runtime;
grant update (last_seen_at, revoked_at, revoked_because) on sessions to tenantry_runtime;

-- Global: the tokens that a session's access tokens are renewed with; only their hashes are known here.
create table refresh_tokens (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id    uuid not null,
    session_id uuid not null,
    expires_at timestamptz(3) not null,
    used_at    timestamptz(3),
    successors integer not null default 0,
    created_at timestamptz(3) not null,
    foreign key (user_id, session_id) references sessions (user_id, id) on delete cascade
);
create index refresh_tokens_of_session on refresh_tokens (user_id, session_id);
alter table refresh_tokens enable row level security;
alter table refresh_tokens force row level security;
create policy owner_all on refresh_tokens to current_user using (true) with check (true);
create policy oneself on refresh_tokens to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on refresh_tokens to tenantry_runtime;
grant update (used_at, successors) on refresh_tokens to tenantry_runtime;
create policy lookup on refresh_tokens for select to tenantry_lookup using (true);
grant select (token_hash, user_id) on refresh_tokens to tenantry_lookup;

-- Refreshing and signing out: no one is known yet but the holder of a token.
create function lookup.user_by_refresh_token(hash bytea) returns uuid
    language sql stable security definer set search_path = pg_catalog, public
    return (select t.user_id from public.refresh_tokens t where t.token_hash = hash);
alter function lookup.user_by_refresh_token(bytea) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.user_by_refresh_token(bytea) from public;
grant execute on function lookup.user_by_refresh_token(bytea) to tenantry_runtime;
reset role;
