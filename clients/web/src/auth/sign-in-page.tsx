import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { queryClient, signInOptionsQuery } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";
import { authApi } from "./auth-api.ts";
import { AuthLayout } from "./auth-layout.tsx";
import { SingleSignOn } from "./single-sign-on.tsx";
import { textField, useSubmit } from "./use-submit.ts";

export function SignInPage() {
  const { returnTo, error: failed, saved } = useSearch({ from: "/sign-in" });
  const { data: options } = useQuery(signInOptionsQuery);
  const navigate = useNavigate();
  const { busy, error, submit } = useSubmit(async (form) => {
    await authApi.signIn({ email: textField(form, "email"), password: String(form.get("password")) });
    queryClient.clear();
    await navigate({ href: returnTo });
  });
  return (
    <AuthLayout title="Welcome back" lead="Sign in to go on where you were.">
      <form onSubmit={submit} className="space-y-4">
        {error ? <Note look="error">{error}</Note> : null}
        {saved && !error ? <Note look="info">Your new password is saved. Sign in with it.</Note> : null}
        <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button look="primary" type="submit" size="large" className="w-full" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
      <SingleSignOn returnTo={returnTo} failed={failed} />
      <div className="mt-6 flex justify-between text-[14px] text-soft">
        {options?.signUp === "closed" ? (
          <span />
        ) : (
          <Link to="/sign-up" search={{ returnTo }} className="text-accent hover:underline">
            Create an account
          </Link>
        )}
        <Link to="/forgot-password" className="hover:text-ink hover:underline">
          Forgot password?
        </Link>
      </div>
    </AuthLayout>
  );
}
