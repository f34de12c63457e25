drop policy co_members on users;
drop table members;
