/** The lines of a streamed body, as they come; empty ones are left out. The request's watch sees to it that they end. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      // Only what is new is searched: a long line comes in hundreds of pieces.
      const [head = "", ...more] = decoder.decode(value, { stream: true }).split("\n");
      const lines = [rest + head, ...more];
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") yield line;
    }
  } finally {
    await reader.cancel();
  }
  // A last line may lack its newline; one that was cut off is no JSON and says nothing.
  if (isJson(rest)) yield rest;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
