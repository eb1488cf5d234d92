import { v5 } from "uuid";

const NAMESPACE = "5c8d3c55-0d5c-4d0f-9d0b-6a3f8a6f6c1e";

/** The id of the user's personal workspace: always the same, so that making it twice makes it once. */
export const personalWorkspaceId = (userId: string): string => v5(userId.toLowerCase(), NAMESPACE);
