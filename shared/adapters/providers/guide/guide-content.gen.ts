// Made by scripts/build-guide.ts from README.md and docs/. Do not edit.
export const GUIDE_PASSAGES: readonly { doc: string; heading: string; text: string }[] =
  [
 {
  "doc": "README.md",
  "heading": "Mosaic",
  "text": "Mosaic is a chat server for language models that you run yourself, for one person or several.\nEach conversation is an object of its own that keeps every message, and goes on after a crash where it was.\nYou talk to it in the browser and in the terminal, in the same conversation at the same time.\nIt speaks to Anthropic, OpenAI, OpenRouter, Z.ai, Ollama and whatever is compatible with OpenAI, with everybody's own keys; with\nnone of them, a built-in guide answers from these pages.\nThe same Worker runs on your machine with one command, and on Cloudflare with a Neon database."
 },
 {
  "doc": "README.md",
  "heading": "Start and test",
  "text": "```sh\nnpm start    # the whole stack on this machine, until Ctrl+C\nnpm test     # every check and every test\n```\n\nBoth work straight after a clone, with Node 20 or later and npm. The first run installs the pinned packages, a Node 24\nof its own included (Linux; elsewhere install Node 24 yourself), and says what it does."
 },
 {
  "doc": "README.md",
  "heading": "Five minutes",
  "text": "1. Run `npm start` and wait for `Mosaic is ready at http://localhost:8787`.\n2. Open that address and choose *Create an account*. The first account becomes the admin of this instance.\n3. Ask something, for example *How do I connect a model?* No model is connected yet, so the built-in guide answers: it\n   is no language model, it quotes this documentation.\n4. Connect a model: *Connect a provider*, pick the vendor, paste a key. It answers your next message. An Ollama on this machine is\n   found by itself; one elsewhere [dials in](docs/connector.md).\n5. In a second terminal, in the same folder, run `npx mosaic`. It shows an address and a code; open the address, confirm\n   the code, and chat. `npx mosaic -c` goes on with your latest conversation, the one from the browser included.\n\nKill it at any moment, even in the middle of an answer, and start it again: the conversation is there, and the answer goes\non with a note that it was interrupted."
 },
 {
  "doc": "README.md",
  "heading": "What can you do with Mosaic?",
  "text": "Connect vendors with a key or a login of your own, and your own machines with one command; see how they fare. Chat with any\nconnected model and stop, steer, retry, edit or fork an answer; pin a model with `/model`; see with every finished\nanswer which model wrote it, why, and what it cost; go on in the browser or the terminal; run a script with\n`npx mosaic -p`; export a conversation as Markdown or JSON and import the JSON again; use the REST API, described at `/api/docs` on your own\ninstance. Type `/help` in a conversation for the commands."
 },
 {
  "doc": "README.md",
  "heading": "Three promises",
  "text": "| Promise | Holds today | Still to come |\n|---|---|---|\n| **Never lose a turn.** Accepted means durable. | A message is acknowledged only once it is on disk. Clients keep what was not acknowledged and send it again; it is stored once. An answer cut by a crash or a vendor goes on, with a visible seam. A conversation goes on while its database is away, also for who reconnects. [How that is proved](docs/reliability.md). | Files and pictures in messages. |\n| **Routing you can trust.** Every answer carries a receipt. | The receipt: which model, why, what else was possible, what it should cost and did. The choice itself is simple: the pinned model, else the workspace's default, else the first provider that answers. When one fails, the next takes over before the first word, and the answer says so. | Judging what a message needs, routing rules, asking beforehand where a message would go, replaying rules over the past. |\n| **Your machines and your chats, no open ports.** | One conversation, live in several browsers and terminals. `mosaic connect` lets Ollama and compatible servers of your machines dial in. Keys of your own, encrypted and never shown again. | Messengers; tools beyond a clock"
 },
 {
  "doc": "README.md",
  "heading": "Where to go next",
  "text": "- [Getting started](docs/getting-started.md): models, accounts, passwords, the page\n- [Providers](docs/providers.md): connecting them, whose key is used, health, what happens when one fails\n- [Machines that dial in](docs/connector.md): Ollama and others on your own computers\n- [The terminal](docs/terminal.md): `mosaic`, its options, keys and commands\n- [Logins at vendors](docs/provider-logins.md), for operators\n- [Self-hosting](docs/self-hosting.md): settings, the data folder, backups, what each start error means\n- [Deploying](docs/deploying.md): Cloudflare with Neon\n- [Reliability](docs/reliability.md): the long runs of kills and simulated faults, and what they showed\n- [Performance](docs/performance.md): what was measured, and how to measure it yourself\n- [Testing](docs/testing.md), [architecture](docs/architecture/README.md) and [decisions](docs/decisions), for changing it"
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Architecture",
  "text": "This page follows the code; when they differ, mend the page. Why things are so stands in [decisions](../decisions)."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "The house",
  "text": "| Folder | What lives there |\n|---|---|\n| `workers/` | the edge: one Worker; `app.ts` puts middleware and routes together, `routes/<resource>/` has one file per endpoint, `http-error.ts` the only table of errors and statuses |\n| `durable-objects/` | one object per conversation, per machine that dials in, and for the health and the login of a provider; `stubs.ts` is the only way to reach one |\n| `shared/contract` | the wire in zod: frames, bodies, ids, error codes |\n| `shared/domain` | pure decisions; time and ids are passed in |\n| `shared/ports`, `shared/adapters` | interfaces, and what stands behind them: Postgres, providers, sign-in, mail |\n| `shared/runtime` | the checked environment, and the one place where ports meet adapters |\n| `shared/client` | the socket, outbox and view that the page and the terminal share |\n| `clients/` | the page (React) and the terminal |\n| `selfhost/` | the stack on one machine; it runs the built bundle and imports nothing of it |\n| `migrations/`, `tests/`, `bench/`, `scripts/` | SQL, whole-stack tests, measurements, commands |"
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "The house",
  "text": "Imports go one way, `contract <- domain <- ports <- adapters <- runtime`; the edge and the objects never import an adapter,\nclients see `contract` and `client` alone. [Testing](../testing.md#the-fences) says how that is held."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "One message, nine rooms",
  "text": "The socket and REST enter by the same door, `sendMessage` in `durable-objects/conversation/messages.ts`."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "One message, nine rooms",
  "text": "| # | Room | Where | What happens |\n|---|---|---|---|\n| 1 | decode | `contract/frames.ts` | a bad frame becomes a value that says what is wrong |\n| 2 | decide | `domain/conversation/decide.ts` | pure: accepted, duplicate or refused; idempotent by message id |\n| 3 | append | `conversation/journal.ts` | one synchronous SQLite transaction; the ack comes after it |\n| 4 | context | `domain/context/select.ts` | the newest messages of the path that fit the model's window |\n| 5 | route | `domain/routing/choose-model.ts` | pinned, else default, else first provider that answers, of those of whoever asked; makes the receipt |\n| 6 | request | `domain/prompt/build-request.ts` | the history, made portable to the chosen vendor |\n| 7 | stream | `adapters/providers/*` | never throws: a failure is its last event |\n| 8 | step | `domain/turn/next-step.ts`, `after-failure.ts` | finish, run the tools, ask for approval, or read what came meanwhile; after a failure go on, ask the next candidate, or give up |\n| 9 | publish | `journal`, `sessions`, `outbox` | appended before it is sent; Postgres follows |"
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "One message, nine rooms",
  "text": "No model is called before the ack. What an object sends waits until what it wrote before is on disk, and three things follow\nfrom that: a turn begins once the ack has gone; the first request to a vendor leaves before `turn:started` is written; and\ndeltas, which go out as they come, are saved every 250 ms, not one by one. The configuration (settings, providers, health, models) is\nread once a turn in one statement ([0015](../decisions/0015-the-configuration-is-one-function.md)), with a\ndeadline of 250 ms; after that the last copy in the object serves, and the receipt says `snapshot`."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "The conversation object",
  "text": "`object.ts` is a shell: it admits, calls and answers. `create-room.ts` puts the parts together once; each takes only what it\nneeds. State is SQLite and what sockets carry through hibernation; memory may vanish between two messages.\n\nThe journal is an append-only log with the current messages beside it. `seq` is the position of an event and the only order\nthere is: a client resumes with `since`, and gets every later event and then a snapshot of the running answer. Messages form\na tree; an edit or a retry adds a sibling and moves the head.\n\n`turn-queue.ts` runs one turn at a time, `run-turn.ts` step by step: a model's stream, its tools, and what people said\nmeanwhile. A stop writes the ending at once and aborts; whatever the stream still says is stale. A call of a tool is in the\nlog before it runs and its result after; one that needs a person's word parks the turn, and the object may sleep until it\ncomes. `alarm-scheduler.ts` keeps named alarms over the one an object has, sets it only when it must come earlier, and takes\nback what a quiet object does not need."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "The conversation object",
  "text": "A message with `whenBusy: \"steer\"` reaches the running turn's model at its next step; when the turn ends first, the message\nbecomes a turn of its own in the same write ([0012](../decisions/0012-steering-joins-the-running-turn.md)).\n\nEach socket and each SSE stream is a cursor over the log (`socket-reader.ts`, `event-stream.ts`): a replay goes out in pages,\nand live events in their place behind it. Deltas go out at once; they are merged, for at most 16 ms, for those who are behind\nand where many are attached. Who falls too far behind by its own `received` reports is cut with 4008 and resumes."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Write-behind",
  "text": "The log is also the outbox. A timer, with an alarm behind it, brings what lies behind the cursor `drainedSeq` to Postgres, in order, in batches of one\ntransaction each: the events, and the rows for messages, turns and receipts made from them. The cursor moves after Postgres\nhas agreed; sending a batch twice changes nothing. If Postgres is away it tries again, more and more slowly, and the session\nsays `offline`; past 100,000 events or 256 M characters new messages are refused with 503. An event that Postgres refuses for\nwhat it is steps aside, the rest goes on, and the instance admin sees it among the jobs, without its content\n([0013](../decisions/0013-a-refused-event-is-a-job.md)).\n\nCreating and renaming a conversation, and deleting it, write Postgres within the request: lists must show it at once."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Recovery",
  "text": "A turn has a watchdog alarm before it starts and while it runs. An object that wakes with a turn marked running and none in\nmemory decides by what was shown: nothing, and the step runs again; text, and it is kept, a `turn:continued` event marks the\nseam, and the model goes on from there; a tool in flight, and it runs again only if it says that this is safe, else people are\nasked. After fifteen minutes or five restarts it is ended, and the user is told.\n\nA stream that stands still for 60 s, or breaks, is treated the same way: the same model is asked once more, then the next ones\nof the plan, and the seam is visible.\n\nAn object that knows nothing asks Postgres on behalf of who asks: it answers 404, or comes back whole from the drained log and\ngoes on at the next `seq`. `welcome.logId` is then another one, and clients read the log from its start. The self-hosted runner restarts the database and workerd, and ends its own orphans."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Providers and machines",
  "text": "A provider instance is a row with its place, and a sealed credential beside it; the environment's are made from the settings, with fixed ids\n([0018](../decisions/0018-fixed-ids-for-what-the-environment-connects.md)). A turn sees those of whoever asked\n([0014](../decisions/0014-a-turn-uses-the-providers-of-whoever-asked.md)). `adapters/providers/open-provider.ts` makes an adapter of a\nrecord: the vault opens the credential inside the call that needs it, bound to scope, owner, kind and record, and the record's\nroute decides which network the call leaves through: the operator's, public addresses only, what an admin vouched for, or a machine.\n\nHealth is a breaker in a small object per instance, fed by traffic and by probes that ask for lists, and mirrored into the\nconfiguration ([0016](../decisions/0016-health-lives-in-an-object-and-is-mirrored.md)). A login is renewed by one object per\ncredential, one refresh at a time. A machine dials into an object of its own that hibernates with its socket\n([0017](../decisions/0017-the-connectors-wire.md))."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Isolation",
  "text": "The Worker authenticates every request; the object authorises against its own copy of who owns the conversation. A foreign\nconversation looks like one that does not exist. When a session, key or membership ends, the objects that it was attached to\nare told and close its sockets. While Postgres is away, a proof of a recent sign-in that the object keeps stands in for it, for\nten minutes ([0011](../decisions/0011-a-proof-of-a-recent-sign-in.md)). A page opens its socket with a single-use ticket that is valid for seconds and for its origin.\n\nIn Postgres the Worker signs in as `app_user`, without the right to bypass row-level security. Every query runs in one\nbatch with the user's id set for that transaction only, so a forgotten scope returns nothing. Foreign keys carry the workspace.\nSign-in tables are in a schema of their own that `app_user` cannot read."
 },
 {
  "doc": "docs/architecture/README.md",
  "heading": "Clients",
  "text": "`shared/client` keeps each message in an outbox until its ack, reconnects, resumes by `seq` and resends. `view.ts` makes one view\nof replayed events and live frames; that both end in the same view is a test. The page keeps its outbox in the browser's\nstorage, the terminal in files."
 },
 {
  "doc": "docs/connector.md",
  "heading": "Machines that dial in",
  "text": "`npx mosaic connect` lets your Mosaic use the model servers of a computer of yours: Ollama on a laptop, vLLM on a workstation at\nhome. The computer dials out over one WebSocket. No port is opened, no address is needed, and it works behind any router."
 },
 {
  "doc": "docs/connector.md",
  "heading": "How do I connect a machine?",
  "text": "In the page: *Settings, Machines, Connect a machine*, give it a name, and run the command that is shown on that machine, in a\ncheckout of Mosaic:\n\n```sh\nnpx mosaic connect --url https://chat.example.org --token mosaic-connect.…\n```\n\nThe token works once, within a quarter of an hour. Without one, `npx mosaic connect --url https://chat.example.org` signs you in with a code and a\nbrowser. As soon as the machine is online, what it offers stands under *Settings, Providers* as yours, such as *Ollama on attic*, and\ncan answer your next message.\n\n| Option | Meaning |\n|---|---|\n| `--url <url>` | where Mosaic is (`MOSAIC_URL`) |\n| `--token <token>` | the one-time token, or a session token or API key (`MOSAIC_TOKEN`) |\n| `--name <name>` | what to call this machine; its host name otherwise |\n| `--ollama <url>` | where Ollama is; `http://127.0.0.1:11434` otherwise; remembered |\n\nIf another machine of yours is online under that name, this one gets the next free name (`raspberrypi-2`), and the command says so; each\nmachine keeps a secret of its own. A machine that is offline can be set up anew under its name."
 },
 {
  "doc": "docs/connector.md",
  "heading": "How do I connect a machine?",
  "text": "Keep the command running: it dials again by itself, for ever, until you remove the machine or start the command a second time with\nthe same configuration folder. Ctrl+C ends it. To start it with the\nmachine, put it into a service of your system."
 },
 {
  "doc": "docs/connector.md",
  "heading": "What can be reached through it?",
  "text": "Only the model servers that the machine's own file names: `mosaic/connector.json` in your configuration folder\n(`~/.config`, or `XDG_CONFIG_HOME`). At first that is Ollama at its usual address. Add others there:\n\n```json\n{ \"upstreams\": [\n  { \"name\": \"ollama\", \"kind\": \"ollama\", \"url\": \"http://127.0.0.1:11434\" },\n  { \"name\": \"vllm\", \"kind\": \"openai-compatible\", \"url\": \"http://127.0.0.1:8000/v1\", \"headers\": {} }\n], \"servers\": {} }\n```\n\nKeep what stands under `servers`: it is how this machine is known. Headers are sent to that server alone and never leave the machine\notherwise. Of an Ollama only chatting, embedding, listing, showing and pulling models can be asked for; of an OpenAI-compatible server its models,\nchat completions and embeddings. A model is pulled by its plain name only, such as `qwen3:0.6b`, from the registry that your Ollama knows;\npull one from elsewhere (`hf.co/...`) on the machine itself. Nothing can be deleted, and no file can be read, whatever the other side asks for."
 },
 {
  "doc": "docs/connector.md",
  "heading": "What can be reached through it?",
  "text": "What a machine offers is yours alone: what it brings by itself is for you only. You can **share** one of its model servers,\nand only you can: connect it once more under *Settings, Providers* (*On my machine*) and choose *Everybody in …* under *Who may use\nit*, or `npx mosaic providers add ollama --machine attic --scope workspace --workspace Team`. Then questions of everybody there are\nanswered on your machine whenever it is online. They reach what that server offers and nothing else of the machine. Remove that\nprovider, and it is yours alone again."
 },
 {
  "doc": "docs/connector.md",
  "heading": "Several machines, and machines that go away",
  "text": "Connect as many as you like. If one is offline, or goes away in the middle of an answer, the same model on another of your machines is\nasked first, then your other providers; the answer says so. *Settings, Machines* shows which are online and when the others were\nlast seen. A machine whose network went away, such as a laptop that was closed, is passed over within half a minute while an answer waits\nfor it, and at once after that; one that is back within half a minute does not show as offline."
 },
 {
  "doc": "docs/connector.md",
  "heading": "Remove a machine",
  "text": "*Remove* in Settings cuts it off at once and forgets its secret and its providers; it can only come back with a new command. If a machine is\nlost or stolen, that is all there is to do."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Deploying to Cloudflare with Neon",
  "text": "The Worker that `npm start` runs also runs on Cloudflare, with a Durable Object per conversation and a Neon database. This\npage describes what `npm run deploy` does. The build and the migrations are tested here; nobody has run the upload against a\nreal Cloudflare account, nor the migrations against a real Neon project yet. Where something differs, believe the tools."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "What you need",
  "text": "- A Cloudflare account, and either `npx wrangler login` or a `CLOUDFLARE_API_TOKEN` with the right to edit Workers\n  and Queues\n- A Neon project with an empty database, Postgres 15 or later"
 },
 {
  "doc": "docs/deploying.md",
  "heading": "The database and its roles",
  "text": "Three roles sign in, and the Worker never sees the first one:\n\n| Role | Used by | May |\n|---|---|---|\n| the owner | migrations only | everything |\n| `app_user` | the Worker | its tables, under row-level security |\n| `auth_user` | the Worker | the sign-in tables only |\n\nDo not make the last two in Neon's console: roles made there bypass row-level security, and the migrations refuse such roles.\nThe migrations make them, and give them the passwords that stand in the connection strings you choose. Take the owner's\nstring from Neon and write two more with the same host and database, each with a long random password of its own:\n\n```sh\nexport DATABASE_URL='postgresql://owner:…@ep-….neon.tech/mosaic?sslmode=require'\nexport DATABASE_APP_URL='postgresql://app_user:…@ep-….neon.tech/mosaic?sslmode=require'\nexport DATABASE_AUTH_URL='postgresql://auth_user:…@ep-….neon.tech/mosaic?sslmode=require'\n```\n\n`npm run migrate` alone brings the database of `DATABASE_URL` up to date, at Neon or any other Postgres, and sets these\npasswords. Each migration is one transaction: all of it is in, or nothing."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Secrets",
  "text": "Make these once, keep them somewhere safe, and use the same ones for every deployment: a new `BETTER_AUTH_SECRET` signs\neverybody out.\n\n```sh\nexport BETTER_AUTH_SECRET=\"$(openssl rand -base64 32)\"\nexport CREDENTIALS_KEYS=\"k1:$(openssl rand -base64 32)\"\nexport SETUP_TOKEN=\"$(openssl rand -hex 16)\"\nexport PUBLIC_URL='https://chat.example.org'\n```\n\nSet `SETUP_TOKEN` always: whoever signs up first must show it and becomes the admin. Without it that is whoever comes first.\n\nProvider keys (`ANTHROPIC_API_KEY` and so on), `SIGN_UP`, `ALLOWED_ORIGINS`, mail (`MAIL_API_URL`, `MAIL_API_KEY`,\n`MAIL_FROM`) and single sign-on (`OIDC_…`) are taken from the environment too; [self-hosting](self-hosting.md) lists them.\nWithout a mail service a password reset is refused with a sentence that says so. `OLLAMA_BASE_URL` must be an address that\nCloudflare can reach."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Deploy",
  "text": "```sh\nnpm run deploy\n```\n\n1. It refuses, and names what is missing, unless `DATABASE_URL`, `DATABASE_APP_URL`, `DATABASE_AUTH_URL`,\n   `BETTER_AUTH_SECRET`, `CREDENTIALS_KEYS` and `PUBLIC_URL` are set.\n2. It builds the Worker and the page, and refuses a Worker larger than 1 MiB gzipped.\n3. It makes the queues that are missing in your account.\n4. It applies the migrations as the owner. If one fails, nothing is deployed.\n5. It uploads the Worker, the page and the settings as secrets. The owner's connection string is never uploaded.\n\nSettings that are not in the environment are not uploaded; a secret that an earlier deployment set stays until\n`npx wrangler secret delete <NAME>`."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "wrangler.toml",
  "text": "It holds what is no secret: the Worker's name and entry, the page's files and which paths go to the Worker first, the\nDurable Object binding and its migration, the queues and the cron trigger. `compatibility_date` is checked by the tests on\nworkerd; raise it only with them."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "A custom domain",
  "text": "Without one the Worker is at `https://mosaic.<your subdomain>.workers.dev`, and `PUBLIC_URL` must say exactly that. For a\ndomain that Cloudflare serves for you, add to `wrangler.toml`, above the first `[…]` section:\n\n```toml\nroutes = [{ pattern = \"chat.example.org\", custom_domain = true }]\n```"
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Queues and cron",
  "text": "Once an hour, at minute 17 (UTC), a cron trigger puts a message on the queue `mosaic-maintenance`. Its consumer deletes what has\nexpired: sessions, password resets, device codes, API keys, counters of attempts, remembered answers to idempotency keys, and\nnotes of where a credential that is gone was attached. It reaches nobody's conversations: the Worker's role may only call\none function that deletes expired rows of two tables, and the sign-in tables hold no content.\n\nA message that fails is tried again after 30 seconds and after two minutes; then it goes to `mosaic-maintenance-dead`, whose\nconsumer writes one line into the log that begins with `Maintenance: gave up`. Nothing is lost by it, the next hour asks again.\n\n`npm run deploy` makes both queues where they are missing; your plan must include Queues, and a `CLOUDFLARE_API_TOKEN` needs\nthe right to edit them. What cannot wait an hour (copying the log to Postgres, watching over a running answer) is done\nby each conversation's own alarm."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Is it up?",
  "text": "`GET /health/live` answers when the Worker runs. `GET /health/ready` also asks the database, says whether the migrations are\nin, and lists providers that are down; 503 means that requests cannot be served. `npx wrangler tail` shows the log."
 },
 {
  "doc": "docs/deploying.md",
  "heading": "Where conversations live",
  "text": "A conversation's object is placed near the person who starts it and stays there. For a group spread over the world, everyone\nelse's messages travel to that place."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I start Mosaic?",
  "text": "In the checkout run `npm start`. It installs what is missing, makes a data folder (`.mosaic`), starts a database and the\nserver, and ends with `Mosaic is ready at http://localhost:8787`. The line `Models:` names what is connected. Ctrl+C stops it: it says `Stopping.`,\nand at the end `Stopped.`"
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "The port is in use",
  "text": "If another program uses port 8787, choose another one: `PORT=9000 npm start`."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Make an account",
  "text": "Open the address and choose *Create an account*: a name, an e-mail address and a password of at least 10 characters. The\nfirst account becomes the admin of the instance. The address is not checked by a mail; it is your name for signing in.\n\nIf the page asks for a *setup token*, the stack can be reached from other machines: `npm start` printed the token shortly\nbefore it was ready. Only the first account needs it."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "What can you do?",
  "text": "You can chat, and stop, retry, edit and fork answers; pin a model; see with every finished answer why its model was chosen\nand what it cost; export conversations; go on in the terminal. Type `/help` in a conversation to list the commands.\n\nA message may have up to 524,288 characters; a longer one is refused.\n\nThere are no tools, no web search, no file upload, no memory across conversations and no agents yet."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Who is the guide?",
  "text": "Where no model is connected, or none of them can be reached, the built-in guide answers. It is no language model: it\nsearches this documentation and quotes the passages that fit. It works offline and costs nothing. It stays silent when a\nprovider was reached and refused, because then you need to know why."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I connect a model?",
  "text": "In the page: *Settings, Providers, Connect a provider*. Pick a vendor and paste a key, or log in at OpenRouter; it answers your next\nmessage. In the terminal: `npx mosaic providers add anthropic`. [Providers](providers.md) says what each kind needs, whose key is\nused, and what happens when one fails.\n\nThe operator can connect models for everybody. Set one of these before you start Mosaic, then start it again:\n\n- `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `OPENROUTER_API_KEY` or `ZAI_API_KEY` to a key of that vendor\n- `OLLAMA_BASE_URL` to a running Ollama, for example `http://127.0.0.1:11434`\n\n```sh\nANTHROPIC_API_KEY=your-key npm start\n```\n\nThat connects Claude, GPT, GLM or whatever the vendor offers; `/models` in a conversation lists it. To use a proxy or a compatible server, also set\n`ANTHROPIC_BASE_URL` (without `/v1`), or `OPENAI_BASE_URL`, `OPENROUTER_BASE_URL`, `ZAI_BASE_URL` (with its version path)."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I use Ollama?",
  "text": "If Ollama runs on the same machine at its usual address, start Mosaic after it: `npm start` finds it and prints\n`Ollama: http://127.0.0.1:11434`. For another address set it:\n\n```sh\nOLLAMA_BASE_URL=http://192.168.1.20:11434 npm start\n```\n\n`OLLAMA_BASE_URL=off` leaves it alone. Pull a model first (`ollama pull <name>`). Ollama has no sign-in of its own: do not\nopen its port to the internet.\n\nFor an Ollama on another computer of yours, wherever it is, run `npx mosaic connect` there:\n[machines that dial in](connector.md)."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Which model answers, and how do I change the model?",
  "text": "The model pinned in the conversation (`/model <name>`, or the picker below the message box), else the default model of\nyour workspace (Settings), else the first provider that answers: your own first, then the workspace's, then the instance's\n([whose key is used](providers.md#whose-key-is-used)). `/model clear` lifts a pin. A pinned model is never replaced by another\nmodel; the same model of another provider may answer, and if none can you are told.\n\nWithout a pin, the next provider is asked when the first one fails before any text was shown, and the page says so."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Why this model?",
  "text": "Below each answer stands the model that wrote it; *why?* opens the receipt: the reason, what was rejected, the cost expected\nand the alternatives. What the message was about is not judged yet, so the receipt says *not judged*. An answer whose price\nnobody told Mosaic shows no cost."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "While an answer is being written",
  "text": "Enter sends your next message into the queue: it is answered when its turn comes. Ctrl+Enter (Cmd+Enter on a Mac), or the\nbutton beside, steers instead: the message reaches the model at its next step and is answered in the same answer. Anyone who\nmay write in the conversation can stop the answer, from any device. A tool that wants to be asked first shows its name and\ninput and waits, for a day at most, until somebody allows or denies it. Today there is one tool, a clock, and it does not ask.\n\nA small mark at each of your messages says what became of it: being sent, saved (the server has it on disk), waiting,\nanswered. Close the page at any moment: what was not saved yet is kept in this browser and sent when you are back."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Stop, retry, edit and fork",
  "text": "*Stop* or Esc ends an answer and keeps what was written. `/retry` answers the last message once more; editing a message\nstarts a new branch. Nothing is overwritten: the page shows the newest version, the JSON export has every one. `/fork` copies the conversation into a new one."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I reset my password?",
  "text": "Choose *Forgot password?* on the sign-in page and give your e-mail address. On your own machine the letter with the link is\nprinted where `npm start` runs, and kept in the folder `mail` of the data folder; ask whoever runs the stack for it. The\nlink works for an hour and ends your other sessions. On Cloudflare the letter goes out if a mail service is configured."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I get an API key for scripts?",
  "text": "Settings, *API keys*, makes a key for scripts. It acts as you; it is shown once. Send it as `Authorization: Bearer …` or\n`x-api-key: …`. The REST API is described at `/api/docs` on your instance, the machine-readable form is at\n`/api/openapi.json`."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I export a conversation?",
  "text": "`/export` in a conversation gives the addresses for Markdown and JSON; the menu of a conversation in the list has them too.\n`POST /api/conversations/import` takes the JSON, up to 16 MiB, and makes a conversation of yours with the same branches.\n`GET /api/me/export` is everything of yours."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "How do I delete my account?",
  "text": "Settings, *Delete my account*, asks you to type your e-mail address and then erases the account and every conversation you\nown, for good. `DELETE /api/me` with your API key or session does the same at once."
 },
 {
  "doc": "docs/getting-started.md",
  "heading": "Several people: workspaces, inviting and sharing",
  "text": "Everyone signs up at the same address. Who may sign up is the operator's choice, `SIGN_UP` in\n[self-hosting](self-hosting.md). Each account has a personal workspace that stays one person's.\n\nTo work together, make a workspace in Settings, *Workspaces*, open it, and invite people by e-mail address as viewer\n(reads what is shared), member (reads and writes there) or admin (manages the people too). The invitation's mail holds a\nlink; you can also copy the link beside the invitation and pass it on. It works for a week, for that address only.\n\nA conversation belongs to the workspace chosen below the message box when it begins, and is private to its owner until\n*Share with …* in its menu in the list opens it to the people of that workspace; *Make private* closes it again. A shared one\nbears a mark in the list and beside its title. Who is removed from a workspace loses what is shared there at once."
 },
 {
  "doc": "docs/performance.md",
  "heading": "Performance",
  "text": "Measured on 2026-11-21 on a quiet machine with 2 cores (AMD EPYC, Debian 12), against a scripted vendor on the same machine.\nMake the tables again with the command above each; on another machine ratios hold better than absolutes. Nothing here is a\ntimed test: a slow machine fails no check."
 },
 {
  "doc": "docs/performance.md",
  "heading": "The main job",
  "text": "`npm run bench:main-job`\n\n| figure | measured | at most |\n|---|---|---|\n| send to ack, p50 | 2.8 ms | 5 ms |\n| send to ack, p99 | 7.4 ms | |\n| first token from the vendor directly, p50 | 3.6 ms | |\n| first token through Mosaic, p50 | 12.6 ms | |\n| first token added, p50 | 9.0 ms | 10 ms |\n| idle memory (RSS) of the runner | 218 MB | |\n| idle memory (RSS) of the database | 276 MB | |\n| idle memory (RSS) of workerd | 208 MB | |\n| idle memory (RSS), whole stack | 702 MB, missed | 700 MB |\n\nOne conversation, 200 questions one after another, each asked of the vendor directly in the same round. The ack comes after\nthe message is on disk. Memory is what the three processes hold 15 s after those questions; pages that two of them share are\ncounted twice, and npm's own process, where `npm start` was used, is not counted. The ack goes before the turn begins:\nto begin it together with the ack would give the first token 2 to 3 ms earlier and the ack 1 to 1.5 ms later, which is more than\nhalf of what a bare object takes; what a turn depends on is read meanwhile, in one statement."
 },
 {
  "doc": "docs/performance.md",
  "heading": "Providers",
  "text": "`npm run bench:providers` (about 5 minutes; `--only failover,tokens`, `--json <file>`)\n\n| figure | measured | bound |\n|---|---|---|\n| first token, the first provider well, p50 / p90 | 13.6 / 18.6 ms | |\n| 429: the first token comes later, p50 | 7.6 ms | ≤ 10 ms |\n| 500: the first token comes later, p50 | 6.8 ms | ≤ 10 ms |\n| connections refused: the first token comes later, p50 | 4.5 ms | ≤ 10 ms |\n| no headers: the first token comes later, p50, beyond the timeout of 500 ms | 6.7 ms | ≤ 20 ms |\n| a token's way straight from the vendor, p50 / p99 | 0.37 / 0.77 ms | |\n| a token's way through Mosaic, p50 / p99 | 0.92 / 1.96 ms | |\n| added to each of 6,000 tokens, p50 | 0.55 ms, missed (0.63 and 0.45 in other runs) | ≤ 0.5 ms |\n| added to each of 6,000 tokens, p99 | 1.2 ms | ≤ 5 ms |"
 },
 {
  "doc": "docs/performance.md",
  "heading": "Providers",
  "text": "- **Failover**: two providers of one person; the first one fails, the second one answers. The first is renamed before every\n  round, healthy rounds included, because a changed record begins its health anew: else the breaker would skip it, and nothing\n  would be measured. Each round is checked for exactly one failover.\n- **Tokens**: one answer, a token every 8 ms, stamped by the vendor when written and by the client when it arrives."
 },
 {
  "doc": "docs/performance.md",
  "heading": "The connector",
  "text": "`npm run bench:connector`\n\n| figure | measured | bound |\n|---|---|---|\n| a token from the model server directly, p50 | 0.39 ms | |\n| a token through the connector, p50 | 1.32 ms | |\n| added to a token, p50 / p99 | 0.93 / 1.76 ms | p50 ≤ 2 ms |\n| response body directly, and through the connector | 651, 79.6 MB/s | ≥ 20 MB/s |\n| 20 bodies at once directly, and through the connector, together | 582, 95.0 MB/s | ≥ 20 MB/s |"
 },
 {
  "doc": "docs/performance.md",
  "heading": "Never losing a turn",
  "text": "`npm run bench:reliability` (about 12 minutes; `--only ack,row-visible,resume,fan-out,drain,idle` takes some of it, `--json <file>`\nwrites every figure with its bound and whether it holds)"
 },
 {
  "doc": "docs/performance.md",
  "heading": "Never losing a turn",
  "text": "| figure | measured | bound |\n|---|---|---|\n| send to ack, p50 / p90 / p99 | 2.18 / 2.74 / 4.47 ms | |\n| send to ack of the bare object, p50 / p90 / p99 | 1.52 / 1.84 / 4.03 ms | |\n| send to ack against the bare object, p50 | 1.44 x | ≤ 1.5 x |\n| row visible in Postgres after the ack, p50 | 75 ms | ≤ 250 ms |\n| row visible in Postgres after the ack, p99 | 119 ms | ≤ 1000 ms |\n| resolution of that look, p50 | 8.6 ms | |\n| resume with 50 missed events of 10000 messages, p50 | 2.1 ms | ≤ 10 ms |\n| resume in the large against the small one (100 messages), p50 | 0.97 x | ≤ 1.2 x |\n| tokens of the stream to 200 sockets | 80.5 a second | |\n| a token's way to each of 200 sockets, p50 / p99 | 15.2 / 44.3 ms | p99 ≤ 50 ms |\n| drain of 20000 rows of one conversation after an outage | 3394 rows/s | ≥ 2000 rows/s |\n| drain of 20000 rows of 20 conversations after an outage | 3071 rows/s | ≥ 2000 rows/s |\n| memory for each of 1000 idle conversations, and of as many bare objects | 301, 176 KiB | |\n| memory against the bare objects | 1.71 x, missed | ≤ 1.15 x |\n| objects woken, and alarms, in an idle minute of 1000 idle conversations | 0, 0 | 0 |"
 },
 {
  "doc": "docs/performance.md",
  "heading": "Never losing a turn",
  "text": "Every measurement starts a stack of its own: the parts of `npm start` (workerd through Miniflare, the embedded database as a\nprocess, a scripted vendor), with the shipped Worker in a bundle that also holds a bare object to compare with: hibernating\nsockets, one table, one insert for each message, an ack."
 },
 {
  "doc": "docs/performance.md",
  "heading": "Never losing a turn",
  "text": "- **Ack**: 300 rounds over two real sockets, a message to a conversation, then a row to the bare object, with a pause of\n  120 ms before each, so that the work which a message sets in motion (the turn, the way to Postgres) weighs on neither.\n- **Row visible**: from the ack of a message until a reader of Postgres sees its row. It looks every 5 ms; the resolution is\n  that plus the round trip of a look, and is printed.\n- **Resume**: from `hello` with `since` on a fresh socket to the last of 50 events, 200 rounds, in turns, the object awake.\n- **Fan-out**: one answer of 1,000 tokens at about 80 a second to 200 sockets in a second process; from the vendor's write of a\n  token to the first delta that covers it, at each socket, on the clock that both processes share. Sockets report `received` once\n  a second, as clients do.\n- **Drain**: the database process is stopped, 20,000 events are put into one conversation, or into 20, and the database is\n  started again at its address. The rate counts from the moment it answers until the last row is there, the wait for the next\n  try included; the wait and the rate without it are printed too.\n- **Idle**: conversations with one answered message and"
 },
 {
  "doc": "docs/performance.md",
  "heading": "Hostile frames",
  "text": "`npm run fuzz:frames` (`--seed <n>` replays a run, `--inputs`, `--decoder-inputs`, `--report <file>`); a short form is part of\n`npm test`. 60,000 frames over real sockets (cut, mutated, nested 100,000 deep, a mebibyte and a byte, binary, lone surrogates,\n`__proto__`, good ones with hostile content), a flood and a wrong protocol for each of ten conversations, and connections whose\nframing itself is broken; and a million inputs against the two decoders alone. Each bad frame must be answered by exactly the\nerror that the contract's decoder names, with a code of the closed list and one short plain sentence; each good one once; a\nclient that behaves must meanwhile get its acks, its answers, and every event in order; no object may be made anew."
 },
 {
  "doc": "docs/performance.md",
  "heading": "Starting",
  "text": "`npm run bench:start-up`\n\n| figure | measured | at most |\n|---|---|---|\n| first `npm start` after the install | 9.0 s | 15 s |\n| later `npm start`, p50 of 5 | 2.8 s | 4 s |\n| Worker bundle, gzipped | 628 KiB | 1024 KiB |\n\nThe first start makes the database, builds the Worker and the page, and applies the migrations."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "Logins at vendors",
  "text": "For operators: which logins there are instead of API keys, how to set one up, and what happens to the tokens. How people use them\nstands in [Providers](providers.md)."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "Which logins are built in?",
  "text": "OpenRouter's. It needs no setting: whoever connects OpenRouter approves it there and gets an API key of their own, which OpenRouter\nlists under its key settings. It stays valid until its owner deletes it there; OpenRouter offers no way to do that from here.\nOpenRouter takes callbacks of `https` addresses and of `localhost`.\n\nAll others are off until `PROVIDER_LOGINS` names them. Asking for one that is off says so, and what to set."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "What does PROVIDER_LOGINS take?",
  "text": "JSON with an entry for each kind of provider: `anthropic`, `openai`, `openrouter`, `zai`, `ollama`, `openai-compatible`. It is checked at\nthe start; each mistake is one sentence that names the field and never its value.\n\n| Field | Meaning |\n|---|---|\n| `clientId` | what the vendor gave you when you registered your Mosaic with it |\n| `clientSecret`, `clientAuthentication` | only if it gave you one; `post` (default) or `basic` says how it is shown |\n| `issuer` | instead of the addresses: Mosaic asks it for them (RFC 8414, OpenID discovery) |\n| `authorizationUrl`, `tokenUrl` | the addresses of a redirect login; a query in the first one is kept |\n| `deviceUrl`, `tokenUrl` | the addresses of a device login (RFC 8628) |\n| `method` | `redirect` or `device`; without it a device login where there is a `deviceUrl` |\n| `revocationUrl` | where tokens are taken back (RFC 7009); without it they end by themselves |\n| `scopes` | words with one space between them |\n| `baseUrl` | for `ollama` and `openai-compatible` only, and needed there: the API that the tokens are good for; a public address |"
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "What does PROVIDER_LOGINS take?",
  "text": "Addresses are `https`; `http` is for this machine only. Redirects are never followed. Register this callback with the vendor:\n`<PUBLIC_URL>/api/providers/<kind>/callback`. PKCE (S256) and a `state` are always sent. There is one callback for each kind, and\nan answer at the wrong one ends nothing.\n\n```sh\nPROVIDER_LOGINS='{\n  \"zai\": {\n    \"clientId\": \"…\",\n    \"authorizationUrl\": \"https://login.example.com/authorize\",\n    \"tokenUrl\": \"https://login.example.com/token\",\n    \"revocationUrl\": \"https://login.example.com/revoke\",\n    \"scopes\": \"models offline_access\"\n  },\n  \"openai-compatible\": { \"clientId\": \"…\", \"issuer\": \"https://login.example.com\", \"baseUrl\": \"https://models.example.com/v1\" }\n}' npm start\n```\n\n`{\"openai\": {\"clientId\": \"…\"}}` alone means OpenAI's own device login, which differs from the standard; any other field makes\n`openai` a kind like the rest. `{\"openrouter\": {\"authorizationUrl\": \"…\", \"tokenUrl\": \"…\"}}` without a client id moves the built-in\nlogin to another address, for a stand-in of OpenRouter."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "What do the vendors' terms say?",
  "text": "Read them before you set a login up; this page is no permission. Anthropic does not allow third-party products to use the login of\nits subscriptions. OpenAI's device login is the one that its own programs use; whether a client id of yours may use it, and for\nwhich API, is between you and OpenAI. Mosaic ships no client id and never says to be another program: use a client id that the\nvendor gave to you, never one that belongs to another product. With an API key none of this arises."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "Who can end a login?",
  "text": "Whoever began it, within 15 minutes, once. Coming back from the vendor, the browser must be signed in to Mosaic as that person;\notherwise the page asks them to copy its address to where the login waits, and warns everyone else not to pass it on. That is for\nlogins begun in a terminal, and against people who send others to a vendor's page to get hold of their account there. A device\nlogin has no such check, which is how the standard is made: whoever types somebody else's code lets them in.\n\nOnly whoever may add a provider for a workspace or for everyone can log in for them. A login renews an existing provider only\nwhere that has the vendor's own address: tokens are sent nowhere else."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "What happens to the tokens?",
  "text": "They are sealed like API keys ([Settings: secrets](self-hosting.md#settings-secrets)). A minute before their end they are renewed, by\none object for each login: many turns at once are one request. New tokens are written down there before anyone gets them, and come to\nPostgres afterwards, also if it is away for long. Back up the folder `state` together with the database, as always.\n\nIf a vendor says that a login has ended, its provider says so in one sentence and is not tried until somebody logs in again. If\nthe vendor cannot be reached, Mosaic asks again for up to 20 seconds, and uses the old token while it lasts.\n\nWhen a provider is removed, its login replaced, or its owner's account deleted, the vendor is told, again and again for some hours\nif need be, where it has a `revocationUrl`."
 },
 {
  "doc": "docs/provider-logins.md",
  "heading": "What can be lost?",
  "text": "- **While tokens are renewed.** Many vendors make a refresh token good for one use. If the process dies after the vendor has\n  answered and before the answer is written down (some milliseconds), or if that answer never arrives, only the vendor knows the new\n  token. Mosaic tries the old one again, which helps where the vendor forgives it; where not, the login has ended and says so.\n- **While a login ends.** The vendor's code is good once too. If the process dies between the vendor's answer and Postgres, the login\n  fails when it is tried again, and has to be started anew. The key that OpenRouter has made by then stays in its list.\n- **With a backup.** Restoring an old one brings back refresh tokens that were used up since: those people log in again."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Providers",
  "text": "A provider is a place where models answer: a vendor with your key, or a model server of your own. You connect as many as you\nlike, under *Settings, Providers* in the page or with `npx mosaic providers` in the terminal. A change applies to the next\nmessage; nothing is restarted."
 },
 {
  "doc": "docs/providers.md",
  "heading": "How do I connect a provider?",
  "text": "In the page choose *Connect a provider*, pick the vendor, paste a key, *Connect*. Mosaic asks the vendor for its models at once and\nsays in one sentence what is wrong where it refuses. In the terminal:\n\n```sh\nnpx mosaic providers add anthropic                 # the key is asked for, and not shown while you type\nnpx mosaic providers add openai --key-stdin < key  # or comes from stdin; never as an argument\nnpx mosaic providers key Anthropic                 # another key for the one of that name\nnpx mosaic providers                               # list them, with their health\nnpx mosaic models                                  # what can answer now\n```"
 },
 {
  "doc": "docs/providers.md",
  "heading": "How do I connect a provider?",
  "text": "| Kind | What it needs |\n|---|---|\n| `anthropic` | an API key from console.anthropic.com |\n| `openai` | an API key from platform.openai.com |\n| `openrouter` | a login with one click, or an API key from openrouter.ai |\n| `zai` | an API key from z.ai; for the coding plan also the address `https://api.z.ai/api/coding/paas/v4` |\n| `ollama` | an address, or one of your [machines](connector.md) |\n| `openai-compatible` | the address of vLLM, LM Studio, llama.cpp, LiteLLM or another, with its version path, or one of your machines; a key where it wants one |\n\nA vendor's key can also go to a gateway that speaks the same API: *Another address, headers* in the page, `--base-url` in the\nterminal. Anthropic's address goes without `/v1`, the others with their version path.\n\nThe operator can connect one of each kind for everybody with environment variables\n([self-hosting](self-hosting.md#settings-models)). They stand in the list as *Set by the operator* and cannot be changed there."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Log in instead of copying a key",
  "text": "Where a login is set up, the page offers *Log in with …*: the vendor's page opens in a new window, and the first page notices when\nyou are done. OpenRouter works everywhere; the others need to be [set up by the operator](provider-logins.md). A login with\na code shows the code to type there. In the terminal it is `npx mosaic providers login openrouter`.\n\nIf the vendor's page ends at an address that does not open, copy that address and paste it into the field that waits for it, in the\npage or the terminal. It only works for the person who began the login, and once. A login is renewed by itself while the vendor\nallows it; when it has ended you are told to log in again."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Whose key is used?",
  "text": "Each provider belongs to somebody:\n\n| Scope | Who connects it | Who uses it |\n|---|---|---|\n| user (*Only me*) | everybody, for themselves | that person, in every workspace they are in |\n| workspace | an owner or admin of the workspace | its members, for conversations there |\n| system | the instance admin, or the operator's environment | everybody |\n\nA message is answered with the providers of **whoever asked it**: theirs first, then the workspace's, then the instance's, then the\noperator's; within each the one marked *Default* first. In a shared conversation everybody spends their own keys, and nobody\nanybody else's."
 },
 {
  "doc": "docs/providers.md",
  "heading": "What happens to my key?",
  "text": "It is encrypted before it is stored (a key of its own for each record, wrapped by the instance's key), and opened only for the\nrequest that needs it. Nobody can read it back, you neither: lists show its last four characters. Values of headers are treated\nthe same way. Removing a provider erases it here; at the vendor it stays good until you end it there.\n\nA key goes only where it was saved for. If you move a provider to another address, be it another path of the same host, give the key again. Redirects are not followed."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Cloudflare Access in front of Ollama",
  "text": "Ollama has no sign-in of its own: never open its port to the internet. Either let the machine dial in with\n[`npx mosaic connect`](connector.md), or put cloudflared with Cloudflare Access in front and make a service token there:\n\n```sh\nnpx mosaic providers add ollama --base-url https://ollama.example.org \\\n  --header CF-Access-Client-Id --header CF-Access-Client-Secret\n```\n\nThe two values are asked for and not shown. In the page: *Headers, such as Cloudflare Access*. Through cloudflared an answer whose first word\ntakes longer than 100 seconds is cut off by Cloudflare; a machine that dials in does not have this limit."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Which addresses can I use?",
  "text": "Public ones, with https. Addresses of private networks are refused, in whatever way they are written and whatever name leads there.\nAn instance admin may save one where the operator has set `ALLOW_PRIVATE_NETWORK=1`. Everybody else connects the machine instead."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Health: what do the states mean?",
  "text": "| State | Meaning |\n|---|---|\n| Working | the last question was answered |\n| Having trouble | something went wrong lately, or it is being tried again |\n| Not reachable | it is left alone as long as anything else can answer |\n| Not checked yet | nobody asked it so far |\n\nBeside it stand since when, how fast it answered, and the last error. *Test* asks it for its models, which costs no tokens. Z.ai has no list of models to ask for: its\nkey is tried with an empty question, which Z.ai refuses at no cost (a gateway in front of it may answer and charge for it), and the models\nshown are those that Mosaic knows of; whether the key may use each of them shows with the first question.\nA refused key stays *Not reachable* until the key is changed or a test succeeds; everything else is tried again after five\nseconds, then less and less often, at most five minutes apart. `/models` in a conversation (as `healthy`, `degraded`, `down`, `unknown`) and the model picker show the same states;\n`GET /api/providers/health` is for scripts."
 },
 {
  "doc": "docs/providers.md",
  "heading": "What happens when a provider fails?",
  "text": "Before the first word is shown, the next provider is asked at once: first the same model elsewhere, then the others in their\norder. The last one that is left is asked up to three times, with growing pauses. The answer says who took over and why\n(`gpt-5.4 → claude-sonnet-4-6: …`), and if the failed attempt cost something, that is counted in the answer's cost.\n\nA pinned model is only replaced by the same model of another provider, never by another model. Where several of\na kind are connected, `<provider's id>/<model>` names one of them (`npx mosaic providers` shows the ids): then only that one answers. After the first word the answer goes on\nwhere it was, with a visible seam. The built-in guide answers only where nobody could be reached."
 },
 {
  "doc": "docs/providers.md",
  "heading": "Models, prices and windows",
  "text": "*Settings, Models* and `npx mosaic models` list the models of your providers, what a vendor lists first, then others of it that Mosaic\nknows of, which your key may or may not use: tier, context window, prices for a million\ntokens, what it can do, health, and where those facts come from. *Refresh* (`--refresh`) asks every provider for its list now. A\nmodel that Mosaic has never heard of can be used as `provider/id`; its facts are then cautious guesses, and say so.\n\nA model's name is the vendor's id, with the provider in front where it matters: `openai/gpt-5.1` is OpenAI's, and\n`openrouter/openai/gpt-5.1` the same model at OpenRouter. Of several machines with Ollama, `ollama/llama3:8b` is one that\nhas the model; the provider's id in front instead of the kind means that one alone. A pinned model keeps what was meant."
 },
 {
  "doc": "docs/reliability.md",
  "heading": "Reliability",
  "text": "Accepted means durable, and every turn has an ending. This page is what the proof of that said the last time, on 2026-11-21;\n`npm run reliability` runs all of it and writes this page anew. The short forms run in `npm test`.\n\n**These runs are shorter than the full ones**, which hold 50,000 messages, 200 kills and\n1,000,000 schedules, 10,000 of them with five clients."
 },
 {
  "doc": "docs/reliability.md",
  "heading": "The real stack, killed",
  "text": "`npm run chaos`: the stack as `npm start` runs it, with 40 conversations of five clients each: two that ship (one killed and\nstarted again with nothing but its files), two bare sockets that repeat, swap, hang up and resume from the past, and a\nscript over REST and server-sent events; two people, and clocks a day off. Meanwhile processes get SIGKILL, the database goes\naway, hangs, slows down, refuses statements or loses answers after the commit, and the vendor cuts, hangs and answers 429,\n500, garbage or nothing.\n\n| figure | this run |\n| --- | --- |\n| seed | `2026-11-21` |\n| messages acknowledged | 3,000 |\n| events in the logs | 9,256 |\n| SIGKILLs | 21 |\n| times the database misbehaved | 5 |\n| vendor's answers, faulty ones | 3,415, 811 |\n| turns completed, interrupted, failed with a reason | 2,431, 66, 379 |\n| tries of a stranger, all refused | 210 |\n| took | 3 minutes |\n| machine | AMD EPYC, 2 cores, 24 GiB, Node v24.21.0 |\n\n**The checker found nothing.**\n\nHow long until it answered again, clients still pushing:"
 },
 {
  "doc": "docs/reliability.md",
  "heading": "The real stack, killed",
  "text": "| killed | times | median | worst |\n| --- | --- | --- | --- |\n| workerd | 14 | 1.3 s | 1.7 s |\n| the database's process | 4 | 7.4 s | 8.5 s |\n| the whole stack, then started again | 3 | 13.0 s | 15.3 s |\n\nSomething is acknowledged when its `ack` or its 202 arrived. At the end of each epoch the faults stop, everything comes to\nrest, and the checker reads what every client wrote down, the object's whole log and messages, and the rows in Postgres:\n\n- whatever a client handed over is acknowledged in the end; an acknowledged message stands in the log exactly once, at the\n  position it was acknowledged at, with the words that were sent; nothing stands there that nobody sent\n- the log has no gap; every client read all of it, in order, and saw the same event at the same position as everybody else\n- messages of a client that waits for its acknowledgements stand in the order it sent them\n- every accepted message has a turn and every turn exactly one ending\n- events, messages, turns, receipts and head in Postgres are what the log makes\n- someone without access got 404 at every door, and row-level security refused every statement made in their name"
 },
 {
  "doc": "docs/reliability.md",
  "heading": "The real stack, killed",
  "text": "A seed fixes who sends what, who misbehaves how, and which fault strikes after how many acknowledgements. It does not fix\nhow the operating system runs the processes, so a seed replays the plan, not the exact interleaving; that is what the\nsimulator is for. `SIGKILL` is not a power cut: the disk is not tested here."
 },
 {
  "doc": "docs/reliability.md",
  "heading": "The simulator",
  "text": "`npm run simulate`: the object's own code and the client's, under virtual time and a seeded scheduler, with a model of\nworkerd's storage, alarms and hibernation and of Postgres. A seed replays to the same step.\n\n| figure | this run |\n| --- | --- |\n| schedules | 123,491, from seed 1 |\n| of them with five clients | 2,715 |\n| a second | 374 |\n| steps | 14,387,583 |\n| messages acknowledged | 147,468 |\n| faults | connectionsCut 31,511, crash 78,661, databaseAway 39,508, databaseBack 62,478, databaseFlaky 39,562, databaseSlow 23,716, deploy 23,517, hibernate 25,748, lateAlarm 13,576, providersBad 39,385, providersGood 31,184, storageLost 3,039 |\n| schedules that broke a promise | 0 |\n\n**The checker found nothing.**"
 },
 {
  "doc": "docs/reliability.md",
  "heading": "Does the checker see anything at all?",
  "text": "Each of these faults was put into a copy of the code, one at a time. One that nobody sees is a hole in the checker."
 },
 {
  "doc": "docs/reliability.md",
  "heading": "Seen by the chaos run",
  "text": "| fault put into the code | what goes wrong | seen by |\n| --- | --- | --- |\n| `missing-with-check` | the policy on messages no longer asks who writes | `stranger-sees-nothing` |\n| `no-dedupe` | a message id that is known is taken for new | `acknowledged-is-kept` |\n| `cursor-before-commit` | the outbox moves on before the database has said yes | `settled` |\n| `client-without-outbox` | a client keeps what it sends in its memory alone | `sent-is-acknowledged` |\n| `resume-skips` | a resumed client misses the first event | `everyone-reads-all` |"
 },
 {
  "doc": "docs/reliability.md",
  "heading": "Seen by the simulator",
  "text": "| fault put into the code | what goes wrong | seen by |\n| --- | --- | --- |\n| `ack-before-write` | the acknowledgement leaves a moment before the message is written | `acknowledged is never lost` |\n| `alarm-throws` | the alarm's handler throws when a turn is to be watched | `nothing throws` |\n| `client-cursor-first` | a client takes for read what it has only been told of | `every client sees it all` |\n| `client-forgets-outbox` | a client that is back does not send what was not acknowledged | `it comes to rest` |\n| `client-sends-unkept` | a message leaves the client's storage before it is acknowledged | `kept is delivered` |\n| `cursor-before-commit` | the outbox moves on before the database has said yes | `Postgres has the log` |\n| `delete-not-redacted` | the words of a deleted message stay in the log | `Postgres has the log` |\n| `drain-not-idempotent` | a batch that arrives late overwrites what a newer one wrote | `the projection is that of the log` |\n| `events-dropped` | events that the database could not take for the moment are given up | `Postgres has the log` |\n| `late-stream-heard` | what a stream says after its turn was stopped is written | `one ending` |\n| `lost-turn-unended"
 },
 {
  "doc": "docs/reliability.md",
  "heading": "Hostile frames",
  "text": "`npm run fuzz:frames`: seed 2094694240, 59,995 inputs over 50 sockets in 10 conversations, and 100 connections\nwhose framing itself was broken. No crash, no 5xx, no object made anew, every frame answered as the protocol says."
 },
 {
  "doc": "docs/reliability.md",
  "heading": "What these runs found",
  "text": "Each is mended, with a test.\n\n- Simulator: an idle conversation woke itself every 30 s for ever, because each drain armed the outbox's alarm again.\n- Simulator's profile: the object read the same few rows of its settings about 140 times in three messages.\n- Frame fuzz: a frame of a mebibyte of unknown fields was answered by an error of several mebibytes.\n- Frame fuzz: broken framing of a client read like a crash in the operator's log.\n- Drain measured: the check for another event at the same position was quadratic, 280 rows a second in a long conversation."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "What npm start runs",
  "text": "Three processes: the runner, which prints what you see; the Worker in workerd, the runtime that Cloudflare uses too; and an\nembedded Postgres. Only the Worker's port listens for others, by default on this machine alone. If the database or workerd\ndies, the runner starts it again; if the runner is killed, the next start ends what it left behind."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Where is my data?",
  "text": "Everything is in the data folder, `.mosaic` in the checkout unless `MOSAIC_DATA_DIR` names another.\n\n| In the data folder | What it is |\n|---|---|\n| `state` | the conversations, each with its whole log |\n| `database` | the embedded Postgres (accounts, lists, a copy of the logs) and its passwords |\n| `secrets.json` | the keys that sessions and saved credentials depend on; never lose it, never share it |\n| `mail` | letters that were printed instead of sent |\n| `tmp`, `lock`, `processes.json` | of the run that is going on; no need to keep them |"
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "What runs by itself?",
  "text": "Once an hour, at minute 17 (UTC), the runner's timer has the Worker delete what has expired: sessions, password resets, device\ncodes, API keys, counters of attempts. It never touches conversations. The same job moves saved credentials under the newest key\n([rotation](#settings-secrets)). Every minute it asks the providers that are in use how they are. The queue between timer and Worker is in memory: if the\nprocess is killed (SIGKILL, a power cut) or the machine sleeps through the minute, the waiting message is lost, and the next\nhour sweeps what was left. A line that begins with `Maintenance: gave up` means that three attempts failed."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "What happens while the database is away?",
  "text": "Conversations go on: messages are acknowledged and answered, and come to the database in order when it is back; the page and the\nterminal say so. Whoever used a conversation within the last ten minutes can reconnect to it. Lists, new conversations, sharing,\nsettings and signing in answer 503 with a sentence until then.\n\nAn event that the database refuses for what it is does not hold up the others. It is kept in its conversation, and the\ninstance admin finds it with `GET /api/admin/jobs?type=outbox-event`, without its content, and can have it tried again\n(`POST /api/admin/jobs/<id>/retry`) or give it up (`/cancel`)."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "How do I make a backup?",
  "text": "Stop Mosaic, copy the whole data folder, start it again. A copy taken while it runs may not be usable. To restore, put the\nwhole folder back: `state` and `database` belong together, and without `secrets.json` the stack refuses to start. With a\nPostgres of your own, back that up at the same time."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "How do I update or upgrade Mosaic?",
  "text": "Make a backup, `git pull`, `npm start`. It installs new packages, builds, and applies new migrations to the database, each of\nthem whole or not at all. There is no way back to an older version but the backup."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Settings: the stack",
  "text": "All settings are environment variables; an empty one counts as not set.\n\n| Variable | Default | Meaning |\n|---|---|---|\n| `PORT` | `8787` | the port; `0` takes any free one |\n| `HOST` | `127.0.0.1` | the address to listen on; `0.0.0.0` for all (behind a proxy on another machine) |\n| `PUBLIC_URL` | `http://localhost:<port>` | the address people type; sign-in refuses pages from others |\n| `MOSAIC_DATA_DIR` | `.mosaic` | the data folder |\n| `ALLOWED_ORIGINS` | | other pages that may use the API with cookies, comma-separated |"
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Settings: who may sign up",
  "text": "`SIGN_UP` is `open` (the default: everybody who reaches the page), `invite` (only addresses invited into a workspace) or\n`closed`. The first account can always be made and becomes the admin.\n\nWhere `HOST` is not a loopback address, the first sign-up needs the setup token that `npm start` prints; `SETUP_TOKEN` sets\nyour own.\n\nTen wrong passwords for one e-mail address within 15 minutes, wherever they come from, close that address to passwords until\nthe 15 minutes are over; sessions and API keys go on. Attempts are also counted per network address."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Settings: models",
  "text": "| Variable | Meaning |\n|---|---|\n| `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `OPENROUTER_API_KEY`, `ZAI_API_KEY` | keys; each connects that vendor for everybody |\n| `ANTHROPIC_BASE_URL`, `OPENAI_BASE_URL`, `OPENROUTER_BASE_URL`, `ZAI_BASE_URL` | another server that speaks the same API |\n| `OLLAMA_BASE_URL` | an address, or `off`; unset, `http://127.0.0.1:11434` is used if an Ollama answers there at the start |\n| `PROVIDER_PROBE_SECONDS` | how often a provider is asked how it is, 5 to 3600; default `60` |\n| `PROVIDER_HEADERS_TIMEOUT_MS`, `PROVIDER_IDLE_TIMEOUT_MS` | how long a provider may be silent before its first sign of life, and between any two; default `60000` |\n| `ALLOW_PRIVATE_NETWORK` | `1`: an instance admin may save addresses of private networks |\n| `PROVIDER_LOGINS` | [logins at vendors](provider-logins.md), as JSON |\n| `EMBEDDING_MODEL` | which model turns texts into vectors; default `nomic-embed-text`, from an Ollama or a compatible server |\n\nEverybody connects providers of their own in the page or the terminal ([providers](providers.md)); what is set here is for all."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Settings: models",
  "text": "A probe asks for a provider's list of models, which costs no tokens. The operator's providers are asked all the time, people's own\nonly while they were used within the last hour, or when somebody looks. A probe never holds up a message.\n\n`PROVIDER_LOGINS` adds logins to OpenRouter's, which needs no setting: [logins at vendors](provider-logins.md). The start says which\nfield of it is wrong."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Which addresses do people's providers reach?",
  "text": "Public ones only, over https: the runtime's own network refuses everything else, also when a public name leads to a private address.\nWith `ALLOW_PRIVATE_NETWORK=1` an instance admin may save addresses of private networks, for everybody or for themselves; addresses where\nclouds keep their credentials stay refused. Without it, machines in a private network [dial in](connector.md). What stands in\nthe environment is yours and is not checked."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Settings: secrets",
  "text": "`BETTER_AUTH_SECRET` (at least 32 characters) signs sessions, `CREDENTIALS_KEYS` (`name:base64 of 32 bytes`) encrypts the keys and\nlogins that people save. Both are made at the first start and kept in `secrets.json`; set them only if you keep secrets\nelsewhere, and then always to the same values. Without the right `CREDENTIALS_KEYS` nobody can read those credentials, you neither.\n\nTo rotate, put a new key in front and keep the old one behind a comma, then start again:\n\n```sh\nCREDENTIALS_KEYS=\"k2:$(openssl rand -base64 32),k1:<the old one>\"\n```\n\nThe first one encrypts, all of them decrypt. Once an hour every credential that is still under an older key is wrapped anew, and a line that begins with\n`Maintenance: moved` counts how many stand under which key. Take the old key out when none is left under it. A conversation remembers for the\ntime without a database what its last turn read; where that is still under the old key, it says then that it cannot be opened, until the database is back."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Mail",
  "text": "Letters (password resets, invitations) go to the mail service that `MAIL_API_URL`, `MAIL_FROM` and, where it wants one,\n`MAIL_API_KEY` name. Without them they are printed by `npm start` and kept in the `mail` folder. The service must take `POST {from, to, subject, text}` as JSON with a bearer key, as Resend does."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Single sign-on (OIDC)",
  "text": "`OIDC_ISSUER` and `OIDC_CLIENT_ID` switch it on, with `OIDC_CLIENT_SECRET` and `OIDC_NAME` where needed. The issuer must\nanswer at `/.well-known/openid-configuration`; the redirect address to register there is\n`<PUBLIC_URL>/api/auth/callback/oidc`. The pages for signing in and up then have a button *Continue with `OIDC_NAME`*. While\nthe issuer is away, sign-in by password goes on."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "A Postgres of your own",
  "text": "```sh\nDATABASE_URL=postgresql://owner:password@db.example.org:5432/mosaic npm start\n```\n\nPostgres 15 or later with the pgvector extension at hand. The account must be allowed to create roles, schemas and that\nextension: migrations run as this owner, and make the roles `app_user` and `auth_user` that the Worker signs in as. Their\npasswords are made in the data folder, or taken from `DATABASE_APP_URL` and `DATABASE_AUTH_URL`. Use a database that holds\nnothing else. What is in the embedded database is not moved."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "Reach it from other machines",
  "text": "Keep `HOST` as it is and put a reverse proxy with TLS in front that passes WebSockets and sets `X-Forwarded-For` itself\n(attempts to sign in are counted by it). Set `PUBLIC_URL` to the address people type:\n\n```sh\nPUBLIC_URL=https://chat.example.org npm start\n```\n\nThe first account then needs the setup token that `npm start` prints.\nThe page works over plain http too, for a first look inside a network that you trust. Use TLS for everything else: passwords\ntravel on that line.\n\n`GET /health/live` says that the Worker runs, `GET /health/ready` that its database and settings are right."
 },
 {
  "doc": "docs/self-hosting.md",
  "heading": "What a start error means",
  "text": "Each is one sentence and a non-zero exit code; the data is as it was.\n\n| It says | Do this |\n|---|---|\n| `Port … is in use by another program` | stop that program, or set `PORT` |\n| `The data folder … is in use by process …` | another Mosaic runs on it: stop it, or set `MOSAIC_DATA_DIR` |\n| `The environment is wrong: …` | correct the variables it names |\n| `The database … cannot be reached` | start that Postgres, check `DATABASE_URL` |\n| `The migration … failed and nothing of it was applied` | the reason follows; mend it and start again |\n| `The secrets file … is missing` or `is damaged` | put `secrets.json` back from a backup |\n| `The embedded database … cannot be opened` | the reason follows; a full disk, or restore the backup |\n| `Mosaic could not be built` | the build's own lines are above it |\n| `Mosaic started but is not ready after 30 s` | a setting of the Worker is wrong, or its database does not answer |"
 },
 {
  "doc": "docs/terminal.md",
  "heading": "How do I use the terminal?",
  "text": "In the checkout, with a stack running:\n\n```sh\nnpx mosaic          # chat; the first time it asks you to sign in\nnpx mosaic -c       # go on with your latest conversation, wherever it began\nnpx mosaic -p \"What is a monad?\"    # print one answer and exit\n```\n\nFor a server elsewhere: `npx mosaic --url https://chat.example.org`, or set `MOSAIC_URL`. Without either it looks at\n`http://localhost:8787`. `npm run mosaic -- -c` does the same as `npx mosaic -c`. There is no `mosaic` in your `PATH`: always\nwrite `npx mosaic`, inside the checkout."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Sign in from the terminal",
  "text": "`npx mosaic login` shows an address and a code. Open the address in a browser where you are signed in, compare the code and\napprove. The terminal notices within a few seconds. The code is good for 15 minutes. `npx mosaic` does the same by itself\nwhen you are not signed in; `npx mosaic logout` ends the session and forgets it. When a sign-in ends while you chat, for\nexample because the password was changed, the terminal says so and leaves; `npx mosaic login` signs you in again, and what\nyou had not sent goes out with the next chat.\n\nIn scripts use an API key instead (Settings in the page): `--token`, or better `MOSAIC_TOKEN`, which does not show in the\nlist of processes."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Providers and models in the terminal",
  "text": "```sh\nnpx mosaic providers                        # who can answer, and how they fare\nnpx mosaic providers add openai             # connect one; the key is asked for and not shown\nnpx mosaic providers add ollama --machine attic\nnpx mosaic providers login openrouter       # log in there instead; a pasted address is accepted\nnpx mosaic providers test \"My OpenAI\"       # also: default, enable, disable, remove; by name or id\nnpx mosaic models --refresh                 # every model: tier, window, prices in and out, what it can do, health\nnpx mosaic connect                          # let Mosaic use the models of this machine\n```\n\nA key is never an argument: type it when asked, or pipe it in with `--key-stdin`, one line, and then one line for the value of\neach `--header`. `--scope workspace` or `--scope system` connects it for others, where you may. `--json` prints one object, with all\nof these. `test` and `add` end with exit code 1 where the provider does not answer. `npx mosaic providers --help` lists the rest;\n[providers](providers.md) and [machines](connector.md) explain it."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Options of mosaic",
  "text": "| Option | Meaning |\n|---|---|\n| `-p`, `--print <text>` | print one answer and exit; what is piped in is added to the text |\n| `-c`, `--continue [id]` | go on with the latest conversation, or with the one named |\n| `-m`, `--model <name>` | ask this model |\n| `--json` | with `providers` and `models`: what the API answers; with `-p`: one JSON object with `conversationId`, `messageId`, `text`, `receipt`, `usage` |\n| `--url <url>` | where Mosaic is (`MOSAIC_URL`) |\n| `--token <token>` | a session token or an API key (`MOSAIC_TOKEN`) |\n| `-h`, `-v` | help, version |\n\nWith `-p`, `--model` is for this one message; in a chat it pins the model of the conversation. An error is one line on\nstandard error and exit code 1; a wrong command line, or nothing to ask, has exit code 2. A text holds at most 524,288\ncharacters. When a message is refused, or no model can answer it, `-p` leaves no conversation behind.\n\n```sh\ngit diff | npx mosaic -p \"Review this change\" --json\nnpx mosaic -p \"And shorter\" -c\nnpx mosaic -p \"/usage\" -c\n```"
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Options of mosaic",
  "text": "A slash command after `-p` is carried out and its result printed; with `--json` as `conversationId` and `text`. `/help` and\n`/models` work alone, the others are about a conversation and need `-c`."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Keyboard shortcuts in the terminal",
  "text": "Enter sends, Alt+Enter (or `/steer <text>`) says it into the running answer, Shift+Enter or Ctrl+J breaks the line, Esc stops the answer, Up brings back what was sent, Ctrl+T shows or\nhides thinking, Ctrl+C clears the line and, pressed twice, exits, Ctrl+D exits.\n\nBelow each answer stands the model that wrote it, why, and the cost. `saved` under a message means that the server has it\non disk; `sending…` that it has not answered yet."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "Slash commands",
  "text": "They work in the terminal, in the page and over the socket alike.\n\n| Command | What it does |\n|---|---|\n| `/help` | list the commands |\n| `/model [name\\|clear]` | show, pin or unpin the model of this conversation |\n| `/models` | list the models that can be reached |\n| `/history`, `/context` | how many messages there are; what the next one sends to the model |\n| `/retry` | answer the last message once more, beside the first answer |\n| `/fork` | copy this conversation up to here into a new one |\n| `/stop` | stop the answer that is being written |\n| `/rename <title>` | give this conversation another title |\n| `/export` | where to download this conversation: addresses for a browser where you are signed in |\n| `/usage` | tokens and cost of this conversation |\n\nWhen a tool asks first, `y` allows it once, `a` always, `n` denies it.\n\nOnly in the terminal: `/new` begins another conversation, `/quit` or `/exit` leaves."
 },
 {
  "doc": "docs/terminal.md",
  "heading": "When the connection is lost",
  "text": "What you send is kept in a file before it goes out, and removed when the server has it. The terminal reconnects by itself\nand sends what is left; after a kill the next start of `npx mosaic` does. A message is stored once however often it was sent.\n\nThe sign-in is kept in `~/.config/mosaic/credentials.json`, readable only by you, unsent messages in\n`~/.local/state/mosaic/outbox` (`XDG_CONFIG_HOME` and `XDG_STATE_HOME` move them)."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Run everything",
  "text": "```sh\nnpm test\n```\n\nIt runs every check (types, lint, format, import directions, unused code, the guide's content), builds, runs every test, and\nends with `N passed, N failed`. It works straight after a clone. CI runs `.ci/run`, which is the same.\n\nWhat a test needs beyond the packages is fetched by the script that needs it, and a clear sentence says where that is not\npossible:\n\n- Chromium for the page: found in the usual places or by `CHROMIUM_PATH`, else installed with `apt-get` when run as root\n- a real Postgres 15 with pgvector: Debian's packages unpacked into `.cache/postgres15`, and pgvector compiled there; nothing\n  of the system changes. Where that cannot be, the suite runs on the embedded database alone and says so"
 },
 {
  "doc": "docs/testing.md",
  "heading": "Run a part",
  "text": "```sh\nnpm run check                  # types, lint, format, import directions; no tests\nnpm run typecheck              # or: lint, format:check\nnpm run format                 # puts right what can be put right\nnpx vitest run --project node shared/domain          # one folder\nnpx vitest run --project workerd durable-objects     # the conversation object in workerd\nnpx vitest run --project node -t \"guide\"             # by name\nnpx vitest run --project stack tests/web             # the page in Chromium\n```\n\nThese work with Node 20 too: once the packages are there (any `npm run` above installs them), `npm run` and `npx` run\neverything on the checkout's own Node 24. So does `npx node`, which is how to run a TypeScript file by hand; your machine's\nown `node` may be too old for it."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Three projects",
  "text": "| Project | Where it runs | What it proves |\n|---|---|---|\n| `node` | Node | pure decisions, clients, adapters, the database process, the fences |\n| `workerd` | workerd, the real runtime | the edge and the conversation object, over a real database and a scripted vendor |\n| `stack` | `npm start`'s own processes | start, stop, SIGKILL and recovery; the terminal in a pseudo-terminal; the page in Chromium |\n\nTests stand beside the source they prove and are named as guarantees. `*.test.ts` runs in Node, `*.workerd.test.ts` in\nworkerd; what needs the whole stack is in `tests/`. A test in `stack` starts its own stack on a free port and a data folder\nof its own (`shared/testing/node/stack.ts`), and passes none of your keys on."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Peers and fakes",
  "text": "Tests call no vendor and need no key.\n\n- `@copilotkit/aimock`, written by others from the vendors' documentation, stands in for the vendors where it is right\n- `shared/testing/providers/fake-model-server.ts` is our own: shaped like Anthropic and OpenAI, it does what it is told,\n  such as pause, hang, or cut the connection after so many tokens\n- `oauth2-mock-server` stands in for an OIDC issuer\n\nWherever several adapters implement one port, they run one suite: every provider runs\n`shared/testing/providers/contract-suite.ts`, and the embedded Postgres and the real one run `shared/testing/postgres/suite`.\n\nTo play with the fake by hand, start it in one terminal and point a stack at it in another:\n\n```sh\nnpx node --input-type=module -e \"\n  import { startFakeModelServer } from './shared/testing/providers/fake-model-server.ts';\n  console.log((await startFakeModelServer({ port: 8790, delayMs: 30 })).url);\"\nANTHROPIC_BASE_URL=http://127.0.0.1:8790 ANTHROPIC_API_KEY=any npm start\n```"
 },
 {
  "doc": "docs/testing.md",
  "heading": "The fences",
  "text": "`.dependency-cruiser.cjs` holds which room may import which; `npm run lint` checks it. For each rule `tests/fences/fixtures`\nhas a small house, laid out like ours, that breaks exactly this rule. `tests/fences` asserts that every rule has such a house\nand catches it, so a rule that stopped working is noticed. A new rule needs a new fixture.\n\nBiome holds the sizes (300 lines a file, 600 for tests, 60 lines a function), the names and the format. knip finds what\nnobody uses."
 },
 {
  "doc": "docs/testing.md",
  "heading": "The guide's content",
  "text": "The built-in guide answers from README.md and `docs/`, decisions excepted. After a change there run\n\n```sh\nnpx node scripts/build-guide.ts\n```\n\nand commit the generated file; a check fails while it is older than the documents."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Database migrations, for developers",
  "text": "Change the drizzle schema in `shared/adapters/postgres/schema`, then `npx drizzle-kit generate`; what it cannot make (roles,\npolicies, functions) goes into a file from `npx drizzle-kit generate --custom`. Migrations are never edited once they have\nlanded. Tests fail when the schema has a change without a migration, and when a table with a tenant lacks its policies."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Faults",
  "text": "```sh\nnpm run simulate -- --seeds 10000     # the object and its clients in one process, under virtual time\nnpm run simulate -- --seed 42         # one schedule again, with its trace\nnpm run simulate:mutants              # known faults, each must be caught\nnpm run chaos -- --messages 2000 --kills 20   # the real stack, killed while five clients a conversation talk\nnpm run chaos:mutants\nnpm run fuzz:frames                   # hostile frames over real sockets\nnpm run reliability                   # all of the above in its long form; writes docs/reliability.md\n```\n\n`tests/simulator` runs the shipped object and the shipped client with a model of the platform's storage, alarms and hibernation\nand of Postgres; each step of a seeded scheduler may be a fault, and the same seed makes the same steps. It has a typecheck of\nits own. `tests/chaos` drives real processes: a seed repeats its plan, not the operating system's timing. Both end with a checker\nover what clients, object and database hold. Short forms of all of them are part of `npm test`.\n\nA mutant names the exact text that it breaks. Whoever changes that text gets a test that says so, and adapts the mutant."
 },
 {
  "doc": "docs/testing.md",
  "heading": "Measurements",
  "text": "Scripts under `bench/` measure and print; they are not part of `npm test`."
 }
];
