import type { ModelProvider } from "../../ports/model-provider.ts";
import type { VendorWire } from "./vendor-wires.ts";

export type PeerAbility = "thinking" | "usage" | "finish";

export interface ContractSubject {
  name: string;
  /** The adapter under test, at a server whose root is `url`. */
  create(url: string): ModelProvider;
  wire: VendorWire;
  model: string;
  /** The key `create` uses; must never show. */
  secret: string;
  /** What the peer cannot do in this vendor's format. */
  peerLacks?: readonly PeerAbility[];
  /** Paths of calls that go beside the one under test, and their answers. */
  beside?: Readonly<Record<string, unknown>>;
}
