drop function lookup.my_organizations();
drop function lookup.membership(uuid, text);
drop table grants;
