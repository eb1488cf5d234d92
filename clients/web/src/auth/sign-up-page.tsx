import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { queryClient, signInOptionsQuery } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";
import { AuthError, authApi } from "./auth-api.ts";
import { AuthLayout } from "./auth-layout.tsx";
import { SingleSignOn } from "./single-sign-on.tsx";
import { textField, useSubmit } from "./use-submit.ts";

/** The stack prints a token for its first account when it can be reached from beyond this machine. */
const asksForSetupToken = (error: unknown): boolean =>
  error instanceof AuthError && /setup.?token/i.test(`${error.authCode} ${error.message}`);

const WHO_MAY = {
  invite: "Only invited people can make an account here: use the e-mail address that the invitation was sent to.",
  closed: "This instance takes no new accounts. Ask its operator for one.",
} as const;

export function SignUpPage() {
  const { returnTo } = useSearch({ from: "/sign-up" });
  const navigate = useNavigate();
  const { data: options } = useQuery(signInOptionsQuery);
  const [needsToken, setNeedsToken] = useState(false);
  const { busy, error, submit } = useSubmit(async (form) => {
    try {
      await authApi.signUp({
        name: textField(form, "name"),
        email: textField(form, "email"),
        password: String(form.get("password")),
        setupToken: textField(form, "setupToken") || undefined,
      });
    } catch (thrown) {
      if (asksForSetupToken(thrown)) setNeedsToken(true);
      throw thrown;
    }
    queryClient.clear();
    await navigate({ href: returnTo });
  });
  return (
    <AuthLayout
      title="Make yourself at home"
      lead="One account for the browser and the terminal. The first account on a new instance becomes its admin."
    >
      <form onSubmit={submit} className="space-y-4">
        {error ? <Note look="error">{error}</Note> : null}
        {options && options.signUp !== "open" ? <Note look="warning">{WHO_MAY[options.signUp]}</Note> : null}
        <Field label="Name" name="name" autoComplete="name" required maxLength={100} autoFocus />
        <Field label="E-mail" name="email" type="email" autoComplete="username" required />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          maxLength={256}
          hint="At least 10 characters."
        />
        {needsToken ? (
          <Field
            label="Setup token"
            name="setupToken"
            autoComplete="off"
            required
            hint="The stack printed it when it started. It proves that this machine is yours."
          />
        ) : null}
        <Button look="primary" type="submit" size="large" className="w-full" disabled={busy}>
          {busy ? "Creating…" : "Create account"}
        </Button>
      </form>
      <SingleSignOn returnTo={returnTo} />
      <p className="mt-6 text-[14px] text-soft">
        You have one already?{" "}
        <Link to="/sign-in" search={{ returnTo }} className="text-accent hover:underline">
          Sign in
        </Link>
      </p>
    </AuthLayout>
  );
}
