import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { createApiClient } from "../../../../shared/client/api-client.ts";
import { ApiError } from "../../../../shared/client/api-error.ts";
import { askMe } from "./recent-me.ts";

/** The page is served by the stack it talks to: same origin, session cookie. */
export const api = createApiClient({ baseUrl: "" });

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.retryable),
    },
  },
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () =>
    askMe(
      () => api.me(),
      () => localStorage,
      Date.now,
    ),
  staleTime: 5 * 60_000,
});
export const signInOptionsQuery = queryOptions({
  queryKey: ["sign-in-options"],
  queryFn: () => api.signInOptions(),
  staleTime: 5 * 60_000,
});
export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: () => api.models.list(), staleTime: 60_000 });
export const providersQuery = queryOptions({ queryKey: ["providers"], queryFn: () => api.providers.list() });
export const connectorsQuery = queryOptions({ queryKey: ["connectors"], queryFn: () => api.connectors.list() });

/** How long a state that is on the screen may be out of date. */
const HEALTH_EVERY_MS = 15_000;
export const healthQuery = queryOptions({
  queryKey: ["provider-health"],
  queryFn: () => api.providers.health(),
  refetchInterval: HEALTH_EVERY_MS,
});

/** After anything that changes who can answer. */
export const refreshProviders = () =>
  Promise.all(
    [providersQuery, healthQuery, modelsQuery].map(({ queryKey }) => queryClient.invalidateQueries({ queryKey })),
  );
export const conversationsQuery = infiniteQueryOptions({
  queryKey: ["conversations"],
  queryFn: ({ pageParam }) =>
    api.conversations.list(pageParam === null ? { limit: 50 } : { limit: 50, cursor: pageParam }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
  // Another tab may have deleted or renamed one meanwhile.
  refetchOnWindowFocus: "always",
});

export const conversationQuery = (id: string) =>
  queryOptions({ queryKey: ["conversation", id], queryFn: () => api.conversations.get(id), retry: false });

/** After anything that the list at the side or a conversation's header shows. */
export const refreshConversations = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: conversationsQuery.queryKey }),
    queryClient.invalidateQueries({ queryKey: ["conversation"] }),
  ]);

export const isSignedOut = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === "unauthenticated" || error.code === "expired");

/** One sentence for whatever was thrown. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "Something went wrong. Try again.";
