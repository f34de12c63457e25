-- Global: what other providers know a person by, who signs in through them.
create table identities (
    user_id      uuid not null references users (id) on delete cascade,
    id           uuid not null unique,
    -- The provider's key in the configuration.
    provider     text not null check (char_length(provider) between 1 and 63),
    -- By what it is found: a provider never gives a subject to anybody else, as it may an address.
    issuer       text not null check (octet_length(issuer) between 1 and 512),
    subject      text not null check (octet_length(subject) between 1 and 512),
    -- The address that the provider knew when it was last used.
    email        text check (octet_length(email) <= 254),
    last_used_at timestamptz(3),
    created_at   timestamptz(3) not null,
    primary key (user_id, id),
    unique (issuer, subject)
);
alter table identities enable row level security;
alter table identities force row level security;
create policy owner_all on identities to current_user using (true) with check (true);
create policy oneself on identities to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on identities to tenantry_runtime;
grant update (provider, email, last_used_at) on identities to tenantry_runtime;
create policy lookup on identities for select to tenantry_lookup using (true);
grant select (user_id, issuer, subject) on identities to tenantry_lookup;

-- Global: what will be an identity of a person's once they follow the link that was mailed to them.
create table pending_identities (
    user_id  uuid not null,
    link_id  uuid not null,
    provider text not null check (char_length(provider) between 1 and 63),
    issuer   text not null check (octet_length(issuer) between 1 and 512),
    subject  text not null check (octet_length(subject) between 1 and 512),
    email    text check (octet_length(email) <= 254),
    primary key (user_id, link_id),
    foreign key (user_id, link_id) references user_links (user_id, id) on delete cascade
);
alter table pending_identities enable row level security;
alter table pending_identities force row level security;
create policy owner_all on pending_identities to current_user using (true) with check (true);
create policy oneself on pending_identities to tenantry_runtime
    using (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid))
    with check (user_id = (select nullif(current_setting('app.user_id', true), '')::uuid));
grant select, insert, delete on pending_identities to tenantry_runtime;

alter table user_links drop constraint user_links_purpose_check;
alter table user_links add constraint user_links_purpose_check
    check (purpose in ('verify_email', 'reset_password', 'confirm_identity'));

-- Signing in through a provider: no one is known yet but whom it names.
create function lookup.user_by_identity(named_by text, named text) returns uuid
    language sql stable security definer set search_path = pg_catalog, public
    return (select i.user_id from public.identities i where i.issuer = named_by and i.subject = named);
alter function lookup.user_by_identity(text, text) owner to tenantry_lookup;
set local role tenantry_lookup;
revoke all on function lookup.user_by_identity(text, text) from public;
grant execute on function lookup.user_by_identity(text, text) to tenantry_runtime;
reset role;
