-- Whether the caller is the instance's administrator; app_user cannot read the sign-in tables.
create function app.is_instance_admin() returns boolean
language sql stable security definer set search_path = ''
as $$ select exists (select from auth.instance_admin as admin where admin.user_id = app.user_id()) $$;
--> statement-breakpoint
alter table jobs enable row level security;
--> statement-breakpoint
alter table jobs force row level security;
--> statement-breakpoint
-- Jobs are the operator's: nobody else sees one, not even whose conversation it is about.
create policy jobs_admin on jobs for all using (
  (select app.is_instance_admin())
) with check (
  (select app.is_instance_admin())
);
--> statement-breakpoint
grant select, update (status, attempts, run_at, started_at, ended_at, error, revision) on jobs to app_user;
--> statement-breakpoint
-- The function below writes as the owner, whom FORCE would leave without a row.
create policy jobs_report on jobs for all to current_user using (true) with check (true);
--> statement-breakpoint
-- What a conversation has to tell of its jobs, on behalf of someone who may write there. Repeating it changes nothing.
-- The places of refused events count as reached, so that a rebuilt object goes on behind them.
create function app.report_jobs(of_conversation uuid, reported jsonb) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  written integer;
begin
  insert into public.jobs (id, conversation_id, workspace_id, owner_user_id, visibility, type, status, attempts, max_attempts,
    run_at, started_at, ended_at, error, trace_id, subject, revision)
  select entry.id, conversation.id, conversation.workspace_id, conversation.owner_user_id, conversation.visibility,
    entry.type, entry.status, entry.attempts, entry.max_attempts, entry.run_at, entry.started_at, entry.ended_at,
    entry.error, entry.trace_id, entry.subject, entry.revision
  from pg_catalog.jsonb_to_recordset(reported) as entry (id uuid, type text, status text, attempts integer,
    max_attempts integer, run_at timestamptz, started_at timestamptz, ended_at timestamptz, error text, trace_id text,
    subject jsonb, revision integer)
  cross join public.conversations as conversation
  where conversation.id = of_conversation
    and (
      (conversation.workspace_id = any (app.workspaces()) and conversation.owner_user_id = app.user_id())
      or (conversation.workspace_id = any (app.editable_workspaces()) and conversation.visibility = 'workspace')
    )
  on conflict (id) do update set status = excluded.status, attempts = excluded.attempts, run_at = excluded.run_at,
    started_at = excluded.started_at, ended_at = excluded.ended_at, error = excluded.error, revision = excluded.revision
  where jobs.conversation_id = excluded.conversation_id and jobs.revision < excluded.revision;
  get diagnostics written = row_count;
  update public.conversations as conversation
  set last_seq = greatest(conversation.last_seq, (
    select coalesce(pg_catalog.max((entry.subject ->> 'seq')::bigint), 0)
    from pg_catalog.jsonb_to_recordset(reported) as entry (subject jsonb)))
  where conversation.id = of_conversation
    and (
      (conversation.workspace_id = any (app.workspaces()) and conversation.owner_user_id = app.user_id())
      or (conversation.workspace_id = any (app.editable_workspaces()) and conversation.visibility = 'workspace')
    );
  return written;
end
$$;
--> statement-breakpoint
-- Whether a credential of the caller's holds now. It stays until this transaction ends: who signs out meanwhile waits, so
-- that what is written on its strength is there when its end looks for it.
create function app.credential_is_live(of_credential text) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  wanted uuid;
begin
  if of_credential !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then
    return false;
  end if;
  wanted := of_credential::uuid;
  perform from auth.session as credential
  where credential.id = wanted and credential.user_id = app.user_id() and credential.expires_at > pg_catalog.now()
  for key share;
  if found then
    return true;
  end if;
  perform from auth.api_key as credential
  where credential.id = wanted and credential.reference_id = app.user_id() and credential.enabled is not false
    and (credential.expires_at is null or credential.expires_at > pg_catalog.now())
  for key share;
  return found;
end
$$;
--> statement-breakpoint
-- Whoever left a workspace does not see what they own there; the end of their account must find and erase it all the same.
create policy conversations_own on conversations for select to current_user using (owner_user_id = app.user_id());
--> statement-breakpoint
create policy conversations_own_erase on conversations for delete to current_user using (owner_user_id = app.user_id());
--> statement-breakpoint
create function app.own_conversations() returns setof uuid
language sql stable security definer set search_path = ''
as $$ select conversation.id from public.conversations as conversation where conversation.owner_user_id = app.user_id() $$;
--> statement-breakpoint
create function app.erase_own_conversation(of_conversation uuid) returns void
language sql security definer set search_path = ''
as $$
  delete from public.conversations as conversation
  where conversation.id = of_conversation and conversation.owner_user_id = app.user_id()
$$;
--> statement-breakpoint
revoke all on function app.is_instance_admin() from public;
--> statement-breakpoint
revoke all on function app.report_jobs(uuid, jsonb) from public;
--> statement-breakpoint
revoke all on function app.credential_is_live(text) from public;
--> statement-breakpoint
revoke all on function app.own_conversations() from public;
--> statement-breakpoint
revoke all on function app.erase_own_conversation(uuid) from public;
--> statement-breakpoint
grant execute on function app.is_instance_admin() to app_user;
--> statement-breakpoint
grant execute on function app.report_jobs(uuid, jsonb) to app_user;
--> statement-breakpoint
grant execute on function app.credential_is_live(text) to app_user;
--> statement-breakpoint
grant execute on function app.own_conversations() to app_user;
--> statement-breakpoint
grant execute on function app.erase_own_conversation(uuid) to app_user;
