-- Bounds on what one person can have: so many instances, and so many of a round's probes.
-- How many more instances somebody may have, or a workspace, or everybody here. Whoever asks at the same time waits, so
-- that many at once are no way around.
create function app.room_for_providers(in_scope text, of_workspace uuid, of_owner uuid) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
  held integer;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(
    'providers ' || in_scope || ' ' || coalesce(case in_scope when 'user' then of_owner else of_workspace end::text, ''), 0));
  select pg_catalog.count(*) into held from public.provider_instances as instance
  where instance.scope = in_scope and case in_scope
    when 'user' then instance.user_id = of_owner
    when 'workspace' then instance.workspace_key = of_workspace
    else true end;
  return greatest(case in_scope when 'user' then 50 else 100 end - held, 0);
end
$$;
--> statement-breakpoint
-- The same instance once more is none more.
create function app.refuse_too_many_providers() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (select from public.provider_instances as instance where instance.id = new.id)
    and app.room_for_providers(new.scope, new.workspace_id, new.owner_user_id) = 0 then
    raise exception 'too many providers' using errcode = 'program_limit_exceeded';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger provider_instances_bounded before insert on provider_instances
  for each row execute function app.refuse_too_many_providers();
--> statement-breakpoint
-- What a machine offers from now on; `offered` null: it is gone. Each `{id, label, name, kind}` that it did not offer before
-- becomes an instance of the owner's under that id. What the owner removed does not come back by a reconnection,
-- and no more come than the owner may have. False: there is no such connector any more.
create or replace function app.announce_connector(of_connector uuid, offered jsonb, version_of_client text, seen_at timestamptz) returns boolean
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
    )
  limit app.room_for_providers('user', null, machine.owner_user_id);
  return true;
end
$$;
--> statement-breakpoint
-- Takes on the probes that are due: of these of the environment's, and of stored instances that somebody used after
-- `used_after`, those that nobody took on and no list came from since `asked_before`; at most `at_most` stored ones, ten
-- of one owner's, in turns, the longest unasked first. Whoever comes at the same time gets none of them. `record` null: one of the environment's.
create or replace function app.claim_probes(of_environment uuid[], asked_before timestamptz, used_after timestamptz, claimed_at timestamptz,
  at_most integer) returns table (provider_id uuid, record json)
language sql security definer set search_path = ''
as $$
  with environment as (
    insert into public.provider_status as status (provider_id, asked_at)
    select entry.id, claimed_at from pg_catalog.unnest(of_environment) as entry (id)
    where entry.id::text like '00000000-0000-7000-8000-%'
    on conflict (provider_id) do update set asked_at = excluded.asked_at
    where coalesce(greatest(status.asked_at, status.listed_at), '-infinity') < asked_before
    returning status.provider_id as id
  ), ranked as (
    select status.provider_id as id, greatest(status.asked_at, status.listed_at) as seen_at,
      pg_catalog.row_number() over (partition by instance.owner_user_id
        order by greatest(status.asked_at, status.listed_at) nulls first, status.provider_id) as place
    from public.provider_status as status
    join public.provider_instances as instance on instance.id = status.instance_id
    where instance.is_enabled and status.used_at > used_after
      and coalesce(greatest(status.asked_at, status.listed_at), '-infinity') < asked_before
  ), due as (
    select status.provider_id as id, ranked.place
    from public.provider_status as status
    join ranked on ranked.id = status.provider_id
    where ranked.place <= 10 and coalesce(greatest(status.asked_at, status.listed_at), '-infinity') < asked_before
    order by ranked.place, ranked.seen_at nulls first
    limit least(greatest(coalesce(at_most, 0), 0), 1000)
    for update of status skip locked
  ), taken as (
    update public.provider_status as status set asked_at = claimed_at from due where status.provider_id = due.id
    returning status.provider_id as id, due.place
  )
  select probe.id, probe.record
  from (
    select environment.id, null::json as record, 0 as place from environment
    union all
    select instance.id, app.provider_record(instance, credential), taken.place
    from taken
    join public.provider_instances as instance on instance.id = taken.id
    left join public.provider_credentials as credential on credential.provider_id = instance.id
  ) as probe
  order by probe.place
$$;
--> statement-breakpoint
revoke all on function app.room_for_providers(text, uuid, uuid), app.refuse_too_many_providers() from public;
