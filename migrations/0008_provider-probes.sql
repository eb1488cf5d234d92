-- Probes are taken on, so that no two timers ask the same vendor; health is read without the lists beside it.
ALTER TABLE "provider_status" ADD COLUMN "asked_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "provider_status_used" ON "provider_status" USING btree ("used_at");
--> statement-breakpoint
drop function app.due_providers(timestamptz, timestamptz, integer);
--> statement-breakpoint
drop function app.provider_statuses(uuid[]);
--> statement-breakpoint
drop function app.catalogue();
--> statement-breakpoint
drop function app.save_provider_health(uuid, jsonb, boolean);
--> statement-breakpoint
-- Takes on the probes that are due: of these of the environment's, and of stored instances that somebody used after
-- `used_after`, those that nobody took on and no list came from since `asked_before`; at most `at_most` stored ones, the
-- longest unasked first. Whoever comes at the same time gets none of them. `record` null: one of the environment's.
create function app.claim_probes(of_environment uuid[], asked_before timestamptz, used_after timestamptz, claimed_at timestamptz,
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
  ), due as (
    select status.provider_id as id
    from public.provider_status as status
    join public.provider_instances as instance on instance.id = status.instance_id
    where instance.is_enabled and status.used_at > used_after
      and coalesce(greatest(status.asked_at, status.listed_at), '-infinity') < asked_before
    order by greatest(status.asked_at, status.listed_at) nulls first
    limit least(greatest(coalesce(at_most, 0), 0), 1000)
    for update of status skip locked
  ), taken as (
    update public.provider_status as status set asked_at = claimed_at from due where status.provider_id = due.id
    returning status.provider_id as id
  )
  select environment.id, null::json from environment
  union all
  select instance.id, app.provider_record(instance, credential)
  from taken
  join public.provider_instances as instance on instance.id = taken.id
  left join public.provider_credentials as credential on credential.provider_id = instance.id
$$;
--> statement-breakpoint
-- How these instances fare, whoever's they are: for those who were shown them before.
create function app.provider_healths(of_providers uuid[]) returns table (provider_id uuid, health jsonb)
language sql stable security definer set search_path = ''
as $$
  select status.provider_id, status.health from public.provider_status as status where status.provider_id = any (of_providers)
$$;
--> statement-breakpoint
-- The same with what they list, and the facts of all models. `known`: versions that the asker has already, by provider id,
-- and as `catalogue`.
create function app.provider_facts(of_providers uuid[], known jsonb) returns json
language plpgsql stable security definer set search_path = ''
as $$
declare
  statuses json;
  newest bigint;
  models json;
begin
  select pg_catalog.json_agg(pg_catalog.json_build_object('providerId', status.provider_id, 'health', status.health,
    'listVersion', status.list_version,
    'listed', case when (known ->> status.provider_id::text) is distinct from status.list_version::text then status.listed end))
  into statuses
  from public.provider_status as status where status.provider_id = any (of_providers);
  select pg_catalog.max(model.revision) into newest from public.catalogue_models as model;
  if (known ->> 'catalogue') is distinct from newest::text then
    select pg_catalog.json_agg(model.facts order by model.position, model.provider, model.id) into models
    from public.catalogue_models as model;
  end if;
  return pg_catalog.json_build_object('status', statuses, 'catalogueVersion', newest, 'catalogue', models);
end
$$;
--> statement-breakpoint
-- Writes down how an instance fares, unless something newer stands there. `used`: real traffic says so. Of an instance that
-- is gone nothing is kept, and the answer is false; the environment's have no row to be gone.
create function app.save_provider_health(of_provider uuid, new_health jsonb, used boolean) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.provider_instances as instance where instance.id = of_provider for key share;
  if not found and of_provider::text not like '00000000-0000-7000-8000-%' then
    return false;
  end if;
  insert into public.provider_status as status (provider_id, health, checked_at, used_at)
  values (of_provider, new_health, pg_catalog.to_timestamp((new_health ->> 'checkedAtMs')::numeric / 1000),
    case when used then pg_catalog.now() end)
  on conflict (provider_id) do update set
    used_at = greatest(status.used_at, excluded.used_at),
    checked_at = greatest(status.checked_at, excluded.checked_at),
    health = case when status.health is null or (status.health ->> 'version')::bigint < (excluded.health ->> 'version')::bigint
      then excluded.health else status.health end;
  return true;
end
$$;
--> statement-breakpoint
revoke all on all functions in schema app from public;
--> statement-breakpoint
grant execute on function app.claim_probes(uuid[], timestamptz, timestamptz, timestamptz, integer),
  app.provider_healths(uuid[]), app.provider_facts(uuid[], jsonb), app.save_provider_health(uuid, jsonb, boolean) to app_user;
