-- The hourly sweep acts for nobody: it runs as the owner, whom FORCE would leave without a row. These policies let the
-- owner see and delete what is past its time, and nothing else of the two tables.
create policy idempotency_keys_expired on idempotency_keys for select to current_user
  using (created_at < now() - interval '1 day');
--> statement-breakpoint
create policy idempotency_keys_sweep on idempotency_keys for delete to current_user
  using (created_at < now() - interval '1 day');
--> statement-breakpoint
create policy session_attachments_sweep on session_attachments for delete to current_user
  using (attached_at < now() - interval '31 days');
--> statement-breakpoint
-- Deletes at most `at_most` expired rows of each table (never more than 1,000) and says how many they were. An attachment
-- lasts longer than a session unused (30 days), and as long as its credential exists: a revocation needs it.
create function app.sweep_expired(at_most integer) returns table (idempotency_keys integer, session_attachments integer)
language plpgsql security definer set search_path = ''
as $$
declare
  bound constant integer := least(greatest(coalesce(at_most, 0), 0), 1000);
begin
  delete from public.idempotency_keys as entry
  where entry.created_at < pg_catalog.now() - interval '1 day'
    and entry.ctid = any (array(
      select old.ctid from public.idempotency_keys as old
      where old.created_at < pg_catalog.now() - interval '1 day' limit bound
    ));
  get diagnostics idempotency_keys = row_count;
  delete from public.session_attachments as attachment
  where attachment.attached_at < pg_catalog.now() - interval '31 days'
    and attachment.ctid = any (array(
      select old.ctid from public.session_attachments as old
      where old.attached_at < pg_catalog.now() - interval '31 days'
        and not exists (
          select from auth.session as credential
          where credential.id = case when old.credential_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then old.credential_id::uuid end
        )
        and not exists (
          select from auth.api_key as credential
          where credential.id = case when old.credential_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then old.credential_id::uuid end
        )
      limit bound
    ));
  get diagnostics session_attachments = row_count;
  return next;
end
$$;
--> statement-breakpoint
revoke all on function app.sweep_expired(integer) from public;
--> statement-breakpoint
grant execute on function app.sweep_expired(integer) to app_user;
