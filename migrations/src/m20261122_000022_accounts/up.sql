-- Global: the address that a person wants instead of theirs, until both are confirmed by links that were mailed to them.
create table email_changes (
    user_id         uuid not null references users (id) on delete cascade,
    id              uuid not null unique,
    email           text not null check (octet_length(email) between 1 and 254),
    email_canonical text not null check (octet_length(email_canonical) <= 254),
    -- Whether whoever reads the mails of the present address is still to agree.
    awaits_current  boolean not null,
    -- Whether the new one is still to be proven.
    awaits_new      boolean not null,
    expires_at      timestamptz(3) not null,
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null,
    -- One at a time.
    primary key (user_id)
);
alter table email_changes enable row level security;
alter table email_changes force row level security;
create policy owner_all on email_changes to current_user using (true) with check (true);
create policy oneself on email_changes to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on email_changes to tenantry_runtime;
grant update (awaits_current, awaits_new, updated_at) on email_changes to tenantry_runtime;

alter table user_links drop constraint user_links_purpose_check;
alter table user_links add constraint user_links_purpose_check
    check (purpose in ('verify_email', 'reset_password', 'confirm_identity', 'approve_email_change', 'prove_new_email'));

-- Global: what a person signed in with before, and from where.
create table known_devices (
    user_id      uuid not null references users (id) on delete cascade,
    -- What it named itself; empty where it did not.
    device       text not null check (char_length(device) <= 100),
    -- About the provider and the region: `203.0.0.0/16`; empty where the address is not known.
    network      text not null check (octet_length(network) <= 64),
    last_seen_at timestamptz(3) not null,
    -- Whether it counts as new when it is seen again: somebody else may have had the account meanwhile.
    forgotten    boolean not null default false,
    created_at   timestamptz(3) not null,
    primary key (user_id, device, network)
);
alter table known_devices enable row level security;
alter table known_devices force row level security;
create policy owner_all on known_devices to current_user using (true) with check (true);
create policy oneself on known_devices to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on known_devices to tenantry_runtime;
grant update (last_seen_at, forgotten) on known_devices to tenantry_runtime;
