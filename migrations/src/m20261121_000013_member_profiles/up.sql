-- How a person is shown in one organization; null where they are shown as everywhere.
alter table members add column name text check (char_length(name) between 1 and 255);
alter table members add column avatar_url text check (char_length(avatar_url) <= 2048);

-- Lists of members are sorted by these, too.
create index members_by_joined_at on members (organization_id, joined_at, id);
create index members_by_updated_at on members (organization_id, updated_at, id);
