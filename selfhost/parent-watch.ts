const EVERY_MS = 200;

/**
 * npm stands between the person and the stack; when it is killed, nobody is left to stop the stack, and the next
 * `npm start` would find its folder taken. Started in any other way, the stack may outlive its parent. @returns how to stop.
 */
export function watchParent(env: NodeJS.ProcessEnv, onGone: () => void): () => void {
  const parent = process.ppid;
  if (env.npm_lifecycle_event !== "start") return () => undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
