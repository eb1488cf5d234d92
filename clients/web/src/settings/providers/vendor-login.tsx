import { useMutation, useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { KIND_WORDS } from "../../../../../shared/client/provider-words.ts";
import type { ConnectableKind, ProviderLogin, StartedLogin } from "../../../../../shared/contract/provider.ts";
import { api, meQuery, refreshProviders, sentenceOf } from "../../app/api.ts";
import { safeLink } from "../../conversation/safe-url.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Field, SelectField } from "../../ui/field.tsx";
import { Note } from "../../ui/note.tsx";
import { audiencesOf, scopeOf } from "./audience.ts";

interface VendorLoginProps {
  kind: ConnectableKind;
  /** The instance whose login is renewed; null makes a new one. */
  providerId: string | null;
  onBegun: () => void;
  onDone: () => void;
}

const POLL_EVERY_MS = 2000;

/** The vendor's page in a window of its own; opened at the click, because later a browser would block it. */
function openWindow(): (url: string | null) => void {
  const opened = window.open("", "_blank");
  if (opened) opened.opener = null;
  return (url) => {
    const safe = url === null ? null : safeLink(url);
    if (opened && safe !== null) opened.location.href = safe;
    else opened?.close();
  };
}

/** Logging in at a vendor instead of copying a key: begun here, finished there, noticed here. */
export function VendorLogin({ kind, providerId, onBegun, onDone }: VendorLoginProps) {
  const { data: me } = useQuery(meQuery);
  const [audience, setAudience] = useState("user");
  const start = useMutation({
    mutationFn: async () => {
      const goTo = openWindow();
      try {
        const started = await api.providers.startLogin(kind, providerId === null ? scopeOf(audience) : { providerId });
        goTo(started.method === "redirect" ? started.url : null);
        return started;
      } catch (thrown) {
        goTo(null);
        throw thrown;
      }
    },
    onSuccess: onBegun,
  });
  if (start.data)
    return (
      <Waiting
        key={start.data.loginId}
        kind={kind}
        started={start.data}
        onAgain={() => start.mutate()}
        onDone={onDone}
      />
    );
  const audiences = me && providerId === null ? audiencesOf(me) : [];
  return (
    <div className="space-y-3">
      {start.error ? <Note look="error">{sentenceOf(start.error)}</Note> : null}
      {audiences.length > 1 ? (
        <SelectField label="Log in for" value={audience} onChange={(event) => setAudience(event.target.value)}>
          {audiences.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </SelectField>
      ) : null}
      <Button look="primary" size="large" className="w-full" disabled={start.isPending} onClick={() => start.mutate()}>
        <ExternalLink className="size-4" aria-hidden="true" /> Log in with {KIND_WORDS[kind].name}
      </Button>
    </div>
  );
}

interface WaitingProps {
  kind: ConnectableKind;
  started: StartedLogin;
  onAgain: () => void;
  onDone: () => void;
}

function Waiting({ kind, started, onAgain, onDone }: WaitingProps) {
  const name = KIND_WORDS[kind].name;
  const login = useQuery({
    queryKey: ["provider-login", started.loginId],
    queryFn: () => api.providers.login(started.loginId),
    refetchInterval: ({ state }) => (state.data && state.data.state !== "pending" ? false : POLL_EVERY_MS),
    staleTime: 0,
  });
  const [pasted, setPasted] = useState<ProviderLogin | null>(null);
  const ended = [pasted, login.data].find((each) => each && each.state !== "pending");
  const isComplete = ended?.state === "complete";
  useEffect(() => {
    if (isComplete) void refreshProviders();
  }, [isComplete]);
  if (isComplete)
    return (
      <div className="space-y-4">
        <Note look="info">{name} is connected. It answers from your next message on.</Note>
        <div className="flex justify-end">
          <Button look="primary" onClick={onDone} autoFocus>
            Done
          </Button>
        </div>
      </div>
    );
  if (ended)
    return (
      <div className="space-y-4">
        <Note look="error">{ended.error ?? "The login did not succeed."}</Note>
        <Button onClick={onAgain}>Start again</Button>
      </div>
    );
  return (
    <div className="space-y-4">
      {started.userCode === undefined ? null : <UserCode code={started.userCode} />}
      <OpenLink url={started.url} name={name} />
      <p role="status" className="flex items-center gap-2 text-[14px] text-soft">
        <span className="size-2 shrink-0 animate-pulse-soft rounded-[3px] bg-accent" aria-hidden="true" />
        {started.method === "device"
          ? "Type the code on that page. This goes on by itself."
          : `Waiting for you to finish at ${name}. This goes on by itself.`}
      </p>
      {started.method === "redirect" ? <PasteBack loginId={started.loginId} onPasted={setPasted} /> : null}
    </div>
  );
}

function UserCode({ code }: { code: string }) {
  return (
    <div className="rounded-xl bg-accent-wash px-4 py-4 text-center">
      <p className="text-[13px] text-soft">Your code</p>
      <p className="mt-1 flex items-center justify-center gap-2">
        <code className="break-all font-mono text-[clamp(1.5rem,7vw,2.1rem)] font-semibold tracking-[0.12em]">
          {code}
        </code>
        <CopyButton text={code} label="Copy code" />
      </p>
    </div>
  );
}

function OpenLink({ url, name }: { url: string; name: string }) {
  const safe = safeLink(url);
  if (safe === null)
    return <Note look="error">The address to log in at cannot be opened. Tell the operator of this instance.</Note>;
  return (
    <a
      href={safe}
      target="_blank"
      rel="noopener noreferrer"
      className="flex h-11 items-center justify-center gap-2 rounded-xl border border-line bg-raised text-[14px] hover:bg-hover"
    >
      <ExternalLink className="size-4" aria-hidden="true" /> Open {name}’s page
    </a>
  );
}

interface PasteBackProps {
  loginId: string;
  onPasted: (login: ProviderLogin) => void;
}

/** For a browser that cannot come back by itself: the address where it ended is all that is needed. */
function PasteBack({ loginId, onPasted }: PasteBackProps) {
  const [url, setUrl] = useState("");
  const finish = useMutation({ mutationFn: () => api.providers.finishLogin(loginId, url.trim()), onSuccess: onPasted });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (url.trim() !== "") finish.mutate();
  };
  return (
    <form onSubmit={submit} className="space-y-3 border-t border-line pt-4">
      <Field
        label="Did it end on a page that does not open?"
        placeholder="Paste that page’s whole address"
        value={url}
        onChange={(event) => {
          setUrl(event.target.value);
          finish.reset();
        }}
        error={finish.error ? sentenceOf(finish.error) : null}
        autoComplete="off"
        spellCheck={false}
      />
      <div className="flex justify-end">
        <Button type="submit" disabled={finish.isPending || url.trim() === ""}>
          {finish.isPending ? "Checking…" : "Finish with this address"}
        </Button>
      </div>
    </form>
  );
}
