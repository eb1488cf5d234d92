import type { Message } from "../../shared/contract/message.ts";

/** A message as a row of the object's storage. */
export type MessageRow = {
  id: string;
  seq: number;
  updated_seq: number;
  parent_id: string | null;
  role: string;
  parts: string;
  metadata: string;
  created_at: string;
  deleted: number;
};

/** A message as stored; `deleted` ones keep their place in the tree and nothing else. */
export interface StoredMessage {
  message: Message;
  deleted: boolean;
}

export const toMessage = (row: MessageRow): StoredMessage => ({
  message: {
    id: row.id,
    seq: row.seq,
    updatedSeq: row.updated_seq,
    parentId: row.parent_id,
    role: row.role as Message["role"],
    parts: JSON.parse(row.parts) as Message["parts"],
    metadata: JSON.parse(row.metadata) as Message["metadata"],
    createdAt: row.created_at,
  },
  deleted: row.deleted === 1,
});
