import type { Me } from "../../../../../shared/contract/account.ts";
import type { Provider } from "../../../../../shared/contract/provider.ts";
import { workspaceName } from "../../app/workspace-name.ts";

export interface Audience {
  /** `user`, `system`, or the id of a workspace. */
  value: string;
  text: string;
}

/** An audience as requests name it. */
export const scopeOf = (audience: string): { scope: Provider["scope"]; workspaceId?: string } =>
  audience === "user" || audience === "system" ? { scope: audience } : { scope: "workspace", workspaceId: audience };

/** For whom somebody may connect a provider: themselves, the workspaces they manage, everybody where they are the admin. */
export function audiencesOf({ user, workspaces }: Me): Audience[] {
  const managed = workspaces.filter(({ personal, role }) => !personal && (role === "owner" || role === "admin"));
  return [
    { value: "user", text: "Only me" },
    ...managed.map((workspace) => ({ value: workspace.id, text: `Everybody in ${workspaceName(workspace)}` })),
    ...(user.isInstanceAdmin ? [{ value: "system", text: "Everybody on this instance" }] : []),
  ];
}

/** What others get with it; undefined where it stays its owner's. */
export function audienceHint({ audience, place }: { audience: string; place: "address" | "machine" }) {
  if (audience === "user") return undefined;
  return place === "machine"
    ? "You share your machine: their questions are answered on it whenever it is online, with what it offers there."
    : "They use it without seeing the key; what it costs goes to that account.";
}

/** Whether somebody may change it: its own, a workspace's as one of its admins, the instance's as its admin. */
export function mayManage(me: Me, { source, scope, workspaceId }: Provider): boolean {
  if (source === "environment") return false;
  if (scope === "user") return true;
  return audiencesOf(me).some(({ value }) => value === (scope === "system" ? "system" : workspaceId));
}

export interface ProviderGroup {
  key: string;
  title: string;
  lead: string;
  providers: Provider[];
}

/** In the order in which a turn prefers them: one's own, each workspace's, the instance's. */
export function groupsOf(me: Me, providers: readonly Provider[]): ProviderGroup[] {
  const own = providers.filter(({ scope }) => scope === "user");
  const shared = me.workspaces.flatMap((workspace) => {
    const inIt = providers.filter(({ scope, workspaceId }) => scope === "workspace" && workspaceId === workspace.id);
    const title = workspaceName(workspace);
    return inIt.length === 0
      ? []
      : [{ key: workspace.id, title, lead: `For conversations in ${title}, whoever asks there.`, providers: inIt }];
  });
  const system = providers.filter(({ scope }) => scope === "system");
  const everybody = {
    key: "system",
    title: "Everybody on this instance",
    lead: "Asked when nothing above can answer.",
  };
  return [
    {
      key: "user",
      title: "Yours",
      lead: "Asked first, and only when you ask: nobody else spends your key.",
      providers: own,
    },
    ...shared,
    ...(system.length === 0 ? [] : [{ ...everybody, providers: system }]),
  ];
}
