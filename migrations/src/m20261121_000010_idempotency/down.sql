drop table user_idempotency_records;
drop table idempotency_records;
