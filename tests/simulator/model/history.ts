/** What the outside has seen, for the checker. */
export interface History {
  /** Messages whose acknowledgement reached anyone, with their position. */
  acknowledged: Map<string, number>;
  /** Messages that were saved in a client's outbox. */
  kept: Set<string>;
  /** Messages that someone refused for good, or that a person took back. */
  refused: Set<string>;
  /** Messages of one device that were each sent after the acknowledgement of the one before, in order. */
  inOrder: Map<number, string[]>;
  /** Edited and deleted messages whose success was told. */
  edited: Set<string>;
  deleted: Set<string>;
  /** What an event was, by position, when somebody saw it first. */
  shown: Map<number, string>;
  /** How often people allowed each call. */
  approved: Map<string, number>;
  /** Tools that somebody allowed for good. */
  allowedAlways: Set<string>;
  /** Text of unfinished answers that was on disk when their object ended, by turn: nothing may take it back. */
  saved: Map<string, string>;
  violations: Violation[];
}

export interface Violation {
  check: string;
  detail: string;
}

export const emptyHistory = (): History => ({
  acknowledged: new Map(),
  kept: new Set(),
  refused: new Set(),
  inOrder: new Map(),
  edited: new Set(),
  deleted: new Set(),
  shown: new Map(),
  approved: new Map(),
  allowedAlways: new Set(),
  saved: new Map(),
  violations: [],
});
