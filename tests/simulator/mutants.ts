/** Known faults in the code that ships. Each one must be seen; one that nobody sees is a hole in the checker. */
export interface Mutant {
  name: string;
  /** What goes wrong with it, in a few words. */
  what: string;
  file: string;
  /** Must be there exactly once. */
  find: string;
  replace: string;
}

const object = (name: string): string => `durable-objects/conversation/${name}.ts`;

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no-dedupe",
    what: "a message id that is known is taken for new",
    file: "shared/domain/conversation/decide.ts",
    find: "  if (known) {\n",
    replace: "  if (known?.deleted) {\n",
  },
  {
    name: "ack-before-write",
    what: "the acknowledgement leaves a moment before the message is written",
    file: object("messages"),
    find: "  if (room.outbox.isFull) return TOO_MUCH_WAITS;\n  const logged = journal.transact(() => {\n    const events = journal.append(decision.event);\n",
    replace: `  if (!room.late) {
    room.late = true;
    services.timers.after(5, () => {
      sendMessage(room, principal, id, body, client);
      room.late = false;
    });
    return ok({ messageId: id, seq: journal.lastSeq + 1, state: "started", turnId: null, duplicate: false });
  }
  const logged = journal.transact(() => {
    const events = journal.append(decision.event);
`,
  },
  {
    name: "no-output-gate",
    what: "frames leave before what they tell of is on disk",
    file: "tests/simulator/model/server-socket.ts",
    find: "held.gate(() => held.link?.toClient(text));",
    replace: "held.link?.toClient(text);",
  },
  {
    name: "cursor-before-commit",
    what: "the outbox moves on before the database has said yes",
    file: object("outbox"),
    find: "      const outcome = await this.#send(remaining);\n",
    replace: `      this.#deps.journal.setMeta("drainedSeq", String(remaining.at(-1)?.seq ?? 0));
      const outcome = await this.#send(remaining);
`,
  },
  {
    name: "events-dropped",
    what: "events that the database could not take for the moment are given up",
    file: object("outbox"),
    find: "      else if (outcome.retry) return this.#failed(outcome);\n",
    replace: "      else if (outcome.retry) this.#reached(remaining.at(-1)?.seq ?? 0);\n",
  },
  {
    name: "poison-blocks",
    what: "an event that the database refuses is tried for ever",
    file: object("outbox"),
    find: "      else if (outcome.retry) return this.#failed(outcome);\n",
    replace: '      else if (outcome.message !== "") return this.#failed(outcome);\n',
  },
  {
    name: "parked-untold",
    what: "nobody hears of a refused event",
    file: object("outbox"),
    find: "    if (events.length === 0) return await this.#report();\n",
    replace: "    if (events.length === 0) return false;\n",
  },
  {
    name: "outbox-without-alarm",
    what: "an object that ends with undrained events is not woken for them",
    file: object("outbox"),
    find: "    alarms.schedule(OUTBOX_ALARM, now() + IF_LOST_MS);\n    this.#timer ??=",
    replace: "    this.#timer ??=",
  },
  {
    name: "drain-not-idempotent",
    what: "a batch that arrives late overwrites what a newer one wrote",
    file: "tests/simulator/model/postgres.ts",
    find: "if (!stored || stored.updated_seq < row.updated_seq) this.messages",
    replace: "if (stored || !stored) this.messages",
  },
  {
    name: "alarm-throws",
    what: "the alarm's handler throws when a turn is to be watched",
    file: object("on-alarm"),
    find: "  try {\n    for (const name of room.alarms.takeDue(services.now().getTime())) start(room, name);\n",
    replace: `  const due = room.alarms.takeDue(services.now().getTime());
  if (due.includes(WATCHDOG_ALARM)) throw new Error("no");
  try {
    for (const name of due) start(room, name);
`,
  },
  {
    name: "watchdog-not-armed",
    what: "no alarm stands behind a running turn",
    file: object("turn-queue"),
    find: "    alarms.schedule(WATCHDOG_ALARM, deadlineMs ?? this.#nowMs() + WATCHDOG_EVERY_MS);\n",
    replace: "    void [alarms, deadlineMs];\n",
  },
  {
    name: "silent-restart",
    what: "recovery throws away text that was shown and saved",
    file: "shared/domain/turn/recover.ts",
    find: '  return { kind: kept.shown ? "continue" : "rerun", parts: kept.parts };\n',
    replace: '  return { kind: "rerun", parts: [] };\n',
  },
  {
    name: "stop-without-ending",
    what: "a stopped turn has no ending in the log",
    file: object("end-turn"),
    find: "    return [...begun, ...journal.append(...events, ending)];\n",
    replace: "    return [...begun, ...journal.append(...events), ...[ending].slice(1)];\n",
  },
  {
    name: "two-endings",
    what: "a completed turn is ended twice",
    file: object("end-turn"),
    find: '    return journal.append({ type: "turn:completed", turnId: turn.id, message, usage });\n',
    replace: `    const ending = { type: "turn:completed", turnId: turn.id, message, usage };
    return turn.restarts > 0 ? journal.append(ending, ending) : journal.append(ending);
`,
  },
  {
    name: "late-stream-heard",
    what: "what a stream says after its turn was stopped is written",
    file: object("stream-answer"),
    find: '    if (abort.signal.aborted) return { kind: "stale" };\n',
    replace: "",
  },
  {
    name: "snapshot-too-short",
    what: "who attaches in the middle of an answer misses its last part",
    file: object("running-snapshot"),
    find: "  const parts = running?.answer.parts ?? turn.parts;\n",
    replace: "  const parts = (running?.answer.parts ?? turn.parts).slice(0, -1);\n",
  },
  {
    name: "wrong-offset",
    what: "deltas say the wrong place",
    file: "shared/domain/turn/answer.ts",
    find: "    const offset = open.text.length;\n    open.text += text;\n",
    replace: "    open.text += text;\n    const offset = open.text.length;\n",
  },
  {
    name: "unsafe-tool-again",
    what: "after a crash an unsafe call simply runs again",
    file: "shared/domain/turn/recover.ts",
    find: "cut.filter((call) => !safeToRepeat(call.name)).map((call) => call.callId)",
    replace: "[]",
  },
  {
    name: "tool-before-log",
    what: "a call is not in the log when it runs",
    file: object("run-tools"),
    find: `    room.turns.save(turn.id, answer.parts, progress);
    return room.journal.append(...fresh.map((call) => requestedEvent(turn, call, needs.get(call.callId) ?? false)));
`,
    replace: "    return room.journal.append();\n",
  },
  {
    name: "steering-dropped",
    what: "a message that was to reach a turn goes with it",
    file: object("turn-table"),
    find: "} and state = 'steering'`, id);\n",
    replace: "} and state = 'nowhere'`, id);\n",
  },
  {
    name: "replay-skips",
    what: "a replay begins one event too late",
    file: object("handle-frame"),
    find: "  sessions.follow(socket, frame.since ?? journal.lastSeq);\n",
    replace: "  sessions.follow(socket, frame.since === undefined ? journal.lastSeq : frame.since + 1);\n",
  },
  {
    name: "client-forgets-outbox",
    what: "a client that is back does not send what was not acknowledged",
    file: "shared/client/send-queue.ts",
    find: "    this.#connected = true;\n    this.#next();\n",
    replace: "    this.#connected = true;\n",
  },
  {
    name: "client-sends-unkept",
    what: "a message leaves the client's storage before it is acknowledged",
    file: "shared/client/send-queue.ts",
    find: '    if (!this.#transmit({ type: "message:send", ...frame })) return;\n',
    replace: '    if (!this.#transmit({ type: "message:send", ...frame })) return;\n    void this.#forget(entry.id);\n',
  },
  {
    name: "client-cursor-first",
    what: "a client takes for read what it has only been told of",
    file: "shared/client/position.ts",
    find: '    if (isSameLog && this.#seq <= lastSeq) return "resumed";\n',
    replace:
      '    if (isSameLog && this.#seq <= lastSeq) {\n      this.#seq = lastSeq;\n      return "resumed";\n    }\n',
  },
  {
    name: "delete-not-redacted",
    what: "the words of a deleted message stay in the log",
    file: object("messages"),
    find: "    journal.redact(messageId);\n",
    replace: "",
  },
  {
    name: "lost-turn-unended",
    what: "a rebuilt object forgets the turns that ran when its storage was lost",
    file: object("rebuild"),
    find: "  return journal.append(...[...work.turns.keys()].map(lostTurn));\n",
    replace: "  return journal.append();\n",
  },
];
