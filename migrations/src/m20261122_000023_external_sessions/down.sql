alter table users drop column sessions_ended_at;
drop policy second_factor on sessions;
create policy second_factor on sessions as restrictive for insert to tenantry_runtime
    with check (factor_used_at is not null
        or not exists (select 1 from users u where u.id = sessions.user_id and u.mfa_enabled));
delete from sessions where external_key is not null;
drop index sessions_external, sessions_of_identity;
alter table sessions drop column external_key, drop column identity_id;
