import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Mail } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Workspace } from "../../../../shared/contract/account.ts";
import { queryClient, sentenceOf } from "../app/api.ts";
import { authApi, type Invitation, type Member, type Role } from "../auth/auth-api.ts";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { inputLook } from "../ui/field.tsx";
import { Note } from "../ui/note.tsx";

const ROLES = ["viewer", "member", "admin"] as const satisfies readonly Role[];

interface PeopleProps {
  workspace: Workspace;
  ownUserId: string;
  manages: boolean;
}

export function PeopleSection({ workspace, ownUserId, manages }: PeopleProps) {
  const key = ["people", workspace.id];
  const people = useQuery({ queryKey: key, queryFn: () => authApi.people(workspace.id) });
  const refresh = () => queryClient.invalidateQueries({ queryKey: key });
  const change = useMutation({ mutationFn: (work: () => Promise<unknown>) => work(), onSettled: refresh });
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => authApi.leaveWorkspace(workspace.id),
    onSuccess: async () => {
      await navigate({ to: "/settings" });
      await queryClient.invalidateQueries();
    },
  });
  const problem = people.error ?? change.error ?? leave.error;
  const invited = (people.data?.invitations ?? []).filter(({ status }) => status === "pending");
  return (
    <div className="space-y-4">
      {problem ? <Note look="error">{sentenceOf(problem)}</Note> : null}
      <ul className="divide-y divide-line rounded-xl border border-line">
        {(people.data?.members ?? []).map((member) => (
          <MemberRow
            key={member.id}
            member={member}
            own={member.userId === ownUserId}
            manages={manages}
            onRole={(role) => change.mutate(() => authApi.changeRole(workspace.id, member.id, role))}
            onRemove={() => change.mutate(() => authApi.removeMember(workspace.id, member.id))}
          />
        ))}
        {invited.map((invitation) => (
          <InvitedRow
            key={invitation.id}
            invitation={invitation}
            manages={manages}
            onTakeBack={() => change.mutate(() => authApi.takeBackInvitation(invitation.id))}
          />
        ))}
      </ul>
      {manages ? <InviteForm workspaceId={workspace.id} onInvited={refresh} /> : null}
      {workspace.role === "owner" ? null : (
        <AskTwice label="Leave this workspace" sure="Leave for good" onSure={() => leave.mutate()} />
      )}
    </div>
  );
}

interface MemberRowProps {
  member: Member;
  own: boolean;
  manages: boolean;
  onRole: (role: Role) => void;
  onRemove: () => void;
}

function MemberRow({ member, own, manages, onRole, onRemove }: MemberRowProps) {
  const { user, role } = member;
  const fixed = !manages || own || role === "owner";
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
      <div className="min-w-40 flex-1">
        <p className="truncate text-[14px]">
          {user.name} {own ? <span className="text-soft">(you)</span> : null}
        </p>
        <p className="truncate text-[13px] text-soft">{user.email}</p>
      </div>
      {fixed ? (
        <span className="text-[13px] text-soft">{role}</span>
      ) : (
        <>
          <RoleSelect label={`Role of ${user.name}`} value={role} onChange={onRole} />
          <AskTwice label="Remove" name={`Remove ${user.name}`} sure="Remove for good" onSure={onRemove} />
        </>
      )}
    </li>
  );
}

interface RoleSelectProps {
  label: string;
  value?: Role;
  name?: string;
  onChange?: (role: Role) => void;
}

function RoleSelect({ label, value, name, onChange }: RoleSelectProps) {
  return (
    <select
      aria-label={label}
      name={name}
      className={`field border border-line bg-raised pl-3 text-[13px] ${onChange ? "h-8 rounded-lg" : "h-11 rounded-xl"}`}
      {...(onChange
        ? { value, onChange: (event) => onChange(ROLES.find((role) => role === event.target.value) ?? "viewer") }
        : { defaultValue: "member" })}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {role}
        </option>
      ))}
    </select>
  );
}

function InvitedRow({ invitation, manages, onTakeBack }: InvitedRowProps) {
  const link = `${location.origin}/invitations/${invitation.id}`;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
      <Mail className="size-4 shrink-0 text-soft" aria-hidden="true" />
      <div className="min-w-32 flex-1">
        <p className="truncate text-[14px]">{invitation.email}</p>
        <p className="truncate text-[13px] text-soft">invited as {invitation.role}</p>
      </div>
      {manages ? (
        <span className="ml-auto flex items-center">
          <CopyButton text={link} label={`Copy the invitation's link for ${invitation.email}`} />
          <Button look="quiet" size="small" onClick={onTakeBack}>
            Take back
          </Button>
        </span>
      ) : null}
    </li>
  );
}

interface InvitedRowProps {
  invitation: Invitation;
  manages: boolean;
  onTakeBack: () => void;
}

function InviteForm({ workspaceId, onInvited }: { workspaceId: string; onInvited: () => void }) {
  const invite = useMutation({
    mutationFn: ({ email, role }: { email: string; role: Role }) => authApi.invite(workspaceId, email, role),
    onSuccess: onInvited,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const role = ROLES.find((each) => each === data.get("role")) ?? "viewer";
    invite.mutate({ email: String(data.get("email")).trim(), role }, { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="space-y-2">
      {invite.error ? <Note look="error">{sentenceOf(invite.error)}</Note> : null}
      {invite.data ? (
        <Note look="info">
          Invited. If this instance sends mail, it is on its way; you can also copy the link above and pass it on.
        </Note>
      ) : null}
      <div className="flex gap-2 max-sm:flex-col">
        <input
          name="email"
          type="email"
          aria-label="E-mail of whom to invite"
          placeholder="name@example.com"
          required
          maxLength={254}
          className={inputLook}
        />
        <div className="flex shrink-0 gap-2">
          <RoleSelect label="Role of whom to invite" name="role" />
          <Button type="submit" size="large" className="max-sm:flex-1" disabled={invite.isPending}>
            Invite
          </Button>
        </div>
      </div>
    </form>
  );
}

/** A button that asks once more before it acts. */
function AskTwice({ label, name, sure, onSure }: { label: string; name?: string; sure: string; onSure: () => void }) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <Button look="quiet" size="small" aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </Button>
    );
  return (
    <span className="flex gap-1">
      <Button look="danger" size="small" onClick={onSure}>
        {sure}
      </Button>
      <Button look="quiet" size="small" onClick={() => setAsking(false)}>
        Keep
      </Button>
    </span>
  );
}
