/** Imported first. The runner is idle once the stack runs, but V8 would keep the 120 MB that loading Miniflare needed. */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--max-semi-space-size=2");
setFlagsFromString("--optimize-for-size");
