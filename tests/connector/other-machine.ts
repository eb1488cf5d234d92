/**
 * `npm run test:namespace`: a model server and `mosaic connect` on another machine, which is a network namespace with a
 * cable to this one: nothing here can reach its model server, and it reaches nothing but Mosaic. A turn is answered by
 * it; then its connector is killed in the middle of an answer and started again, and the turn must end well. Needs root
 * and `ip`; where namespaces cannot be made it says so and runs both on this machine.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { root } from "../../scripts/build-inputs.ts";
import { startStack } from "../../shared/testing/node/stack.ts";
import { wordsOf } from "./fake-ollama.ts";
import { answerIn, kinds, run } from "./run-turn.ts";
import { Machine, Person } from "./stage.ts";

const NAMESPACE = `mosaic-${process.pid}`;
const [CABLE, FAR_END] = [`mo${process.pid}`, `mp${process.pid}`];
const HERE = "10.231.77.1";
const THERE = "10.231.77.2";
const WORDS = 200;

const ip = (...words: string[]): void => void execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });

interface Place {
  /** Where this machine is seen from there. */
  address: string;
  wrap: string[];
  isOther: boolean;
}

function makePlace(): Place {
  try {
    ip("netns", "add", NAMESPACE);
    ip("link", "add", CABLE, "type", "veth", "peer", "name", FAR_END);
    ip("link", "set", FAR_END, "netns", NAMESPACE);
    ip("addr", "add", `${HERE}/30`, "dev", CABLE);
    ip("link", "set", CABLE, "up");
    ip("-n", NAMESPACE, "addr", "add", `${THERE}/30`, "dev", FAR_END);
    ip("-n", NAMESPACE, "link", "set", FAR_END, "up");
    ip("-n", NAMESPACE, "link", "set", "lo", "up");
    return { address: HERE, wrap: ["ip", "netns", "exec", NAMESPACE], isOther: true };
  } catch (error) {
    console.log(
      `No network namespace can be made here, so the other machine is this one: ${String(error).split("\n")[0]}`,
    );
    removePlace();
    return { address: "127.0.0.1", wrap: [], isOther: false };
  }
}

function removePlace(): void {
  for (const words of [
    ["link", "del", CABLE],
    ["netns", "del", NAMESPACE],
  ]) {
    try {
      ip(...words);
    } catch {
      // It was not made, or went with the other.
    }
  }
}

/** The stack listens on loopback alone; the other machine reaches it at this end of the cable. */
async function openDoor(address: string, target: URL): Promise<Server> {
  const server = createServer((socket) => {
    const inner = connect(Number(target.port), "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) end.on("error", () => [socket, inner].map((each) => each.destroy()));
  });
  server.listen(0, address);
  await once(server, "listening");
  return server;
}

async function startModels({ wrap }: Place): Promise<ChildProcess> {
  const words = [...wrap, process.execPath, join(root, "tests", "connector", "fake-ollama.ts")];
  const models = spawn(words[0] ?? "", words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  await once(models.stdout, "data");
  return models;
}

function must(what: string, isSo: boolean): void {
  console.log(`${isSo ? "ok  " : "FAIL"} ${what}`);
  if (!isSo) process.exitCode = 1;
}

const canBeAsked = async (url: string): Promise<boolean> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  return answer !== null;
};

async function play(person: Person, machine: Machine, { isOther }: Place): Promise<void> {
  await person.instanceOf(machine);
  if (isOther) {
    must("nothing here reaches its model server", !(await canBeAsked(`http://${THERE}:11434/api/tags`)));
  }
  must("it answers a turn, every word", answerIn(await run(person)) === wordsOf("peer", WORDS).join(""));
  let back: Promise<unknown> | undefined;
  const events = await run(person, (characters) => {
    if (characters > 200) back ??= machine.process.end("SIGKILL").then(() => machine.restart());
  });
  await back;
  must("its connector is killed in the middle of an answer and started again", back !== undefined);
  must("the turn went on with a seam", kinds(events).includes("turn:continued"));
  must("the turn ended well", kinds(events).includes("turn:completed"));
}

const place = makePlace();
const stack = await startStack();
const door = await openDoor(place.address, new URL(stack.url));
const models = await startModels(place);
const address = door.address();
const url = `http://${place.address}:${typeof address === "object" && address ? address.port : 0}`;
const person = await Person.signUp(stack.url);
const machine = new Machine(person, "peer", ["--name", "peer", "--token", person.token], { url, wrap: place.wrap });
try {
  await machine.process.says("Connected to");
  await play(person, machine, place);
} finally {
  await machine.remove();
  models.kill("SIGKILL");
  door.close();
  await stack.stop();
  removePlace();
}
