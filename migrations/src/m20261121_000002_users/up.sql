-- Global: a person exists once, in however many organizations.
create table users (
    id              uuid primary key,
    email           text not null,
    -- Addresses compare without case: this is the address as it is compared.
    email_canonical text not null unique,
    email_verified_at timestamptz(3),
    name            text not null check (char_length(name) between 1 and 255),
    avatar_url      text,
    locale          text,
    preferences     jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
    mfa_enabled     boolean not null default false,
    version         bigint not null default 1,
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null
);
alter table users enable row level security;
alter table users force row level security;
create policy owner_all on users to current_user using (true) with check (true);
create policy oneself on users to tenantry_runtime
    using (id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert on users to tenantry_runtime;
grant update (email, email_canonical, email_verified_at, name, avatar_url, locale, preferences, mfa_enabled, version, updated_at)
    on users to tenantry_runtime;
create policy lookup on users for select to tenantry_lookup using (true);
grant select (id, email_canonical) on users to tenantry_lookup;

-- Global: the password of a person, apart from the person, so that nothing that reads people can read it.
create table credentials (
    user_id       uuid primary key references users (id) on delete cascade,
    -- A PHC string.
    password_hash text not null,
    created_at    timestamptz(3) not null,
    updated_at    timestamptz(3) not null
);
alter table credentials enable row level security;
alter table credentials force row level security;
create policy owner_all on credentials to current_user using (true) with check (true);
create policy oneself on credentials to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert on credentials to tenantry_runtime;
grant update (password_hash, updated_at) on credentials to tenantry_runtime;
create policy lookup on credentials for select to tenantry_lookup using (true);
grant select (user_id, password_hash) on credentials to tenantry_lookup;

-- Sign-in: no one is known yet but an address.
create function lookup.credentials_by_email(canonical text) returns table (user_id uuid, password_hash text)
    language sql stable security definer set search_path = pg_catalog, public
    begin atomic
        select u.id, c.password_hash
        from public.users u join public.credentials c on c.user_id = u.id
        where u.email_canonical = canonical;
    end;
alter function lookup.credentials_by_email(text) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.credentials_by_email(text) from public;
grant execute on function lookup.credentials_by_email(text) to tenantry_runtime;
reset role;
