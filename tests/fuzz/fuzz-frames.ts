/**
 * Throws frames at one conversation and holds it to the protocol: each bad frame is answered by exactly the error that
 * the contract's decoder names, each good one once, nothing else happens, and who behaves notices nothing.
 */
import { ERROR_CODES } from "../../shared/contract/errors.ts";
import { CLOSE, decodeClientFrame, PROTOCOL_VERSION, type ServerFrame } from "../../shared/contract/frames.ts";
import { type FrameInput, frameInputs } from "./frame-inputs.ts";

/** A client's end of a conversation's socket. */
export interface FuzzSocket {
  /** Everything received so far. */
  readonly frames: ServerFrame[];
  readonly closed: { code: number; reason: string } | null;
  sendRaw(data: string | ArrayBuffer): void;
  close(): void;
  /** The first value that `find` finds, looked for whenever something arrives. @throws Error when nothing does in time */
  until<Value>(what: string, find: () => Value | undefined): Promise<Value>;
}

export interface FuzzOptions {
  seed: number;
  inputs: number;
  connect(): Promise<FuzzSocket>;
  newId(): string;
}

export interface FuzzCounts {
  /** Without the frames of floods. */
  inputs: number;
  sockets: number;
  /** Error frames that came for bad frames, by code. */
  errors: Record<string, number>;
  /** Good frames among them, all answered. */
  answered: number;
  /** Of one flood for each run; fewer only where the machine could not be flooded. */
  floodsClosed: number;
}

const CHUNK = 100;
/** Fewer than the burst that a socket may send at once. */
const PER_SOCKET = 1_200;
const FLOOD = 6_000;
const MAX_MESSAGE_LENGTH = 600;
const MAX_ERROR_LENGTH = 16_384;

type ErrorFrame = Extract<ServerFrame, { type: "error" }>;

const hello = (protocol = PROTOCOL_VERSION): string =>
  JSON.stringify({ type: "hello", protocol, client: { name: "fuzz", version: "1", kind: "api" } });

/** @throws Error that says which input was answered wrongly, with its number, to be replayed by its seed */
export async function fuzzFrames(options: FuzzOptions): Promise<FuzzCounts> {
  const counts: FuzzCounts = { inputs: 0, sockets: 0, errors: {}, answered: 0, floodsClosed: 0 };
  const inputs = frameInputs(options.seed, options.inputs);
  const witness = await options.connect();
  witness.sendRaw(hello());
  await witness.until("the welcome of who behaves", () => witness.frames.find(({ type }) => type === "welcome"));
  for (let from = 0; from < inputs.length; from += PER_SOCKET) {
    const isGreeted = (from / PER_SOCKET) % 3 !== 1;
    await fuzzSocket(options, counts, { inputs: inputs.slice(from, from + PER_SOCKET), from, isGreeted });
    await isAnswered(witness, options.newId());
  }
  await flood(options, counts);
  await wrongProtocol(options);
  await isAnswered(witness, options.newId());
  expectWhole(witness);
  witness.close();
  return counts;
}

interface Batch {
  inputs: FrameInput[];
  /** Number of the first input in the whole run. */
  from: number;
  isGreeted: boolean;
}

async function fuzzSocket(options: FuzzOptions, counts: FuzzCounts, batch: Batch): Promise<void> {
  const socket = await options.connect();
  counts.sockets++;
  let { isGreeted } = batch;
  if (isGreeted) {
    socket.sendRaw(hello());
    await socket.until("the welcome", () => socket.frames.find(({ type }) => type === "welcome"));
  }
  for (let from = 0; from < batch.inputs.length; from += CHUNK) {
    const inputs = batch.inputs.slice(from, from + CHUNK);
    isGreeted = await fuzzChunk(options, counts, { socket, inputs, from: batch.from + from, isGreeted });
    if (socket.closed) break;
  }
  socket.close();
}

/** What an input must be answered with: this error; one answer for its id; nothing or a refusal that has no id. */
type Expected = { error: Omit<ErrorFrame, "type"> } | { id: string } | { welcome: true } | null;

function expectedOf(input: FrameInput, isGreeted: boolean): Expected {
  if (typeof input !== "string")
    return { error: { code: "invalid_request", message: "Frames are JSON text, not binary." } };
  const decoded = decodeClientFrame(input);
  if (!decoded.ok) return { error: { ...(decoded.id === undefined ? {} : { id: decoded.id }), ...decoded.error } };
  const { frame } = decoded;
  if (frame.type === "hello") return { welcome: true };
  if (!isGreeted) {
    const id = "id" in frame ? { id: frame.id } : {};
    return { error: { ...id, code: "invalid_request", message: "Send `hello` first." } };
  }
  return frame.type === "received" ? null : { id: frame.id };
}

/** The one refusal that a well-formed `received` can meet: it has no id to be known by. */
const refusesReceived = ({ message }: ErrorFrame): boolean => message.startsWith("`seq`: this conversation has not");

async function fuzzChunk(
  { newId }: FuzzOptions,
  counts: FuzzCounts,
  chunk: Batch & { socket: FuzzSocket },
): Promise<boolean> {
  const { socket, inputs } = chunk;
  const errors: { input: number; error: Omit<ErrorFrame, "type"> }[] = [];
  const asked = new Map<string, number>();
  let { isGreeted } = chunk;
  const before = socket.frames.length;
  for (const [index, input] of inputs.entries()) {
    // Sent by hand at the end; anything else would only end this socket early.
    if (typeof input === "string" && opensOtherProtocol(input)) continue;
    const expected = expectedOf(input, isGreeted);
    if (expected && "error" in expected) errors.push({ input: chunk.from + index, error: expected.error });
    if (expected && "id" in expected) asked.set(expected.id, (asked.get(expected.id) ?? 0) + 1);
    if (expected && "welcome" in expected) isGreeted = true;
    socket.sendRaw(input);
    counts.inputs++;
  }
  const marker = newId();
  socket.sendRaw(JSON.stringify({ type: "turn:stop", id: marker, marker: true }));
  const since = () => socket.frames.slice(before);
  const isMarker = (frame: ServerFrame): boolean => frame.type === "error" && frame.id === marker;
  await socket.until(`the answers to inputs ${chunk.from} to ${chunk.from + inputs.length}`, () => {
    if (socket.closed)
      throw new Error(`inputs from ${chunk.from} closed the socket: ${socket.closed.code} ${socket.closed.reason}`);
    return since().some(isMarker) && answersTo(since(), asked) >= sum(asked) ? true : undefined;
  });
  const told = since().filter((frame): frame is ErrorFrame => frame.type === "error" && !isMarker(frame));
  const forBadFrames = told.filter(
    (frame) => !(frame.id !== undefined && asked.has(frame.id)) && !refusesReceived(frame),
  );
  expectErrors(forBadFrames, errors);
  if (answersTo(since(), asked) !== sum(asked))
    throw new Error(`inputs from ${chunk.from}: some good frame was answered twice`);
  counts.answered += sum(asked);
  for (const { code } of forBadFrames) counts.errors[code] = (counts.errors[code] ?? 0) + 1;
  return isGreeted;
}

function opensOtherProtocol(input: string): boolean {
  const decoded = decodeClientFrame(input);
  return decoded.ok && decoded.frame.type === "hello" && decoded.frame.protocol !== PROTOCOL_VERSION;
}

const sum = (asked: ReadonlyMap<string, number>): number => [...asked.values()].reduce((all, each) => all + each, 0);

const answersTo = (frames: readonly ServerFrame[], asked: ReadonlyMap<string, number>): number =>
  frames.filter(
    (frame) =>
      (frame.type === "ack" || frame.type === "command:result" || frame.type === "error") &&
      frame.id !== undefined &&
      asked.has(frame.id),
  ).length;

function expectErrors(
  told: readonly ErrorFrame[],
  expected: readonly { input: number; error: Omit<ErrorFrame, "type"> }[],
): void {
  for (const [index, { input, error }] of expected.entries()) {
    const got = told[index];
    const { type: _type, ...rest } = got ?? { type: "error" };
    if (JSON.stringify(sorted(rest)) !== JSON.stringify(sorted(error)))
      throw new Error(`input ${input} was answered ${short(got)} instead of ${short(error)}`);
    if (got) expectPlain(input, got);
  }
  if (told.length > expected.length) throw new Error(`an error for nothing: ${short(told[expected.length])}`);
}

/** A closed code, and one sentence that a person can read, however the input was. */
export function expectPlain(input: number, error: Omit<ErrorFrame, "type">): void {
  const { code, message } = error;
  if (!ERROR_CODES.includes(code)) throw new Error(`input ${input}: the code ${code} is not in the list`);
  if (message.length === 0 || message.length > MAX_MESSAGE_LENGTH || /\p{C}/u.test(message))
    throw new Error(`input ${input}: not one plain sentence: ${short(message)}`);
  const { length } = JSON.stringify(error);
  if (length > MAX_ERROR_LENGTH) throw new Error(`input ${input}: an error of ${length} characters`);
}

const sorted = (value: object): [string, unknown][] => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
const short = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 400);

/**
 * Many more frames than anyone may send at once: this socket is closed with 4008, and it is no one else's matter. A
 * machine so slow that they arrive at a rate that is allowed answers each of them instead.
 */
async function flood({ connect }: FuzzOptions, counts: FuzzCounts): Promise<void> {
  const socket = await connect();
  socket.sendRaw(hello());
  for (let sent = 0; sent < FLOOD && !socket.closed; sent++) socket.sendRaw("{");
  const errors = (): number => socket.frames.filter(({ type }) => type === "error").length;
  const ended = await socket.until("the end of a flood", () =>
    socket.closed ? socket.closed.code : errors() >= FLOOD ? "answered" : undefined,
  );
  if (ended === CLOSE.tooSlow) counts.floodsClosed++;
  else if (ended !== "answered") throw new Error(`a flood was closed with ${ended}`);
  socket.close();
}

/** Another protocol is refused with an error and 4010, and what such a client still says counts for nothing. */
async function wrongProtocol({ connect, newId }: FuzzOptions): Promise<void> {
  const socket = await connect();
  socket.sendRaw(hello(99));
  for (let sent = 0; sent < 50; sent++)
    socket.sendRaw(JSON.stringify({ type: "message:send", id: newId(), text: "after the end" }));
  const { code } = await socket.until("the end of another protocol", () => socket.closed ?? undefined);
  if (code !== CLOSE.wrongProtocol) throw new Error(`another protocol was closed with ${code}`);
  const types = socket.frames.map(({ type }) => type);
  if (types.join() !== "error") throw new Error(`another protocol was told ${types.join()}`);
}

/** A plain message is acknowledged, and its turn ends. */
async function isAnswered(socket: FuzzSocket, id: string): Promise<void> {
  socket.sendRaw(JSON.stringify({ type: "message:send", id, text: "Are you still there?" }));
  await socket.until("the ack of who behaves", () =>
    socket.frames.find((frame) => frame.type === "ack" && frame.id === id),
  );
  const turnId = await socket.until("the answer to who behaves", () => turnFor(socket.frames, id));
  await socket.until("the end of that answer", () =>
    socket.frames.find(
      (frame) => frame.type === "event" && frame.event.type === "turn:completed" && frame.event.turnId === turnId,
    ),
  );
}

function turnFor(frames: readonly ServerFrame[], messageId: string): string | undefined {
  for (const frame of frames) {
    if (frame.type === "event" && frame.event.type === "turn:started" && frame.event.replyTo === messageId)
      return frame.event.turnId;
  }
  return undefined;
}

/** Who behaves was never closed, got every event once and in order, and no error. */
function expectWhole(witness: FuzzSocket): void {
  if (witness.closed) throw new Error(`who behaves was closed: ${witness.closed.code} ${witness.closed.reason}`);
  const seqs = witness.frames.flatMap((frame) => (frame.type === "event" ? [frame.seq] : []));
  const gap = seqs.findIndex((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1);
  if (gap >= 0) throw new Error(`who behaves got event ${seqs[gap]} after ${seqs[gap - 1]}`);
  const error = witness.frames.find(({ type }) => type === "error");
  if (error) throw new Error(`who behaves was told ${short(error)}`);
}
