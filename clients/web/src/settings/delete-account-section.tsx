import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, queryClient } from "../app/api.ts";
import { forgetMe } from "../app/recent-me.ts";
import { textField, useSubmit } from "../auth/use-submit.ts";
import { forgetDrafts } from "../conversation/drafts.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";

export function DeleteAccountSection({ email }: { email: string }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button className="text-danger" onClick={() => setAsking(true)}>
        Delete my account
      </Button>
      {asking ? <DeleteAccountDialog email={email} onClose={() => setAsking(false)} /> : null}
    </>
  );
}

/** Asks for the address to be typed: this is the one thing that nobody can take back. */
function DeleteAccountDialog({ email, onClose }: { email: string; onClose: () => void }) {
  const navigate = useNavigate();
  const { busy, error, submit } = useSubmit(async (form) => {
    if (textField(form, "email").toLowerCase() !== email.toLowerCase())
      throw new Error(`That is not the address of this account. Type ${email} to go on.`);
    await api.deleteMe();
    forgetMe(() => localStorage);
    forgetDrafts();
    queryClient.clear();
    await navigate({ to: "/sign-up", search: { returnTo: "/" } });
  });
  return (
    <Dialog title="Delete your account?" onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <p className="text-soft">
          All your conversations and API keys go away for good, and you are signed out everywhere.
        </p>
        {error ? <Note look="error">{error}</Note> : null}
        <Field label={`Type ${email} to confirm`} name="email" autoComplete="off" required data-first-focus />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep my account</Button>
          <Button look="danger" type="submit" disabled={busy}>
            {busy ? "Deleting…" : "Delete for good"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
