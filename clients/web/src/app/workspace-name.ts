import type { Workspace } from "../../../../shared/contract/account.ts";

/** A personal workspace bears its owner's name, which reads like a person: the page calls it by what it is. */
export const workspaceName = ({ personal, name }: Workspace): string => (personal ? "Personal" : name);
