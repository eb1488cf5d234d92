import { useSearch } from "@tanstack/react-router";
import { Terminal } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { sentenceOf } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";
import { authApi } from "./auth-api.ts";
import { AuthLayout } from "./auth-layout.tsx";
import { textField, useSubmit } from "./use-submit.ts";

const CLIENT_NAMES: Record<string, string> = {
  "mosaic-cli": "The Mosaic terminal client",
  "mosaic-connector": "A Mosaic connector (it offers your machine's models and tools)",
};

type Step =
  | { at: "enter" }
  | { at: "confirm"; code: string; client: string }
  | { at: "done"; decision: "approved" | "denied" };

/** RFC 8628's other half: a signed-in person confirms the code that a terminal shows. */
export function DevicePage() {
  const { user_code: given } = useSearch({ from: "/signed-in/device" });
  const [step, setStep] = useState<Step>({ at: "enter" });
  const [error, setError] = useState<string | null>(null);
  const check = useCallback(async (code: string) => {
    const request = await authApi.device(code);
    if (request.status !== "pending")
      throw new Error(`This code was ${request.status} already. Ask the terminal for a new one.`);
    if (request.client_id === undefined)
      throw new Error("This code was opened by another account. Ask the terminal for a new one.");
    setStep({ at: "confirm", code: request.user_code, client: request.client_id });
  }, []);
  useEffect(() => {
    if (given) check(given).catch((thrown: unknown) => setError(sentenceOf(thrown)));
  }, [given, check]);
  const enter = useSubmit(async (form) => {
    setError(null);
    await check(textField(form, "code"));
  });
  const decide = async (code: string, decision: "approved" | "denied") => {
    try {
      await (decision === "approved" ? authApi.approveDevice(code) : authApi.denyDevice(code));
      setStep({ at: "done", decision });
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  const shown = enter.error ?? error;
  return (
    <AuthLayout title="Connect a terminal" lead="Only approve a code that you see on your own screen right now.">
      <div className="space-y-4">
        {shown ? <Note look="error">{shown}</Note> : null}
        {step.at === "enter" ? (
          <form onSubmit={enter.submit} className="space-y-4">
            <Field
              label="Code"
              name="code"
              defaultValue={given ?? ""}
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
              required
              autoFocus
            />
            <Button look="primary" type="submit" size="large" className="w-full" disabled={enter.busy}>
              Continue
            </Button>
          </form>
        ) : null}
        {step.at === "confirm" ? (
          <ConfirmDevice code={step.code} client={step.client} onDecide={(decision) => decide(step.code, decision)} />
        ) : null}
        {step.at === "done" ? (
          <Note look={step.decision === "approved" ? "info" : "warning"}>
            {step.decision === "approved"
              ? "Approved. Go back to your terminal: it is signed in."
              : "Denied. That terminal gets nothing."}
          </Note>
        ) : null}
      </div>
    </AuthLayout>
  );
}

interface ConfirmProps {
  code: string;
  client: string;
  onDecide: (decision: "approved" | "denied") => Promise<void>;
}

function ConfirmDevice({ code, client, onDecide }: ConfirmProps) {
  return (
    <section className="rounded-2xl border border-line bg-raised p-5" aria-label="Request">
      <div className="flex gap-3">
        <Terminal className="mt-0.5 size-5 shrink-0 text-accent" aria-hidden="true" />
        <p>
          <strong className="font-semibold">{CLIENT_NAMES[client] ?? client}</strong> asks to act as you.
        </p>
      </div>
      <p className="my-5 text-center font-mono text-2xl tracking-[0.2em]">{code}</p>
      <div className="grid grid-cols-2 gap-3">
        <Button onClick={() => onDecide("denied")}>Deny</Button>
        <Button look="primary" onClick={() => onDecide("approved")}>
          Approve
        </Button>
      </div>
    </section>
  );
}
