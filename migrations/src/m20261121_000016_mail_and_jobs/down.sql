drop function lookup.user_by_email(text);
drop function lookup.user_by_link(uuid);
drop function lookup.due_jobs(timestamptz, integer);
drop table user_links;
drop table organization_jobs;
drop table user_jobs;
