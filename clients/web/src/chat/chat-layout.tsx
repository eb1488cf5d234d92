import { Outlet, useNavigate, useParams, useRouter } from "@tanstack/react-router";
import { PanelLeft } from "lucide-react";
import { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useLeftovers } from "../conversation/use-leftovers.ts";
import { IconButton } from "../ui/button.tsx";
import { FILTER_INPUT_ID, Sidebar } from "./sidebar.tsx";

const isNarrow = () => matchMedia("(max-width: 767px)").matches;

const focusFilter = () => document.getElementById(FILTER_INPUT_ID)?.focus();

/** Ctrl or Cmd with K filters the list, with Shift and O starts a new conversation. */
function useShortcuts(openSidebar: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey)) return;
      if (event.key.toLowerCase() === "k" && !event.shiftKey) {
        event.preventDefault();
        // Drawn at once, so that what is typed right after the keys lands in the filter.
        flushSync(openSidebar);
        focusFilter();
      } else if (event.key.toLowerCase() === "o" && event.shiftKey) {
        event.preventDefault();
        void navigate({ to: "/" });
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [navigate, openSidebar]);
}

/** The sidebar beside the page; on a narrow screen it lies above it. */
export function ChatLayout() {
  const [open, setOpen] = useState(() => !isNarrow());
  const router = useRouter();
  const [openSidebar] = useState(() => () => setOpen(true));
  useShortcuts(openSidebar);
  const { conversationId = null } = useParams({ strict: false });
  useLeftovers(conversationId);
  useEffect(
    () =>
      router.subscribe("onResolved", ({ pathChanged }) => {
        if (pathChanged && isNarrow()) setOpen(false);
      }),
    [router],
  );
  return (
    <div className="flex h-full overflow-hidden">
      {open ? (
        <>
          <button
            type="button"
            aria-label="Close sidebar"
            tabIndex={-1}
            onClick={() => setOpen(false)}
            className="fixed inset-0 z-30 bg-black/30 md:hidden"
          />
          <Sidebar onClose={() => setOpen(false)} />
        </>
      ) : null}
      <div className="relative flex min-w-0 flex-1 flex-col">
        {open ? null : (
          <div className="absolute left-2.5 top-2.5 z-20">
            <IconButton label="Open sidebar" onClick={() => setOpen(true)} className="bg-ground">
              <PanelLeft className="size-[18px]" />
            </IconButton>
          </div>
        )}
        <Outlet />
      </div>
    </div>
  );
}
