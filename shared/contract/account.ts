import * as z from "zod";
import { Id, label } from "./primitives.ts";

/** Roles in a workspace. A viewer reads what is shared; a member also writes there; admin and owner manage people. */
export const WorkspaceRole = z.enum(["owner", "admin", "member", "viewer"]);
export type WorkspaceRole = z.infer<typeof WorkspaceRole>;

export const Workspace = z.object({
  id: Id,
  name: z.string(),
  slug: z.string(),
  personal: z.boolean(),
  role: WorkspaceRole,
});
export type Workspace = z.infer<typeof Workspace>;

/** A setting and where its value comes from. */
const effective = <Value extends z.ZodType>(value: Value) =>
  z.object({ value, from: z.enum(["system", "workspace", "user", "default"]) });

export const Me = z.object({
  user: z.object({
    id: Id,
    name: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    image: z.string().nullable(),
    isInstanceAdmin: z.boolean(),
  }),
  workspaces: z.array(Workspace),
  defaultWorkspaceId: Id,
  settings: z.object({ defaultModel: effective(z.string().nullable()) }),
});
export type Me = z.infer<typeof Me>;

/** What anybody may know before signing in. */
export const SignInOptions = z.object({
  signUp: z.enum(["open", "invite", "closed"]),
  /** The OpenID provider's name as the operator wrote it; null where none is configured. */
  singleSignOn: z.object({ name: z.string() }).nullable(),
});
export type SignInOptions = z.infer<typeof SignInOptions>;

export const CreateWorkspace = z.strictObject({ name: label(100) });

export const WorkspaceSettings = z.object({
  workspaceId: Id,
  defaultProviderId: z.string().nullable(),
  defaultModel: z.string().nullable(),
  settings: z.record(z.string(), z.unknown()),
  version: z.int().positive(),
});
export type WorkspaceSettings = z.infer<typeof WorkspaceSettings>;

export const UpdateWorkspaceSettings = z
  .strictObject({
    defaultProviderId: label(100).nullable().optional(),
    defaultModel: label(200).nullable().optional(),
    settings: z.record(z.string().max(100), z.json()).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { message: "name at least one field to change" });
export type UpdateWorkspaceSettings = z.infer<typeof UpdateWorkspaceSettings>;
