-- When somebody last proved who they are in a session, and when they last used a second factor in it. The default is for nodes of
-- the version before, which sign people in while this one is rolled out.
alter table sessions add column authenticated_at timestamptz(3), add column factor_used_at timestamptz(3);
update sessions set authenticated_at = created_at;
alter table sessions alter column authenticated_at set not null, alter column authenticated_at set default now();
grant update (authenticated_at, factor_used_at) on sessions to tenantry_runtime;
-- Whoever has a second factor signs in with it: whatever forgets that, a node of the version before included, opens no session.
create policy second_factor on sessions as restrictive for insert to tenantry_runtime
    with check (factor_used_at is not null
        or not exists (select 1 from users u where u.id = sessions.user_id and u.mfa_enabled));

-- Global: what a person proves themselves by beside their password, and how often it went wrong of late.
create table second_factors (
    user_id           uuid primary key references users (id) on delete cascade,
    -- What an authenticator app shares with us (RFC 6238), sealed with a key of the installation's; null where there is none.
    totp_secret       bytea check (octet_length(totp_secret) between 1 and 512),
    -- When the app proved that it has the secret.
    totp_confirmed_at timestamptz(3),
    -- The time step of the last code that was used: none of it or of one before is good any more.
    totp_last_step    bigint,
    -- Wrong codes in a row.
    failures          integer not null default 0 check (failures >= 0),
    locked_until      timestamptz(3),
    created_at        timestamptz(3) not null,
    updated_at        timestamptz(3) not null,
    check (totp_secret is not null or totp_confirmed_at is null and totp_last_step is null)
);
alter table second_factors enable row level security;
alter table second_factors force row level security;
create policy owner_all on second_factors to current_user using (true) with check (true);
create policy oneself on second_factors to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert on second_factors to tenantry_runtime;
grant update (totp_secret, totp_confirmed_at, totp_last_step, failures, locked_until, updated_at)
    on second_factors to tenantry_runtime;

-- Global: codes for the day on which the other factors are lost. Each has 80 random bits, so that a plain hash of it can be kept.
create table recovery_codes (
    user_id    uuid not null references users (id) on delete cascade,
    code_hash  bytea not null check (octet_length(code_hash) = 32),
    used_at    timestamptz(3),
    created_at timestamptz(3) not null,
    primary key (user_id, code_hash)
);
alter table recovery_codes enable row level security;
alter table recovery_codes force row level security;
create policy owner_all on recovery_codes to current_user using (true) with check (true);
create policy oneself on recovery_codes to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on recovery_codes to tenantry_runtime;
grant update (used_at) on recovery_codes to tenantry_runtime;

-- Global: a device on which a second factor was used and is not asked for again for a while.
create table trusted_devices (
    user_id      uuid not null references users (id) on delete cascade,
    id           uuid not null unique,
    token_hash   bytea not null check (octet_length(token_hash) = 32),
    ip           inet,
    user_agent   text check (char_length(user_agent) <= 512),
    last_used_at timestamptz(3) not null,
    expires_at   timestamptz(3) not null,
    created_at   timestamptz(3) not null,
    primary key (user_id, id),
    unique (user_id, token_hash)
);
create index trusted_devices_newest on trusted_devices (user_id, created_at desc, id desc);
alter table trusted_devices enable row level security;
alter table trusted_devices force row level security;
create policy owner_all on trusted_devices to current_user using (true) with check (true);
create policy oneself on trusted_devices to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on trusted_devices to tenantry_runtime;
grant update (last_used_at) on trusted_devices to tenantry_runtime;
