import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";
import { authApi } from "./auth-api.ts";
import { AuthLayout } from "./auth-layout.tsx";
import { textField, useSubmit } from "./use-submit.ts";

export function ForgotPasswordPage() {
  const [sentTo, setSentTo] = useState<string | null>(null);
  const { busy, error, submit } = useSubmit(async (form) => {
    const email = textField(form, "email");
    await authApi.requestPasswordReset(email);
    setSentTo(email);
  });
  return (
    <AuthLayout title="Forgot your password?" lead="It happens. We send you a link that lets you choose a new one.">
      {sentTo === null ? (
        <form onSubmit={submit} className="space-y-4">
          {error ? <Note look="error">{error}</Note> : null}
          <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
          <Button look="primary" type="submit" size="large" className="w-full" disabled={busy}>
            {busy ? "Sending…" : "Send the link"}
          </Button>
        </form>
      ) : (
        <Note look="info">
          If <strong>{sentTo}</strong> has an account here, a link is on its way. On a self-hosted stack without mail it
          is printed in the terminal that runs the stack.
        </Note>
      )}
      <BackToSignIn />
    </AuthLayout>
  );
}

export function ResetPasswordPage() {
  const { token, error: linkError } = useSearch({ from: "/reset-password" });
  const navigate = useNavigate();
  const { busy, error, submit } = useSubmit(async (form) => {
    await authApi.resetPassword(token ?? "", String(form.get("password")));
    await navigate({ to: "/sign-in", search: { returnTo: "/", saved: "password" } });
  });
  const usable = token !== undefined && linkError === undefined;
  return (
    <AuthLayout title="Choose a new password" lead="It signs you out everywhere; then you sign in with the new one.">
      {usable ? (
        <form onSubmit={submit} className="space-y-4">
          {error ? <Note look="error">{error}</Note> : null}
          <Field
            label="New password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            maxLength={256}
            hint="At least 10 characters."
            autoFocus
          />
          <Button look="primary" type="submit" size="large" className="w-full" disabled={busy}>
            {busy ? "Saving…" : "Save password"}
          </Button>
        </form>
      ) : (
        <div className="space-y-4">
          <Note look="error">This link is used up or too old.</Note>
          <Link to="/forgot-password" className="text-[14px] text-accent hover:underline">
            Ask for a new one
          </Link>
        </div>
      )}
      <BackToSignIn />
    </AuthLayout>
  );
}

function BackToSignIn() {
  return (
    <p className="mt-6 text-[14px] text-soft">
      <Link to="/sign-in" search={{ returnTo: "/" }} className="hover:text-ink hover:underline">
        Back to sign-in
      </Link>
    </p>
  );
}
