-- Roles, rights and row-level security. drizzle-kit generates none of this.
-- The Worker signs in as app_user (no BYPASSRLS, nothing but tenant tables) and as auth_user (the sign-in tables only).
-- Passwords are set by the migrator, from the environment, never here.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'app_user') then
    create role app_user login nosuperuser nocreatedb nocreaterole noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'auth_user') then
    create role auth_user login nosuperuser nocreatedb nocreaterole noinherit;
  end if;
  if exists (select from pg_catalog.pg_roles where rolname in ('app_user', 'auth_user') and (rolsuper or rolbypassrls)) then
    raise exception 'the roles app_user and auth_user exist but bypass row-level security; drop them or take that right away';
  end if;
end
$$;
--> statement-breakpoint
create extension if not exists vector;
--> statement-breakpoint
create schema app;
--> statement-breakpoint
revoke create on schema public from public;
--> statement-breakpoint
grant usage on schema public, app to app_user;
--> statement-breakpoint
grant usage on schema auth to auth_user;
--> statement-breakpoint
grant select, insert, update, delete on all tables in schema auth to auth_user;
--> statement-breakpoint
alter default privileges in schema auth grant select, insert, update, delete on tables to auth_user;
--> statement-breakpoint
-- Who asks. After a transaction the setting is '', not null, hence nullif.
create function app.user_id() returns uuid
language sql stable parallel safe set search_path = ''
as $$ select nullif(pg_catalog.current_setting('app.user_id', true), '')::uuid $$;
--> statement-breakpoint
-- The caller's workspaces with one of these roles. app_user cannot read the sign-in tables, so these read for it,
-- and only ever the caller's own rows. better-auth joins several roles with a comma.
create function app.workspaces_as(roles text[]) returns uuid[]
language sql stable security definer set search_path = ''
as $$
  select coalesce(pg_catalog.array_agg(member.organization_id), '{}')
  from auth.member
  where member.user_id = app.user_id()
    and pg_catalog.string_to_array(pg_catalog.replace(member.role, ' ', ''), ',') && roles
$$;
--> statement-breakpoint
create function app.workspaces() returns uuid[]
language sql stable security definer set search_path = ''
as $$ select app.workspaces_as('{owner,admin,member,viewer}') $$;
--> statement-breakpoint
create function app.editable_workspaces() returns uuid[]
language sql stable security definer set search_path = ''
as $$ select app.workspaces_as('{owner,admin,member}') $$;
--> statement-breakpoint
create function app.administered_workspaces() returns uuid[]
language sql stable security definer set search_path = ''
as $$ select app.workspaces_as('{owner,admin}') $$;
--> statement-breakpoint
revoke all on function app.workspaces_as(text[]) from public;
--> statement-breakpoint
-- The table's columns that may change; who owns a row and where it is may not.
grant select, insert, delete on conversations, messages, turns, receipts, session_attachments, workspace_settings, idempotency_keys to app_user;
--> statement-breakpoint
grant update (visibility, title, model, agent_id, personality_id, head_id, version, last_seq, updated_at) on conversations to app_user;
--> statement-breakpoint
grant update (updated_seq, parent_id, role, parts, metadata, text, deleted) on messages to app_user;
--> statement-breakpoint
grant update (state, updated_seq, usage, error, ended_at) on turns to app_user;
--> statement-breakpoint
grant update (receipt) on receipts to app_user;
--> statement-breakpoint
grant update (attached_at) on session_attachments to app_user;
--> statement-breakpoint
grant update (default_provider_id, default_model, settings, version, updated_at) on workspace_settings to app_user;
--> statement-breakpoint
grant update (fingerprint, status, body, created_at) on idempotency_keys to app_user;
--> statement-breakpoint
-- The log is append-only: no update, no delete. It goes with its conversation, by the foreign key.
grant select, insert on conversation_events to app_user;
--> statement-breakpoint
alter table workspace_settings add constraint workspace_settings_workspace
  foreign key (workspace_id) references auth.organization (id) on delete cascade;
--> statement-breakpoint
alter table conversations add constraint conversations_workspace
  foreign key (workspace_id) references auth.organization (id) on delete cascade;
--> statement-breakpoint
alter table conversations enable row level security;
--> statement-breakpoint
alter table conversations force row level security;
--> statement-breakpoint
create policy conversations_read on conversations for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
create policy conversations_create on conversations for insert with check (
  workspace_id = any ((select app.editable_workspaces())::uuid[])
  and owner_user_id = (select app.user_id())
);
--> statement-breakpoint
create policy conversations_change on conversations for update using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
create policy conversations_erase on conversations for delete using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table conversation_events enable row level security;
--> statement-breakpoint
alter table conversation_events force row level security;
--> statement-breakpoint
create policy conversation_events_read on conversation_events for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
create policy conversation_events_write on conversation_events for all using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table messages enable row level security;
--> statement-breakpoint
alter table messages force row level security;
--> statement-breakpoint
create policy messages_read on messages for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
create policy messages_write on messages for all using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table turns enable row level security;
--> statement-breakpoint
alter table turns force row level security;
--> statement-breakpoint
create policy turns_read on turns for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
create policy turns_write on turns for all using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table receipts enable row level security;
--> statement-breakpoint
alter table receipts force row level security;
--> statement-breakpoint
create policy receipts_read on receipts for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
create policy receipts_write on receipts for all using (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table session_attachments enable row level security;
--> statement-breakpoint
alter table session_attachments force row level security;
--> statement-breakpoint
-- One's own attachments only; someone who was just removed from the workspace may still take theirs away.
create policy session_attachments_own on session_attachments for all using (
  attached_user_id = (select app.user_id())
) with check (
  attached_user_id = (select app.user_id())
  and workspace_id = any ((select app.workspaces())::uuid[])
  and (owner_user_id = (select app.user_id()) or visibility = 'workspace')
);
--> statement-breakpoint
alter table workspace_settings enable row level security;
--> statement-breakpoint
alter table workspace_settings force row level security;
--> statement-breakpoint
create policy workspace_settings_read on workspace_settings for select using (
  workspace_id = any ((select app.workspaces())::uuid[])
);
--> statement-breakpoint
create policy workspace_settings_write on workspace_settings for all using (
  workspace_id = any ((select app.administered_workspaces())::uuid[])
) with check (
  workspace_id = any ((select app.administered_workspaces())::uuid[])
);
--> statement-breakpoint
alter table idempotency_keys enable row level security;
--> statement-breakpoint
alter table idempotency_keys force row level security;
--> statement-breakpoint
create policy idempotency_keys_own on idempotency_keys for all using (
  owner_user_id = (select app.user_id())
) with check (
  owner_user_id = (select app.user_id())
);
--> statement-breakpoint
-- The lookup below runs as the owner, whom FORCE would leave without a row.
create policy session_attachments_lookup on session_attachments for select to current_user using (true);
--> statement-breakpoint
-- Conversations where a credential, or a user, is attached: ids only. Asked when a session is revoked, by nobody's leave.
create function app.attached_conversations(of_credential text, of_user uuid, in_workspace uuid) returns setof uuid
language sql stable security definer set search_path = ''
as $$
  select distinct attachment.conversation_id
  from public.session_attachments as attachment
  where (of_credential is null or attachment.credential_id = of_credential)
    and (of_user is null or attachment.attached_user_id = of_user)
    and (in_workspace is null or attachment.workspace_id = in_workspace)
    and (of_credential is not null or of_user is not null)
$$;
--> statement-breakpoint
-- Takes a deleted message's content out of the log: the place stays, the words go. Only someone who may write there.
create function app.scrub_message(of_conversation uuid, of_message uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (
    select from public.conversations as conversation
    where conversation.id = of_conversation
      and (
        (conversation.workspace_id = any (app.workspaces()) and conversation.owner_user_id = app.user_id())
        or (conversation.workspace_id = any (app.editable_workspaces()) and conversation.visibility = 'workspace')
      )
  ) then
    return;
  end if;
  update public.conversation_events as entry
  set event = pg_catalog.jsonb_set(entry.event, '{message,parts}', '[]')
  where entry.conversation_id = of_conversation and entry.event #>> '{message,id}' = of_message::text;
  update public.conversation_events as entry
  set event = case entry.event ->> 'type'
    when 'tool:requested' then pg_catalog.jsonb_set(entry.event, '{call,input}', 'null')
    else pg_catalog.jsonb_set(entry.event, '{outcome,output}', 'null')
  end
  from public.turns as turn
  where entry.conversation_id = of_conversation and turn.conversation_id = of_conversation and turn.message_id = of_message
    and entry.event ->> 'turnId' = turn.id::text
    and entry.event ->> 'type' in ('tool:requested', 'tool:completed');
end
$$;
--> statement-breakpoint
-- Ends the transaction with a reason the write-behind can read.
create function app.refuse(reason text) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = '23M01', message = reason;
end
$$;
--> statement-breakpoint
-- Which migration was the last one; app_user sees nothing else of that schema.
create function app.last_migration() returns bigint
language sql stable security definer set search_path = ''
as $$ select coalesce(pg_catalog.max(migration.created_at), 0) from drizzle.__drizzle_migrations as migration $$;
--> statement-breakpoint
revoke all on all functions in schema app from public;
--> statement-breakpoint
grant execute on all functions in schema app to app_user;
--> statement-breakpoint
revoke all on function app.workspaces_as(text[]) from app_user;
