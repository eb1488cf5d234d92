import { describe, expect, it } from "vitest";
import { aPrincipal, testId } from "../../testing/builders.ts";
import { covers, rightOf } from "./authorise.ts";

const workspaceId = testId();
const ownerUserId = testId();
const access = { ownerUserId, workspaceId, visibility: "private" as const };
const shared = { ...access, visibility: "workspace" as const };
const member = (role: "owner" | "admin" | "member" | "viewer", userId = testId()) =>
  aPrincipal({ userId, workspaces: [{ id: workspaceId, role }] });

describe("who may do what with a conversation", () => {
  it("gives its owner everything, as long as they are in the workspace", () => {
    expect(rightOf(member("viewer", ownerUserId), access)).toBe("own");
    expect(rightOf(aPrincipal({ userId: ownerUserId }), access)).toBe("none");
  });

  it("hides a private one from everybody else, workspace owners and instance admins included", () => {
    expect(rightOf(member("owner"), access)).toBe("none");
    expect(rightOf({ ...member("owner"), isInstanceAdmin: true } as never, access)).toBe("none");
  });

  it("lets viewers read what is shared, others write, strangers nothing", () => {
    expect(rightOf(member("viewer"), shared)).toBe("read");
    expect(rightOf(member("member"), shared)).toBe("write");
    expect(rightOf(aPrincipal({ workspaces: [{ id: testId(), role: "owner" }] }), shared)).toBe("none");
  });

  it("orders rights", () => {
    expect(covers("own", "write")).toBe(true);
    expect(covers("read", "write")).toBe(false);
    expect(covers("none", "read")).toBe(false);
  });
});
