drop table user_events;
drop table events;
