/** What is known of a pinned model, for those who look before it has answered. */
export interface PinnedModel {
  /** As it is kept: with whose it is in front. */
  name: string;
  provider: string;
  id: string;
  contextWindow: number | null;
}
