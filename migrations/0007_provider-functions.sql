-- What turns read in one statement, and what is written on nobody's behalf: by probes, connectors and the rotation.
-- Versions of lists and of the catalogue come from one sequence: no two are ever the same.
create sequence app.revisions;
--> statement-breakpoint
-- A record as the code knows it. Without settings of its own, so that Postgres can put it in place of its call.
create function app.provider_record(instance public.provider_instances, credential public.provider_credentials) returns json
language sql stable
as $$
  select pg_catalog.json_build_object(
    'id', instance.id, 'kind', instance.kind, 'displayName', instance.display_name, 'scope', instance.scope,
    'workspaceId', instance.workspace_id, 'ownerUserId', instance.owner_user_id, 'baseUrl', instance.base_url,
    'connectorId', instance.connector_id, 'upstream', instance.upstream, 'route', instance.route,
    'credential', case when credential.id is not null then pg_catalog.json_build_object(
      'id', credential.id, 'sealed', credential.sealed, 'method', credential.method, 'version', credential.version,
      'expiresAtMs', (extract(epoch from credential.expires_at) * 1000)::bigint) end,
    'isDefault', instance.is_default, 'isEnabled', instance.is_enabled, 'source', 'stored', 'version', instance.version)
$$;
--> statement-breakpoint
-- Everything that a turn of `of_user` in `in_workspace` depends on: one statement, so that it needs no transaction of its
-- own and its plans stay. Filters by itself: `of_user`'s own instances are for nobody else, and whoever is no member gets
-- what the system has. `known`: versions that the asker has already, by provider id, and as `catalogue`.
create function app.turn_configuration(of_user uuid, in_workspace uuid, known jsonb) returns json
language plpgsql stable security definer set search_path = ''
as $$
declare
  belongs boolean;
  chosen json;
  records json;
  visible uuid[];
  statuses json;
  newest bigint;
  models json;
begin
  belongs := exists (
    select from auth.member as member where member.user_id = of_user and member.organization_id = in_workspace
  );
  if belongs then
    select pg_catalog.json_build_object('defaultModel', setting.default_model,
      'defaultProviderId', setting.default_provider_id, 'settings', setting.settings)
    into chosen from public.workspace_settings as setting where setting.workspace_id = in_workspace;
  end if;
  select pg_catalog.json_agg(app.provider_record(instance, credential) order by instance.created_at, instance.id),
    pg_catalog.array_agg(instance.id)
  into records, visible
  from public.provider_instances as instance
  left join public.provider_credentials as credential on credential.provider_id = instance.id
  where instance.is_enabled and (
    (instance.scope = 'system' and instance.workspace_key = '00000000-0000-0000-0000-000000000000')
    or (belongs and instance.scope = 'workspace' and instance.workspace_key = in_workspace)
    or (belongs and instance.user_id = of_user));
  select pg_catalog.json_agg(pg_catalog.json_build_object('providerId', status.provider_id, 'health', status.health,
    'listVersion', status.list_version,
    'listed', case when (known ->> status.provider_id::text) is distinct from status.list_version::text then status.listed end))
  into statuses
  from public.provider_status as status
  where status.instance_id is null or status.instance_id = any (visible);
  select pg_catalog.max(model.revision) into newest from public.catalogue_models as model;
  if (known ->> 'catalogue') is distinct from newest::text then
    select pg_catalog.json_agg(model.facts order by model.position, model.provider, model.id) into models
    from public.catalogue_models as model;
  end if;
  return pg_catalog.json_build_object('workspace', chosen, 'providers', records, 'status', statuses,
    'catalogueVersion', newest, 'catalogue', models);
end
$$;
--> statement-breakpoint
-- Writes down how an instance fares, unless something newer stands there. `used`: real traffic says so. Of an instance that
-- is gone nothing is kept; the environment's have no row to be gone.
create function app.save_provider_health(of_provider uuid, new_health jsonb, used boolean) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.provider_instances as instance where instance.id = of_provider for key share;
  if not found and of_provider::text not like '00000000-0000-7000-8000-%' then
    return;
  end if;
  insert into public.provider_status as status (provider_id, health, checked_at, used_at)
  values (of_provider, new_health, pg_catalog.to_timestamp((new_health ->> 'checkedAtMs')::numeric / 1000),
    case when used then pg_catalog.now() end)
  on conflict (provider_id) do update set
    used_at = greatest(status.used_at, excluded.used_at),
    checked_at = greatest(status.checked_at, excluded.checked_at),
    health = case when status.health is null or (status.health ->> 'version')::bigint < (excluded.health ->> 'version')::bigint
      then excluded.health else status.health end;
end
$$;
--> statement-breakpoint
-- Writes down what an instance lists. Its version moves only when the list does.
create function app.save_provider_list(of_provider uuid, new_list jsonb, asked_at timestamptz) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.provider_instances as instance where instance.id = of_provider for key share;
  if not found and of_provider::text not like '00000000-0000-7000-8000-%' then
    return;
  end if;
  insert into public.provider_status as status (provider_id, listed, list_version, listed_at)
  values (of_provider, new_list, pg_catalog.nextval('app.revisions'), asked_at)
  on conflict (provider_id) do update set listed_at = excluded.listed_at, listed = excluded.listed,
    list_version = case when status.listed is distinct from excluded.listed then excluded.list_version else status.list_version end
  where status.listed_at is null or status.listed_at <= excluded.listed_at;
end
$$;
--> statement-breakpoint
-- How these instances fare, whoever's they are: for those who were shown them before.
create function app.provider_statuses(of_providers uuid[]) returns table (provider_id uuid, health jsonb, listed jsonb)
language sql stable security definer set search_path = ''
as $$
  select status.provider_id, status.health, status.listed
  from public.provider_status as status where status.provider_id = any (of_providers)
$$;
--> statement-breakpoint
-- Stored instances that somebody used after `used_after` and nobody asked since `asked_before`; the longest unasked first.
create function app.due_providers(asked_before timestamptz, used_after timestamptz, at_most integer) returns setof json
language sql stable security definer set search_path = ''
as $$
  select app.provider_record(instance, credential)
  from public.provider_status as status
  join public.provider_instances as instance on instance.id = status.instance_id
  left join public.provider_credentials as credential on credential.provider_id = instance.id
  where instance.is_enabled and status.used_at > used_after
    and (status.checked_at is null or status.checked_at < asked_before)
  order by status.checked_at nulls first
  limit least(greatest(coalesce(at_most, 0), 0), 1000)
$$;
--> statement-breakpoint
-- The facts of all models; nobody's secret.
create function app.catalogue() returns setof jsonb
language sql stable security definer set search_path = ''
as $$ select model.facts from public.catalogue_models as model order by model.position, model.provider, model.id $$;
--> statement-breakpoint
-- Sealed credentials that need another key than the newest, a page after `after`; for the rotation. What they are bound to
-- comes along; nothing of it can be opened here.
create function app.credentials_under_other_keys(newest text, after uuid, at_most integer)
returns table (id uuid, sealed text, provider_id uuid, kind text, scope text, workspace_id uuid, owner_user_id uuid)
language sql stable security definer set search_path = ''
as $$
  select credential.id, credential.sealed, instance.id, instance.kind, instance.scope, instance.workspace_id, instance.owner_user_id
  from public.provider_credentials as credential
  join public.provider_instances as instance on instance.id = credential.provider_id
  where credential.key_id <> newest and (after is null or credential.id > after)
  order by credential.id
  limit least(greatest(coalesce(at_most, 0), 0), 1000)
$$;
--> statement-breakpoint
-- The same secret under another key, only over the very text that it was made from.
create function app.reseal_credential(of_credential uuid, from_sealed text, to_sealed text) returns boolean
language sql security definer set search_path = ''
as $$
  with written as (
    update public.provider_credentials as credential set sealed = to_sealed
    where credential.id = of_credential and credential.sealed = from_sealed returning credential.id
  ) select exists (select from written)
$$;
--> statement-breakpoint
-- How many secrets need each key: those of instances, and of logins that have begun and not ended.
create function app.secrets_by_key() returns table (key_id text, secrets bigint)
language sql stable security definer set search_path = ''
as $$
  select held.key_id, pg_catalog.count(*)
  from (
    select credential.key_id from public.provider_credentials as credential
    union all
    select pg_catalog.split_part(login.sealed, '.', 2) from public.provider_logins as login
    where login.state = 'pending' and login.expires_at > pg_catalog.now()
  ) as held
  group by held.key_id order by held.key_id
$$;
--> statement-breakpoint
-- A refreshed secret, only over the version that it was made from.
create function app.replace_secret(of_credential uuid, from_version integer, new_sealed text, new_method text,
  new_expires_at timestamptz, new_version integer) returns boolean
language sql security definer set search_path = ''
as $$
  with written as (
    update public.provider_credentials as credential
    set sealed = new_sealed, method = new_method, expires_at = new_expires_at, version = new_version,
      updated_at = pg_catalog.now()
    where credential.id = of_credential and credential.version = from_version and from_version < new_version
    returning credential.id
  ) select exists (select from written)
$$;
--> statement-breakpoint
-- Trades a one-time token for the first secret that comes with it; the same pair may come again, until another secret counts.
create function app.claim_connector(of_connector uuid, with_token text, with_secret text, asked_at timestamptz)
returns table (owner_user_id uuid, name text)
language sql security definer set search_path = ''
as $$
  update public.connectors as connector set token_secret_hash = with_secret, secret_hash = with_secret
  where connector.id = of_connector and connector.token_hash = with_token and (
    (connector.token_secret_hash is null and connector.token_expires_at > asked_at)
    or (connector.token_secret_hash = with_secret and connector.secret_hash = with_secret))
  returning connector.owner_user_id, connector.name
$$;
--> statement-breakpoint
-- Whose connector a secret opens.
create function app.connector_of_secret(of_connector uuid, with_secret text) returns table (owner_user_id uuid, name text)
language sql stable security definer set search_path = ''
as $$
  select connector.owner_user_id, connector.name from public.connectors as connector
  where connector.id = of_connector and connector.secret_hash = with_secret
$$;
--> statement-breakpoint
-- What a machine offers from now on; `offered` null: it is gone. Each `{id, label, name, kind}` that it did not offer before
-- becomes an instance of the owner's under that id. What the owner removed does not come back by a reconnection. False: there is no such connector any more.
create function app.announce_connector(of_connector uuid, offered jsonb, version_of_client text, seen_at timestamptz) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  machine public.connectors;
begin
  select * into machine from public.connectors as connector where connector.id = of_connector for update;
  if not found then
    return false;
  end if;
  if machine.last_seen_at > seen_at then
    return true;
  end if;
  update public.connectors as connector
  set is_online = offered is not null, last_seen_at = seen_at,
    client_version = coalesce(version_of_client, machine.client_version),
    upstreams = coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', entry ->> 'name', 'kind', entry ->> 'kind'))
      from pg_catalog.jsonb_array_elements(offered) as entry
    ), case when offered is null then machine.upstreams else '[]' end)
  where connector.id = of_connector;
  insert into public.provider_instances (id, scope, owner_user_id, kind, display_name, connector_id, upstream, route,
    is_default, is_enabled, created_at, updated_at)
  select entry.id, 'user', machine.owner_user_id, entry.kind, pg_catalog."left"(entry.label || ' on ' || machine.name, 100),
    machine.id, entry.name, 'connector', false, true, seen_at, seen_at
  from pg_catalog.jsonb_to_recordset(coalesce(offered, '[]')) as entry (id uuid, label text, name text, kind text)
  where not machine.upstreams @> pg_catalog.jsonb_build_array(
      pg_catalog.jsonb_build_object('name', entry.name, 'kind', entry.kind))
    and not exists (
      select from public.provider_instances as instance
      where instance.connector_id = machine.id and instance.upstream = entry.name and instance.kind = entry.kind
    );
  return true;
end
$$;
--> statement-breakpoint
-- Forgets logins that ended, tokens that nobody traded in time, and the machines that never came: at most `at_most` of each
-- (never more than 1,000). An hour's grace, so that whoever is just too late still hears that it expired.
create function app.sweep_providers(at_most integer) returns table (provider_logins integer, connectors integer)
language plpgsql security definer set search_path = ''
as $$
declare
  bound constant integer := least(greatest(coalesce(at_most, 0), 0), 1000);
  past constant timestamptz := pg_catalog.now() - interval '1 hour';
  forgotten integer;
begin
  delete from public.provider_logins as login
  where login.expires_at < past and login.id = any (array(
    select old.id from public.provider_logins as old where old.expires_at < past limit bound));
  get diagnostics provider_logins = row_count;
  delete from public.connectors as machine
  where machine.secret_hash is null and machine.token_expires_at < past and machine.id = any (array(
    select old.id from public.connectors as old where old.secret_hash is null and old.token_expires_at < past limit bound));
  get diagnostics connectors = row_count;
  update public.connectors as machine set token_hash = null, token_expires_at = null
  where machine.token_secret_hash is null and machine.token_expires_at < past and machine.id = any (array(
    select old.id from public.connectors as old
    where old.token_secret_hash is null and old.secret_hash is not null and old.token_expires_at < past limit bound));
  get diagnostics forgotten = row_count;
  connectors := connectors + forgotten;
  return next;
end
$$;
--> statement-breakpoint
revoke all on all functions in schema app from public;
--> statement-breakpoint
grant execute on function app.turn_configuration(uuid, uuid, jsonb), app.save_provider_health(uuid, jsonb, boolean),
  app.save_provider_list(uuid, jsonb, timestamptz), app.provider_statuses(uuid[]),
  app.due_providers(timestamptz, timestamptz, integer), app.catalogue(),
  app.credentials_under_other_keys(text, uuid, integer), app.reseal_credential(uuid, text, text), app.secrets_by_key(),
  app.replace_secret(uuid, integer, text, text, timestamptz, integer),
  app.claim_connector(uuid, text, text, timestamptz), app.connector_of_secret(uuid, text),
  app.announce_connector(uuid, jsonb, text, timestamptz), app.sweep_providers(integer) to app_user;
