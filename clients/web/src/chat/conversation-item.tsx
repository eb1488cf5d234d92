import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Download, Ellipsis, FileJson, Lock, Pencil, Trash2, Users } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Conversation } from "../../../../shared/contract/conversation.ts";
import { api, meQuery, refreshConversations, sentenceOf } from "../app/api.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { Note } from "../ui/note.tsx";
import { saveFile } from "./save-file.ts";

export const titleOf = (title: string | null): string => title || "New conversation";

async function exportAs(conversation: Conversation, format: "markdown" | "json"): Promise<void> {
  const name = titleOf(conversation.title);
  if (format === "markdown")
    saveFile(name, "md", "text/markdown", await api.conversations.exportMarkdown(conversation.id));
  else {
    const value = await api.conversations.exportJson(conversation.id);
    saveFile(name, "json", "application/json", JSON.stringify(value, null, 2));
  }
}

type Open = "rename" | "delete" | { error: string } | null;

export function ConversationItem({ conversation }: { conversation: Conversation }) {
  const [open, setOpen] = useState<Open>(null);
  const { data: me } = useQuery(meQuery);
  const own = conversation.ownerUserId === me?.user.id;
  const shared = conversation.visibility === "workspace";
  const workspace = me?.workspaces.find(({ id }) => id === conversation.workspaceId);
  const share = async () => {
    await api.conversations.update(conversation.id, { visibility: shared ? "private" : "workspace" });
    await refreshConversations();
  };
  const run = (work: Promise<void>) => work.catch((thrown: unknown) => setOpen({ error: sentenceOf(thrown) }));
  return (
    <li className="group relative">
      <Link
        to="/c/$conversationId"
        params={{ conversationId: conversation.id }}
        title={titleOf(conversation.title)}
        className="flex items-center gap-2 rounded-lg py-[7px] pl-3 pr-9 text-[14px] transition hover:bg-hover"
        activeProps={{ className: "bg-hover font-medium", "aria-current": "page" }}
      >
        <span className="min-w-0 truncate">{titleOf(conversation.title)}</span>
        {shared ? (
          <>
            <Users className="size-3.5 shrink-0 text-accent" aria-hidden="true" />
            <span className="sr-only">, shared</span>
          </>
        ) : null}
      </Link>
      <div className="absolute right-1 top-1 opacity-0 focus-within:opacity-100 group-hover:opacity-100 max-md:opacity-100 has-[[aria-expanded=true]]:z-10 has-[[aria-expanded=true]]:opacity-100">
        <Menu
          label={`More for ${titleOf(conversation.title)}`}
          trigger={<Ellipsis className="size-4" />}
          triggerClass="inline-flex size-7 items-center justify-center rounded-md text-soft hover:text-ink"
        >
          {(close) => {
            const choose = (next: () => void) => () => {
              close();
              next();
            };
            return (
              <>
                <MenuItem onSelect={choose(() => setOpen("rename"))}>
                  <Pencil className="size-4 text-soft" /> Rename
                </MenuItem>
                {own && workspace && !workspace.personal ? (
                  <MenuItem onSelect={choose(() => void run(share()))}>
                    {shared ? <Lock className="size-4 text-soft" /> : <Users className="size-4 text-soft" />}
                    {shared ? "Make private" : `Share with ${workspace.name}`}
                  </MenuItem>
                ) : null}
                <MenuItem onSelect={choose(() => void run(exportAs(conversation, "markdown")))}>
                  <Download className="size-4 text-soft" /> Export as Markdown
                </MenuItem>
                <MenuItem onSelect={choose(() => void run(exportAs(conversation, "json")))}>
                  <FileJson className="size-4 text-soft" /> Export as JSON
                </MenuItem>
                {own ? (
                  <MenuItem danger onSelect={choose(() => setOpen("delete"))}>
                    <Trash2 className="size-4" /> Delete
                  </MenuItem>
                ) : null}
              </>
            );
          }}
        </Menu>
      </div>
      {open === "rename" ? <RenameDialog conversation={conversation} onClose={() => setOpen(null)} /> : null}
      {open === "delete" ? <DeleteDialog conversation={conversation} onClose={() => setOpen(null)} /> : null}
      {open !== null && typeof open === "object" ? (
        <Dialog title="That did not work" onClose={() => setOpen(null)}>
          <Note look="error">{open.error}</Note>
        </Dialog>
      ) : null}
    </li>
  );
}

interface ItemDialogProps {
  conversation: Conversation;
  onClose: () => void;
}

function RenameDialog({ conversation, onClose }: ItemDialogProps) {
  const [error, setError] = useState<string | null>(null);
  const rename = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const title = new FormData(event.currentTarget).get("title");
    try {
      await api.conversations.update(conversation.id, { title: String(title) });
      await refreshConversations();
      onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title="Rename conversation" onClose={onClose}>
      <form onSubmit={rename} className="space-y-4">
        {error ? <Note look="error">{error}</Note> : null}
        <Field label="Title" name="title" defaultValue={conversation.title} required maxLength={200} data-first-focus />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ conversation, onClose }: ItemDialogProps) {
  const [error, setError] = useState<string | null>(null);
  const navigate = useNavigate();
  const shown = useParams({ strict: false }).conversationId;
  const remove = async () => {
    try {
      await api.conversations.remove(conversation.id);
      onClose();
      if (shown === conversation.id) await navigate({ to: "/" });
      await refreshConversations();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title="Delete this conversation?" onClose={onClose}>
      <p className="mb-5 text-soft">
        “{titleOf(conversation.title)}” goes away for good, on every device. Export it first if you want to keep a copy.
      </p>
      {error ? <Note look="error">{error}</Note> : null}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose} data-first-focus>
          Keep it
        </Button>
        <Button look="danger" onClick={() => void remove()}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}
