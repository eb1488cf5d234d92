import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import * as z from "zod";
import { safeReturnTo } from "../auth/return-to.ts";
import { isSignedOut, meQuery, queryClient } from "./api.ts";
import { NotFoundPage, TroublePage } from "./trouble-pages.tsx";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: TroublePage });

const ReturnTo = z.object({ returnTo: z.unknown().transform(safeReturnTo).default("/") });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  // `error` is what an identity provider sends people back with.
  validateSearch: (search) =>
    ReturnTo.extend({
      error: z.coerce.string().optional(),
      saved: z.literal("password").optional().catch(undefined),
    }).parse(search),
  component: lazyRouteComponent(() => import("../auth/sign-in-page.tsx"), "SignInPage"),
});
const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  validateSearch: (search) => ReturnTo.parse(search),
  component: lazyRouteComponent(() => import("../auth/sign-up-page.tsx"), "SignUpPage"),
});
const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("../auth/password-pages.tsx"), "ForgotPasswordPage"),
});
const resetPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  validateSearch: (search) =>
    z.object({ token: z.coerce.string().optional(), error: z.coerce.string().optional() }).parse(search),
  component: lazyRouteComponent(() => import("../auth/password-pages.tsx"), "ResetPasswordPage"),
});

/** Everything below needs an account; who has none is sent to sign in and comes back. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  component: Outlet,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: "/sign-in", search: { returnTo: location.href } });
      throw error;
    }
  },
});
const device = createRoute({
  getParentRoute: () => signedIn,
  path: "/device",
  validateSearch: (search) => z.object({ user_code: z.coerce.string().optional() }).parse(search),
  component: lazyRouteComponent(() => import("../auth/device-page.tsx"), "DevicePage"),
});
const invitation = createRoute({
  getParentRoute: () => signedIn,
  path: "/invitations/$invitationId",
  component: lazyRouteComponent(() => import("../auth/invitation-page.tsx"), "InvitationPage"),
});
const chat = createRoute({
  getParentRoute: () => signedIn,
  id: "chat",
  component: lazyRouteComponent(() => import("../chat/chat-layout.tsx"), "ChatLayout"),
});
const newChat = createRoute({
  getParentRoute: () => chat,
  path: "/",
  component: lazyRouteComponent(() => import("../conversation/new-conversation-page.tsx"), "NewConversationPage"),
});
const conversation = createRoute({
  getParentRoute: () => chat,
  path: "/c/$conversationId",
  component: lazyRouteComponent(() => import("../conversation/conversation-page.tsx"), "ConversationPage"),
});
const settings = createRoute({
  getParentRoute: () => chat,
  path: "/settings",
  component: lazyRouteComponent(() => import("../settings/settings-page.tsx"), "SettingsPage"),
});
const providers = createRoute({
  getParentRoute: () => chat,
  path: "/settings/providers",
  // `add` opens the dialog at once: for links from where nothing can answer yet.
  validateSearch: (search) => z.object({ add: z.literal("1").optional().catch(undefined) }).parse(search),
  component: lazyRouteComponent(() => import("../settings/providers/providers-page.tsx"), "ProvidersPage"),
});
const machines = createRoute({
  getParentRoute: () => chat,
  path: "/settings/machines",
  component: lazyRouteComponent(() => import("../settings/machines/machines-page.tsx"), "MachinesPage"),
});
const models = createRoute({
  getParentRoute: () => chat,
  path: "/settings/models",
  component: lazyRouteComponent(() => import("../settings/models/models-page.tsx"), "ModelsPage"),
});
const workspace = createRoute({
  getParentRoute: () => chat,
  path: "/workspaces/$workspaceId",
  component: lazyRouteComponent(() => import("../settings/workspace-page.tsx"), "WorkspacePage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    signUp,
    forgotPassword,
    resetPassword,
    signedIn.addChildren([
      device,
      invitation,
      chat.addChildren([newChat, conversation, settings, providers, machines, models, workspace]),
    ]),
  ]),
  defaultPreload: "intent",
  // Search values stay plain strings: a device code or a token of digits must not become a number.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).flatMap(([key, value]) =>
      value == null || value === "" ? [] : [[key, String(value)]],
    );
    const text = new URLSearchParams(pairs).toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
