import { cancelJob } from "./admin/cancel-job.ts";
import { getJob } from "./admin/get-job.ts";
import { listJobs } from "./admin/list-jobs.ts";
import { retryJob } from "./admin/retry-job.ts";
import { createConnector } from "./connectors/create-connector.ts";
import { deleteConnector } from "./connectors/delete-connector.ts";
import { listConnectors } from "./connectors/list-connectors.ts";
import { openConnectorSocket } from "./connectors/open-connector-socket.ts";
import { createConversation } from "./conversations/create-conversation.ts";
import { createTicket } from "./conversations/create-ticket.ts";
import { deleteConversation } from "./conversations/delete-conversation.ts";
import { exportConversation } from "./conversations/export-conversation.ts";
import { forkConversation } from "./conversations/fork-conversation.ts";
import { getContext } from "./conversations/get-context.ts";
import { getConversation } from "./conversations/get-conversation.ts";
import { importConversation } from "./conversations/import-conversation.ts";
import { listConversations } from "./conversations/list-conversations.ts";
import { openSocket } from "./conversations/open-socket.ts";
import { stopTurn } from "./conversations/stop-turn.ts";
import { streamEvents } from "./conversations/stream-events.ts";
import { updateConversation } from "./conversations/update-conversation.ts";
import { getLive } from "./health/get-live.ts";
import { getReady } from "./health/get-ready.ts";
import { deleteMe } from "./me/delete-me.ts";
import { exportMe } from "./me/export-me.ts";
import { getMe } from "./me/get-me.ts";
import { deleteMessage } from "./messages/delete-message.ts";
import { editMessage } from "./messages/edit-message.ts";
import { listMessages } from "./messages/list-messages.ts";
import { sendMessage } from "./messages/send-message.ts";
import { listModels } from "./models/list-models.ts";
import { refreshModels } from "./models/refresh-models.ts";
import { createProvider } from "./providers/create-provider.ts";
import { deleteProvider } from "./providers/delete-provider.ts";
import { finishLogin } from "./providers/finish-login.ts";
import { getLogin } from "./providers/get-login.ts";
import { getProvider } from "./providers/get-provider.ts";
import { listProviderHealth } from "./providers/list-provider-health.ts";
import { listProviders } from "./providers/list-providers.ts";
import { loginCallback } from "./providers/login-callback.ts";
import { startLogin } from "./providers/start-login.ts";
import { testProvider } from "./providers/test-provider.ts";
import { updateProvider } from "./providers/update-provider.ts";
import type { ForeignId, Method, Route } from "./route.ts";
import { getSignInOptions } from "./sign-in/get-sign-in-options.ts";
import { createWorkspace } from "./workspaces/create-workspace.ts";
import { getWorkspaceSettings } from "./workspaces/get-workspace-settings.ts";
import { listWorkspaces } from "./workspaces/list-workspaces.ts";
import { updateWorkspaceSettings } from "./workspaces/update-workspace-settings.ts";

/** Every endpoint of ours. What is not in here is not served; sign-in's own routes and the docs stand beside it. */
export const routes: readonly Route[] = [
  getLive,
  getReady,
  getSignInOptions,
  getMe,
  exportMe,
  deleteMe,
  createConversation,
  importConversation,
  listConversations,
  getConversation,
  updateConversation,
  deleteConversation,
  stopTurn,
  forkConversation,
  exportConversation,
  createTicket,
  getContext,
  openSocket,
  streamEvents,
  listMessages,
  sendMessage,
  editMessage,
  deleteMessage,
  listModels,
  refreshModels,
  listProviders,
  createProvider,
  listProviderHealth,
  startLogin,
  getLogin,
  finishLogin,
  loginCallback,
  getProvider,
  updateProvider,
  deleteProvider,
  testProvider,
  listConnectors,
  createConnector,
  deleteConnector,
  openConnectorSocket,
  listWorkspaces,
  createWorkspace,
  getWorkspaceSettings,
  updateWorkspaceSettings,
  listJobs,
  getJob,
  retryJob,
  cancelJob,
];

export interface RouteTableRow {
  method: Method;
  path: string;
  operationId: string;
  signIn: Route["signIn"];
  ids: ForeignId[];
}

/** Where each endpoint takes an id that may be someone else's: what the isolation test walks. */
export const routeTable: readonly RouteTableRow[] = routes.map(({ method, path, operationId, signIn, ids }) => ({
  method,
  path,
  operationId,
  signIn,
  ids,
}));
