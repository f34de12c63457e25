-- Global: keys that a person's devices hold (WebAuthn), which sign in by themselves and count as a second factor.
create table passkeys (
    user_id       uuid not null references users (id) on delete cascade,
    id            uuid not null unique,
    name          text not null check (char_length(name) between 1 and 255),
    -- By what an authenticator names it. Nobody registers one that somebody has.
    credential_id bytea not null unique check (octet_length(credential_id) between 1 and 1023),
    -- The public key, how often it was used by its own count, and what kind of key it is. Nothing of it is secret.
    credential    jsonb not null check (octet_length(credential::text) <= 65536),
    -- Whether it was on more than one device when it was last used.
    synced        boolean not null,
    version       bigint not null default 1,
    last_used_at  timestamptz(3),
    created_at    timestamptz(3) not null,
    updated_at    timestamptz(3) not null,
    primary key (user_id, id)
);
alter table passkeys enable row level security;
alter table passkeys force row level security;
create policy owner_all on passkeys to current_user using (true) with check (true);
create policy oneself on passkeys to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on passkeys to tenantry_runtime;
grant update (name, credential, synced, version, last_used_at, updated_at) on passkeys to tenantry_runtime;

-- Global: challenges that a person's passkeys have answered, until they can be answered no more: each is good once.
create table answered_challenges (
    user_id        uuid not null references users (id) on delete cascade,
    challenge_hash bytea not null check (octet_length(challenge_hash) = 32),
    expires_at     timestamptz(3) not null,
    primary key (user_id, challenge_hash)
);
alter table answered_challenges enable row level security;
alter table answered_challenges force row level security;
create policy owner_all on answered_challenges to current_user using (true) with check (true);
create policy oneself on answered_challenges to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on answered_challenges to tenantry_runtime;
