drop table trusted_devices;
drop table recovery_codes;
drop table second_factors;
-- Nobody is asked for a second factor any more.
update users set mfa_enabled = false, version = version + 1, updated_at = now() where mfa_enabled;
drop policy second_factor on sessions;
alter table sessions drop column authenticated_at, drop column factor_used_at;
