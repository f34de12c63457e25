-- One database, connected to it; running it again is safe.
set client_min_messages = warning;

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to tenantry_runtime', current_database());
end
$$;

alter schema public owner to tenantry_owner;
revoke create on schema public from public;
