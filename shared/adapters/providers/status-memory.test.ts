import { beforeEach, describe, expect, it } from "vitest";
import { aHealth, testId } from "../../testing/builders.ts";
import { StatusMemory } from "./status-memory.ts";

const providerId = testId();
const models = (...ids: string[]) => ids.map((id) => ({ id }));

describe("what an isolate remembers of a provider's list", () => {
  let memory: StatusMemory;
  beforeEach(() => {
    memory = new StatusMemory();
  });
  const hear = (listed: { id: string }[], isPart: boolean): void =>
    memory.hear({ providerId, health: aHealth(), listed, ...(isPart ? { isPart } : {}) });
  const listed = (): string[] | undefined => memory.listed(providerId)?.map(({ id }) => id);

  it("is a whole list, whatever part of it an object kept", () => {
    const whole = models("a", "b", "c");
    hear(whole, false);
    hear(models("a", "gone"), true);
    expect(memory.listed(providerId)).toBe(whole);
    memory.keepList(providerId, models("d"));
    hear(models("a"), true);
    expect(listed()).toEqual(["d"]);
  });

  it("is all the parts that objects kept, as long as nobody knows the whole", () => {
    hear(models("a", "b"), true);
    hear(models("b", "pinned elsewhere"), true);
    expect(listed()).toEqual(["a", "b", "pinned elsewhere"]);
    const before = memory.listed(providerId);
    hear(models("a", "b"), true);
    expect(memory.listed(providerId)).toBe(before);
    hear(models("x"), false);
    expect(listed()).toEqual(["x"]);
  });
});
