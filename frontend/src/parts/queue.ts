// The diary without a network: what somebody taps is kept on this device and sent later, once.
//
// What comes in: taps on the diary's quick buttons, here or on the offline page. What goes out: each
// entry, through the API, under the key that the form was given, so that one sent twice is written
// once. Guaranteed: an entry leaves this device when the server has it, or has said that it never
// will; it goes only from the account that wrote it; the time is that of the tap.

const NAME = "iclas-diary";
const STORE = "entries";
const ADDRESS = "/api/v1/diary-entries/";
const TRIES_EVERY_MS = 30_000;
const WRITTEN_OR_NEVER = [200, 201, 404, 422];

interface Entry {
  key: string;
  user: string;
  infant: string;
  kind: string;
  starts_at: string;
}

export function keepDiary(): void {
  document.addEventListener("htmx:before:request", (event) => {
    if (navigator.onLine) return;
    const form = quickForm(event);
    if (!form) return;
    event.preventDefault();
    void keep(form);
  });
  document.addEventListener("htmx:error", (event) => {
    const form = quickForm(event);
    if (form) void keep(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("form[data-offline-form]")) return;
    event.preventDefault();
    void keep(form);
  });
  addEventListener("online", () => void send());
  setInterval(() => void send(), TRIES_EVERY_MS);
  void send();
}

// The form of a quick button that an event of htmx is about.
function quickForm(event: Event): HTMLFormElement | null {
  const source = (event as CustomEvent).detail?.ctx?.sourceElement as Element | undefined;
  return source instanceof HTMLFormElement && source.matches("form[data-diary-now]") ? source : null;
}

async function keep(form: HTMLFormElement): Promise<void> {
  const field = (name: string) => form.querySelector<HTMLInputElement>(`[name=${name}]`)?.value ?? "";
  const entry: Entry = {
    key: field("key") || crypto.randomUUID(),
    user: user(),
    infant: form.dataset.diaryNow ?? field("infant"),
    kind: field("kind"),
    starts_at: new Date().toISOString(),
  };
  await within("readwrite", (entries) => entries.put(entry));
  // The next tap is another entry.
  const key = form.querySelector<HTMLInputElement>("[name=key]");
  if (key) key.value = crypto.randomUUID();
  await tell();
}

async function send(): Promise<void> {
  const mine = await waiting();
  for (const entry of navigator.onLine && user() ? mine : []) {
    const { key, infant, kind, starts_at } = entry;
    const answer = await fetch(ADDRESS, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "X-CSRFToken": token(),
      },
      body: JSON.stringify({ infant, kind, starts_at }),
    }).catch(() => null);
    if (answer === null || !WRITTEN_OR_NEVER.includes(answer.status)) break;
    await within("readwrite", (entries) => entries.delete(key));
  }
  await tell();
}

async function waiting(): Promise<Entry[]> {
  const all = await within<Entry[]>("readonly", (entries) => entries.getAll());
  const mine = user() || lastUser();
  return all.filter((one) => one.user === mine).sort((a, b) => a.starts_at.localeCompare(b.starts_at));
}

async function tell(): Promise<void> {
  const notice = document.querySelector<HTMLElement>("[data-queue]");
  if (!notice) return;
  const count = (await waiting()).length;
  notice.hidden = count === 0;
  notice.textContent = (notice.dataset.queue ?? "").replace("%d", String(count));
}

// Who is signed in; the offline page, which knows nobody, takes whoever was last.
function user(): string {
  const here = document.body.dataset.user ?? "";
  if (here) localStorage.setItem("iclas.user", here);
  return here || (document.querySelector("[data-offline-diary]") ? lastUser() : "");
}

function lastUser(): string {
  return localStorage.getItem("iclas.user") ?? "";
}

function token(): string {
  const form = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return form?.value ?? "";
}

async function within<T = unknown>(
  mode: IDBTransactionMode,
  ask: (entries: IDBObjectStore) => IDBRequest<T> | IDBRequest,
): Promise<T> {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "key" });
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    const doing = database.transaction(STORE, mode, { durability: "strict" });
    const request = ask(doing.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      doing.oncomplete = () => resolve();
      doing.onabort = () => reject(doing.error);
    });
    return request.result as T;
  } finally {
    database.close();
  }
}

// --- the page for when there is no network -------------------------------------------------------

const KNOWN = "iclas.infants";

/** Remember whose diary this device writes, so that the offline page can offer it. */
export function rememberInfant(): void {
  const here = document.querySelector<HTMLElement>("[data-remember-infant]");
  if (!here) return;
  const known = infants();
  known[here.dataset.rememberInfant ?? ""] = here.dataset.rememberName ?? "";
  localStorage.setItem(KNOWN, JSON.stringify(known));
}

/** Forget everybody where nobody is signed in any more: the device may be somebody else's next. */
export function forgetInfants(): void {
  const isSignedOut = !document.body.dataset.user && !document.querySelector("[data-offline-diary]");
  if (isSignedOut && navigator.onLine) localStorage.removeItem(KNOWN);
}

/** Draw the quick buttons of the offline page, one row for each infant that is remembered. */
export function offerOfflineDiary(): void {
  const room = document.querySelector<HTMLElement>("[data-offline-diary]");
  const template = room?.querySelector<HTMLTemplateElement>("template");
  if (!room || !template) return;
  for (const [infant, name] of Object.entries(infants())) {
    const row = template.content.cloneNode(true) as DocumentFragment;
    const heading = row.querySelector("h3");
    if (heading) heading.textContent = name;
    row.querySelectorAll<HTMLFormElement>("form").forEach((form) => {
      form.dataset.diaryNow = infant;
    });
    room.append(row);
    room.hidden = false;
  }
}

function infants(): Record<string, string> {
  return JSON.parse(localStorage.getItem(KNOWN) ?? "{}") as Record<string, string>;
}
