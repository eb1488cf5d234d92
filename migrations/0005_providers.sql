CREATE TABLE "catalogue_models" (
	"provider" text NOT NULL,
	"id" text NOT NULL,
	"facts" jsonb NOT NULL,
	"position" integer NOT NULL,
	"revision" bigint NOT NULL,
	CONSTRAINT "catalogue_models_provider_id_pk" PRIMARY KEY("provider","id")
);
--> statement-breakpoint
CREATE TABLE "connectors" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"token_hash" text,
	"token_expires_at" timestamp (3) with time zone,
	"token_secret_hash" text,
	"secret_hash" text,
	"upstreams" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"client_version" text,
	"is_online" boolean DEFAULT false NOT NULL,
	"last_seen_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "connectors_name" UNIQUE("owner_user_id","name"),
	CONSTRAINT "connectors_owner" UNIQUE("id","owner_user_id")
);
--> statement-breakpoint
CREATE TABLE "provider_credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"provider_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"workspace_id" uuid,
	"workspace_key" uuid GENERATED ALWAYS AS (coalesce(workspace_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED NOT NULL,
	"owner_user_id" uuid NOT NULL,
	"sealed" text NOT NULL,
	"key_id" text GENERATED ALWAYS AS (split_part(sealed, '.', 2)) STORED NOT NULL,
	"method" text,
	"expires_at" timestamp (3) with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "provider_credentials_one" UNIQUE("provider_id"),
	CONSTRAINT "provider_credentials_scope" CHECK (scope in ('system', 'workspace', 'user') and (scope = 'workspace') = (workspace_id is not null))
);
--> statement-breakpoint
CREATE TABLE "provider_instances" (
	"id" uuid PRIMARY KEY NOT NULL,
	"scope" text NOT NULL,
	"workspace_id" uuid,
	"workspace_key" uuid GENERATED ALWAYS AS (coalesce(workspace_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED NOT NULL,
	"owner_user_id" uuid NOT NULL,
	"user_id" uuid GENERATED ALWAYS AS (case when scope = 'user' then owner_user_id end) STORED,
	"kind" text NOT NULL,
	"display_name" text NOT NULL,
	"base_url" text,
	"connector_id" uuid,
	"upstream" text,
	"route" text NOT NULL,
	"is_default" boolean NOT NULL,
	"is_enabled" boolean NOT NULL,
	"credential_hint" text,
	"header_hints" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "provider_instances_tenant" UNIQUE("id","scope","workspace_key","owner_user_id"),
	CONSTRAINT "provider_instances_scope" CHECK (scope in ('system', 'workspace', 'user') and (scope = 'workspace') = (workspace_id is not null))
);
--> statement-breakpoint
CREATE TABLE "provider_logins" (
	"id" uuid PRIMARY KEY NOT NULL,
	"scope" text NOT NULL,
	"workspace_id" uuid,
	"owner_user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"method" text NOT NULL,
	"display_name" text,
	"provider_id" uuid,
	"state" text NOT NULL,
	"state_hash" text,
	"sealed" text NOT NULL,
	"error" text,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"poll_after" timestamp (3) with time zone,
	"interval_seconds" integer,
	CONSTRAINT "provider_logins_state" UNIQUE("state_hash"),
	CONSTRAINT "provider_logins_scope" CHECK (scope in ('system', 'workspace', 'user') and (scope = 'workspace') = (workspace_id is not null))
);
--> statement-breakpoint
CREATE TABLE "provider_status" (
	"provider_id" uuid PRIMARY KEY NOT NULL,
	"instance_id" uuid GENERATED ALWAYS AS (case when provider_id::text not like '00000000-0000-7000-8000-%' then provider_id end) STORED,
	"health" jsonb,
	"checked_at" timestamp (3) with time zone,
	"used_at" timestamp (3) with time zone,
	"listed" jsonb,
	"list_version" bigint,
	"listed_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "provider_credentials" ADD CONSTRAINT "provider_credentials_provider" FOREIGN KEY ("provider_id","scope","workspace_key","owner_user_id") REFERENCES "public"."provider_instances"("id","scope","workspace_key","owner_user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provider_instances" ADD CONSTRAINT "provider_instances_connector" FOREIGN KEY ("connector_id","owner_user_id") REFERENCES "public"."connectors"("id","owner_user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provider_status" ADD CONSTRAINT "provider_status_instance" FOREIGN KEY ("instance_id") REFERENCES "public"."provider_instances"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "catalogue_models_revision" ON "catalogue_models" USING btree ("revision");--> statement-breakpoint
CREATE INDEX "provider_credentials_key" ON "provider_credentials" USING btree ("key_id","id");--> statement-breakpoint
CREATE INDEX "provider_instances_place" ON "provider_instances" USING btree ("scope","workspace_key");--> statement-breakpoint
CREATE INDEX "provider_instances_user" ON "provider_instances" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "provider_instances_connector" ON "provider_instances" USING btree ("connector_id");--> statement-breakpoint
CREATE UNIQUE INDEX "provider_instances_default" ON "provider_instances" USING btree ("scope","workspace_key",coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE is_default;--> statement-breakpoint
CREATE INDEX "provider_logins_owner" ON "provider_logins" USING btree ("owner_user_id");--> statement-breakpoint
CREATE INDEX "provider_logins_expiry" ON "provider_logins" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "provider_status_instance" ON "provider_status" USING btree ("instance_id");