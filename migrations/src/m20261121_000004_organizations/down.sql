drop function lookup.free_organization_slug(text[]);
drop table organizations;
