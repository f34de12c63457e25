drop table answered_challenges;
-- Whoever has no authenticator app has no second factor any more, and nothing that rests on one.
delete from recovery_codes r using passkeys p
    where p.user_id = r.user_id and not exists (select 1 from users u where u.id = r.user_id and u.mfa_enabled);
update sessions s set factor_used_at = null
    where factor_used_at is not null
    and exists (select 1 from passkeys p where p.user_id = s.user_id)
    and not exists (select 1 from users u where u.id = s.user_id and u.mfa_enabled);
drop table passkeys;
