-- Rights and row-level security of provider instances, their secrets, what is known of them, machines and logins.
-- What belongs to a workspace or a person ends with it; foreign keys into the sign-in tables are not drizzle's to make.
alter table provider_instances add constraint provider_instances_workspace
  foreign key (workspace_id) references auth.organization (id) on delete cascade;
--> statement-breakpoint
alter table provider_instances add constraint provider_instances_account
  foreign key (user_id) references auth."user" (id) on delete cascade;
--> statement-breakpoint
alter table connectors add constraint connectors_account
  foreign key (owner_user_id) references auth."user" (id) on delete cascade;
--> statement-breakpoint
alter table provider_logins add constraint provider_logins_workspace
  foreign key (workspace_id) references auth.organization (id) on delete cascade;
--> statement-breakpoint
alter table provider_logins add constraint provider_logins_account
  foreign key (owner_user_id) references auth."user" (id) on delete cascade;
--> statement-breakpoint
-- Columns that may change; whose a row is and for whom may not: the seal of its secret is bound to that.
grant select, insert, delete on provider_instances, provider_credentials, connectors to app_user;
--> statement-breakpoint
grant update (display_name, base_url, connector_id, upstream, route, is_default, is_enabled, credential_hint, header_hints,
  version, updated_at) on provider_instances to app_user;
--> statement-breakpoint
grant update (sealed, method, expires_at, version, updated_at) on provider_credentials to app_user;
--> statement-breakpoint
grant update (token_hash, token_expires_at, token_secret_hash, secret_hash) on connectors to app_user;
--> statement-breakpoint
grant select, insert, update (state, provider_id, error, poll_after, interval_seconds) on provider_logins to app_user;
--> statement-breakpoint
-- Written by functions alone.
grant select on provider_status, catalogue_models to app_user;
--> statement-breakpoint
-- Who may change what is of that scope.
create function app.may_manage(of_scope text, of_workspace uuid, of_owner uuid) returns boolean
language sql stable set search_path = ''
as $$
  select case of_scope
    when 'system' then app.is_instance_admin()
    when 'workspace' then of_workspace = any (app.administered_workspaces())
    when 'user' then of_owner = app.user_id()
    else false
  end
$$;
--> statement-breakpoint
revoke all on function app.may_manage(text, uuid, uuid) from public;
--> statement-breakpoint
grant execute on function app.may_manage(text, uuid, uuid) to app_user;
--> statement-breakpoint
alter table provider_instances enable row level security;
--> statement-breakpoint
alter table provider_instances force row level security;
--> statement-breakpoint
create policy provider_instances_read on provider_instances for select using (
  (scope = 'system' and (select app.user_id()) is not null)
  or (scope = 'workspace' and workspace_id = any ((select app.workspaces())::uuid[]))
  or (scope = 'user' and owner_user_id = (select app.user_id()))
);
--> statement-breakpoint
-- Only an instance admin vouches for an address within. As the operator's goes out only what names no address: it is where
-- the operator, or the vendor, has that API.
create policy provider_instances_create on provider_instances for insert with check (
  owner_user_id = (select app.user_id())
  and app.may_manage(scope, workspace_id, owner_user_id)
  and (route in ('public', 'connector') or (route = 'private' and (select app.is_instance_admin()))
    or (route = 'operator' and base_url is null and connector_id is null))
);
--> statement-breakpoint
create policy provider_instances_change on provider_instances for update using (
  app.may_manage(scope, workspace_id, owner_user_id)
) with check (
  app.may_manage(scope, workspace_id, owner_user_id)
  and (route in ('public', 'connector') or (route = 'private' and (select app.is_instance_admin()))
    or (route = 'operator' and base_url is null and connector_id is null))
);
--> statement-breakpoint
create policy provider_instances_erase on provider_instances for delete using (
  app.may_manage(scope, workspace_id, owner_user_id)
);
--> statement-breakpoint
alter table provider_credentials enable row level security;
--> statement-breakpoint
alter table provider_credentials force row level security;
--> statement-breakpoint
create policy provider_credentials_read on provider_credentials for select using (
  (scope = 'system' and (select app.user_id()) is not null)
  or (scope = 'workspace' and workspace_id = any ((select app.workspaces())::uuid[]))
  or (scope = 'user' and owner_user_id = (select app.user_id()))
);
--> statement-breakpoint
create policy provider_credentials_write on provider_credentials for all using (
  app.may_manage(scope, workspace_id, owner_user_id)
) with check (
  app.may_manage(scope, workspace_id, owner_user_id)
);
--> statement-breakpoint
alter table provider_status enable row level security;
--> statement-breakpoint
alter table provider_status force row level security;
--> statement-breakpoint
create policy provider_status_read on provider_status for select using (
  (select app.user_id()) is not null
  and (instance_id is null or exists (select from provider_instances as instance where instance.id = provider_status.instance_id))
);
--> statement-breakpoint
create policy provider_status_write on provider_status for all using (
  (select app.is_instance_admin())
) with check (
  (select app.is_instance_admin())
);
--> statement-breakpoint
alter table catalogue_models enable row level security;
--> statement-breakpoint
alter table catalogue_models force row level security;
--> statement-breakpoint
create policy catalogue_models_read on catalogue_models for select using (
  (select app.user_id()) is not null
);
--> statement-breakpoint
create policy catalogue_models_write on catalogue_models for all using (
  (select app.is_instance_admin())
) with check (
  (select app.is_instance_admin())
);
--> statement-breakpoint
alter table connectors enable row level security;
--> statement-breakpoint
alter table connectors force row level security;
--> statement-breakpoint
create policy connectors_own on connectors for all using (
  owner_user_id = (select app.user_id())
) with check (
  owner_user_id = (select app.user_id())
);
--> statement-breakpoint
alter table provider_logins enable row level security;
--> statement-breakpoint
alter table provider_logins force row level security;
--> statement-breakpoint
create policy provider_logins_own on provider_logins for all using (
  owner_user_id = (select app.user_id())
) with check (
  owner_user_id = (select app.user_id()) and app.may_manage(scope, workspace_id, owner_user_id)
);
--> statement-breakpoint
-- Functions that act on nobody's behalf run as the owner, whom FORCE would leave without a row. Each says itself whose
-- rows it reaches.
create policy provider_instances_upkeep on provider_instances for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy provider_credentials_upkeep on provider_credentials for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy provider_status_upkeep on provider_status for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy catalogue_models_upkeep on catalogue_models for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy connectors_upkeep on connectors for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy provider_logins_upkeep on provider_logins for all to current_user using (true) with check (true);
--> statement-breakpoint
create policy workspace_settings_upkeep on workspace_settings for all to current_user using (true) with check (true);
--> statement-breakpoint
-- A workspace's choice of an instance ends with the instance, whoever removed it and for whatever reason.
create function app.forget_default_provider() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.workspace_settings as setting
  set default_provider_id = null, version = setting.version + 1, updated_at = pg_catalog.now()
  where setting.default_provider_id = old.id::text;
  return old;
end
$$;
--> statement-breakpoint
create trigger provider_instances_forgotten after delete on provider_instances
  for each row execute function app.forget_default_provider();
