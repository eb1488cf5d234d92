/** What is known of a pinned model, for those who look before it has answered. */
export interface PinnedModel {
  provider: string;
  id: string;
  contextWindow: number | null;
}
