import type { ConversationExport, ExportFormat } from "../../shared/contract/conversation.ts";
import { markdownHead, markdownOf } from "../../shared/domain/conversation/export-markdown.ts";
import { textStream } from "../../shared/runtime/text-stream.ts";
import { eventLog } from "./event-log.ts";
import type { Room } from "./room.ts";

/** Characters of one piece: what is in memory of a conversation at one time, and a message or an event more. */
const PIECE = { events: 1_000, length: 1_000_000 };

const ACTIVE_PATH = `with recursive path (id, parent_id) as (
  select id, parent_id from messages where id = ?
  union all select m.id, m.parent_id from messages m join path p on m.id = p.parent_id
) select m.id from messages m join path p on p.id = m.id where m.deleted = 0 order by m.seq`;

/**
 * A conversation as a file, piece by piece, whatever its size: JSON is everything there is up to now, a
 * `ConversationExport`; Markdown is the active path. Should the conversation be deleted meanwhile, the stream breaks.
 */
export function exportConversation(room: Room, format: ExportFormat): Response {
  const source = format === "markdown" ? markdownPieces(room) : jsonPieces(room, room.journal.lastSeq);
  return new Response(textStream(source));
}

function* jsonPieces(room: Room, upTo: number): Generator<string> {
  const { journal, services, storage } = room;
  const head: Omit<ConversationExport, "messages" | "events"> = {
    format: "mosaic.conversation.v1",
    exportedAt: services.now().toISOString(),
    conversation: journal.born,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
  yield* listed(room, (seq) => messagesBetween(room, seq, upTo));
  yield `],"events":[`;
  const log = eventLog(journal, storage.sql);
  yield* listed(room, (after) =>
    log
      .rowsAfter(after, PIECE)
      .filter(({ seq }) => seq <= upTo)
      .map(({ seq, at, body }) => ({ seq, text: `{"seq":${seq},"at":${JSON.stringify(at)},"event":${body}}` })),
  );
  yield "]}";
}

/** The entries of a JSON array, a page at a time. */
function* listed(room: Room, pageAfter: (seq: number) => { seq: number; text: string }[]): Generator<string> {
  for (let from = 0; ; ) {
    const page = pageAfter(from);
    const last = page.at(-1);
    if (!last) return;
    yield `${from === 0 ? "" : ","}${page.map((each) => each.text).join(",")}`;
    from = last.seq;
    requireStill(room);
  }
}

function messagesBetween({ journal }: Room, after: number, upTo: number): { seq: number; text: string }[] {
  const page: { seq: number; text: string }[] = [];
  let length = 0;
  const sql = "select * from messages where deleted = 0 and seq > ? and seq <= ? order by seq";
  for (const message of journal.page({ sql, args: [after, upTo] })) {
    const text = JSON.stringify(message);
    page.push({ seq: message.seq, text });
    length += text.length;
    if (length >= PIECE.length) break;
  }
  return page;
}

function* markdownPieces(room: Room): Generator<string> {
  const { journal, storage } = room;
  const path = storage.sql.exec<{ id: string }>(ACTIVE_PATH, journal.born.headId ?? "").toArray();
  let piece = markdownHead(journal.born);
  for (const { id } of path) {
    for (const message of journal.page({ sql: "select * from messages where id = ? and deleted = 0", args: [id] }))
      piece += markdownOf(message);
    if (piece.length < PIECE.length) continue;
    yield piece;
    piece = "";
    requireStill(room);
  }
  if (piece !== "") yield piece;
}

function requireStill({ journal }: Room): void {
  if (!journal.conversation) throw new Error("The conversation was deleted while it was exported.");
}
