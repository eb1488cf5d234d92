import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { meQuery, queryClient, sentenceOf } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Note } from "../ui/note.tsx";
import { authApi } from "./auth-api.ts";
import { AuthLayout } from "./auth-layout.tsx";

const WHAT_THEY_MAY = {
  owner: "As an owner you manage it and its people.",
  admin: "As an admin you manage its people.",
  member: "As a member you read and write in what is shared there.",
  viewer: "As a viewer you read what is shared there.",
} as const;

/** Where an invitation's mail leads, for the signed-in. */
export function InvitationPage() {
  const { invitationId } = useParams({ from: "/signed-in/invitations/$invitationId" });
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const [problem, setProblem] = useState<string | null>(null);
  const { data: invitation, error } = useQuery({
    queryKey: ["invitation", invitationId],
    queryFn: () => authApi.invitation(invitationId),
    retry: false,
  });
  const decide = async (accept: boolean) => {
    setProblem(null);
    try {
      await (accept ? authApi.acceptInvitation(invitationId) : authApi.rejectInvitation(invitationId));
      await queryClient.invalidateQueries();
      await navigate({ to: "/" });
    } catch (thrown) {
      setProblem(sentenceOf(thrown));
    }
  };
  const shown = problem ?? (error ? sentenceOf(error) : null);
  return (
    <AuthLayout title="An invitation" lead={`You are signed in as ${me?.user.email ?? "…"}.`}>
      <div className="space-y-4">
        {shown ? <Note look="error">{shown}</Note> : null}
        {invitation ? (
          <section className="rounded-2xl border border-line bg-raised p-5" aria-label="Invitation">
            <p className="break-words">
              <span className="text-soft">{invitation.inviterEmail} invites you to</span>{" "}
              <strong className="font-semibold">{invitation.organizationName}</strong>.
            </p>
            <p className="mt-1.5 text-[14px] text-soft">
              {WHAT_THEY_MAY[invitation.role]} Your own conversations stay yours alone.
            </p>
            <div className="mt-5 grid grid-cols-2 gap-3">
              <Button onClick={() => void decide(false)}>Decline</Button>
              <Button look="primary" onClick={() => void decide(true)}>
                Join
              </Button>
            </div>
          </section>
        ) : null}
        <Link to="/" className="inline-block text-[14px] text-soft hover:text-ink hover:underline">
          Go to your conversations
        </Link>
      </div>
    </AuthLayout>
  );
}
