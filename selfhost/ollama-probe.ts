const DEFAULT_ADDRESS = "http://127.0.0.1:11434";

/** @returns what was configured (`off` included), else the usual address when an Ollama answers there, else `off`. */
export async function findOllama(configured: string | undefined): Promise<string> {
  if (configured !== undefined) return configured.replace(/\/+$/, "");
  try {
    const response = await fetch(`${DEFAULT_ADDRESS}/api/version`, { signal: AbortSignal.timeout(500) });
    return response.ok ? DEFAULT_ADDRESS : "off";
  } catch {
    return "off";
  }
}
