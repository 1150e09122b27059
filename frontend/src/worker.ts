// The service worker: scripts and styles from this device, pages from the network or not at all; and
// what is pushed to this device while no page is open.
//
// Guaranteed: no page that judges is ever kept, so that none can be shown as new; without a network
// there is one page that says so.

// The types know of one kind of worker at a time.
const worker = globalThis as unknown as ServiceWorkerGlobalScope;

const KEPT = "iclas-1";
const OFFLINE = "/offline/";
const LOOKS = ["iclas.css", "caregiver.css", "built/page.js", "favicon.svg"].map((name) => `/static/dashboard/${name}`);

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll([new Request(OFFLINE, { cache: "reload" }), ...LOOKS]))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => offline()));
  else if (url.pathname.startsWith("/static/")) event.respondWith(newest(event));
});

async function offline(): Promise<Response> {
  return (await caches.match(OFFLINE)) ?? Response.error();
}

// What the network has, kept for when it has nothing.
async function newest(event: FetchEvent): Promise<Response> {
  try {
    const answer = await fetch(event.request);
    if (answer.ok) {
      const copy = answer.clone();
      event.waitUntil(caches.open(KEPT).then((cache) => cache.put(event.request, copy)));
    }
    return answer;
  } catch {
    return (await caches.match(event.request)) ?? Response.error();
  }
}

// What the server encrypts for this device alone (notify/channels/push.py).
interface Told {
  id: string;
  title: string;
  body: string;
  path: string;
  tag: string;
  lang: string;
  silent: boolean;
  urgent: boolean;
}

worker.addEventListener("push", (event) => {
  const told = event.data?.json() as Told | undefined;
  if (told) event.waitUntil(show(told));
});

// The newest word on an alert takes the place of what was said before.
async function show(told: Told): Promise<void> {
  const how: NotificationOptions & { renotify: boolean } = {
    body: told.body,
    tag: told.tag,
    renotify: !told.silent,
    lang: told.lang,
    dir: "auto",
    silent: told.silent,
    requireInteraction: told.urgent,
    icon: "/static/dashboard/icon-192.png",
    data: { path: told.path },
  };
  await worker.registration.showNotification(told.title, how);
}

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path } = event.notification.data as { path: string };
  event.waitUntil(open(new URL(path, worker.location.origin).href));
});

async function open(address: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const shown = windows.find((one) => one.url === address);
  await (shown ? shown.focus() : worker.clients.openWindow(address));
}
