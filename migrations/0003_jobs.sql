CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"conversation_id" uuid,
	"workspace_id" uuid,
	"owner_user_id" uuid,
	"visibility" "visibility",
	"type" text NOT NULL,
	"status" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"max_attempts" integer NOT NULL,
	"run_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"error" text,
	"trace_id" text,
	"subject" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_conversation" FOREIGN KEY ("conversation_id","workspace_id","owner_user_id","visibility") REFERENCES "public"."conversations"("id","workspace_id","owner_user_id","visibility") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "jobs_recent" ON "jobs" USING btree ("run_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "jobs_of_conversation" ON "jobs" USING btree ("conversation_id");