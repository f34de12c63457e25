drop index members_by_updated_at;
drop index members_by_joined_at;
alter table members drop column avatar_url;
alter table members drop column name;
