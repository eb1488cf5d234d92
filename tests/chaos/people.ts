import * as z from "zod";
import { createApiClient } from "../../shared/client/api-client.ts";

export interface Person {
  userId: string;
  token: string;
}

export interface People {
  owner: Person;
  colleague: Person;
  stranger: Person;
  workspaceId: string;
}

const SignedUp = z.object({ token: z.string(), user: z.object({ id: z.string() }) });

/** Three accounts: two share a workspace, the third has no business there. */
export async function makePeople(url: string, publicUrl: string): Promise<People> {
  const post = async (path: string, body: object, token?: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: publicUrl,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return await response.json();
  };
  const join = async (name: string): Promise<Person> => {
    const account = { name, email: `${name}@example.com`, password: "a long enough password" };
    const { token, user } = SignedUp.parse(await post("/api/auth/sign-up/email", account));
    return { userId: user.id, token };
  };
  const owner = await join("owner");
  const colleague = await join("colleague");
  const stranger = await join("stranger");
  const { id: workspaceId } = await createApiClient({ baseUrl: url, token: owner.token }).workspaces.create("Crew");
  const invitation = { organizationId: workspaceId, email: "colleague@example.com", role: "member" };
  const { id: invitationId } = z
    .object({ id: z.string() })
    .parse(await post("/api/auth/organization/invite-member", invitation, owner.token));
  await post("/api/auth/organization/accept-invitation", { invitationId }, colleague.token);
  return { owner, colleague, stranger, workspaceId };
}
