import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { LogOut, PanelLeft, Search, Settings, SquarePen } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { conversationsQuery, isSignedOut, meQuery, queryClient, sentenceOf } from "../app/api.ts";
import { forgetMe } from "../app/recent-me.ts";
import { authApi } from "../auth/auth-api.ts";
import { forgetDrafts } from "../conversation/drafts.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Logo } from "../ui/logo.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { Note } from "../ui/note.tsx";
import { ThemeToggle } from "../ui/theme-toggle.tsx";
import { ConversationItem } from "./conversation-item.tsx";
import { filterByTitle, groupByAge } from "./group-by-age.ts";
import { initialOf } from "./initial-of.ts";

export const FILTER_INPUT_ID = "conversation-filter";

export function Sidebar({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  return (
    <aside
      aria-label="Conversations"
      className="fixed inset-y-0 left-0 z-40 flex w-[17.5rem] max-w-[85vw] shrink-0 flex-col border-r border-line bg-panel md:static md:z-auto"
    >
      <div className="flex items-center justify-between px-3.5 pb-1 pt-3">
        <Link to="/" className="flex items-center gap-2.5 rounded-lg font-serif text-[18px]">
          <Logo className="size-6" />
          Mosaic
        </Link>
        <IconButton label="Close sidebar" onClick={onClose}>
          <PanelLeft className="size-[18px]" />
        </IconButton>
      </div>
      <div className="space-y-2 px-3 py-2.5">
        <Link
          to="/"
          title="New conversation (Ctrl+Shift+O)"
          className="flex h-9 items-center gap-2.5 rounded-lg border border-line bg-raised px-3 text-[14px] transition hover:bg-hover"
        >
          <SquarePen className="size-4 text-accent" />
          New conversation
        </Link>
        <label className="flex h-9 items-center gap-2.5 rounded-lg px-3 text-soft focus-within:bg-hover hover:bg-hover">
          <Search className="size-4 shrink-0" aria-hidden="true" />
          <span className="sr-only">Filter conversations by title</span>
          <input
            id={FILTER_INPUT_ID}
            type="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setTyped("")}
            placeholder="Filter"
            className="w-full bg-transparent text-[14px] text-ink outline-none placeholder:text-soft"
          />
        </label>
      </div>
      <ConversationList typed={typed} />
      <AccountBar />
    </aside>
  );
}

function ConversationList({ typed }: { typed: string }) {
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useInfiniteQuery(conversationsQuery);
  const groups = useMemo(() => {
    const all = (data?.pages ?? []).flatMap((page) => page.items);
    return groupByAge(filterByTitle(all, typed), new Date());
  }, [data, typed]);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = end.current;
    if (!node || !hasNextPage || isFetchingNextPage) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) void fetchNextPage();
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <nav aria-label="Your conversations" className="min-h-0 flex-1 overflow-y-auto px-2 pb-4">
      {error ? (
        <div className="px-3 py-2 text-[13px] text-danger">
          {sentenceOf(error)}
          <Button look="quiet" size="small" className="mt-1" onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      ) : null}
      {!isPending && !error && groups.length === 0 && !hasNextPage ? (
        <p className="px-3 py-2 text-[13px] text-soft">
          {typed ? "No title matches." : "Your conversations will gather here."}
        </p>
      ) : null}
      {groups.map(({ label, items }) => (
        <section key={label} className="mb-3">
          <h2 className="px-3 pb-1 pt-2 text-[12px] font-medium text-soft">{label}</h2>
          <ul>
            {items.map((conversation) => (
              <ConversationItem key={conversation.id} conversation={conversation} />
            ))}
          </ul>
        </section>
      ))}
      <div ref={end} className="h-px" />
    </nav>
  );
}

function AccountBar() {
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const [trouble, setTrouble] = useState<string | null>(null);
  const signOut = async () => {
    try {
      await authApi.signOut();
    } catch (error) {
      if (!isSignedOut(error)) return setTrouble(`You are still signed in. ${sentenceOf(error)}`);
    }
    forgetMe(() => localStorage);
    forgetDrafts();
    queryClient.clear();
    await navigate({ to: "/sign-in", search: { returnTo: "/" } });
  };
  const name = me?.user.name || me?.user.email || "Account";
  return (
    <div className="flex flex-wrap items-center gap-1 border-t border-line p-2">
      {trouble ? (
        <div className="w-full pb-1">
          <Note look="error">{trouble}</Note>
        </div>
      ) : null}
      <div className="min-w-0 flex-1">
        <Menu
          label={`Account: ${name}`}
          align="left"
          side="up"
          triggerClass="flex w-full items-center gap-2.5 rounded-lg px-2 py-1.5 text-left hover:bg-hover"
          trigger={
            <>
              <span className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-wash text-[13px] font-medium text-accent">
                {initialOf(name)}
              </span>
              <span className="truncate text-[14px]">{name}</span>
            </>
          }
        >
          {(close) => (
            <>
              <p className="truncate px-2.5 py-1.5 text-[13px] text-soft">{me?.user.email}</p>
              <MenuItem
                onSelect={() => {
                  close();
                  void navigate({ to: "/settings" });
                }}
              >
                <Settings className="size-4 text-soft" /> Settings
              </MenuItem>
              <MenuItem onSelect={() => void signOut()}>
                <LogOut className="size-4 text-soft" /> Sign out
              </MenuItem>
            </>
          )}
        </Menu>
      </div>
      <ThemeToggle />
    </div>
  );
}
