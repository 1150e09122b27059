// Lets this device be told: asks the browser for leave and for an address, and sends the form.
//
// Guaranteed: nothing is asked before the button is pressed; where the browser cannot do it, the page
// goes on saying so.

const form = document.querySelector<HTMLFormElement>("form[data-push]");
if (form && "serviceWorker" in navigator && "PushManager" in window && isSecureContext) void offer(form);

async function offer(form: HTMLFormElement): Promise<void> {
  const button = form.querySelector("button");
  const state = form.querySelector<HTMLElement>("[data-push-state]");
  if (!button || !state) return;
  const worker = await navigator.serviceWorker.ready;
  const known = await worker.pushManager.getSubscription();
  if (known && (await isListed(known.endpoint))) {
    state.textContent = state.dataset.on ?? "";
    return;
  }
  state.textContent = Notification.permission === "denied" ? (state.dataset.denied ?? "") : "";
  button.hidden = Notification.permission === "denied";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    subscribe(form, worker.pushManager).catch(() => {
      button.disabled = false;
      state.textContent = (Notification.permission === "denied" ? state.dataset.denied : state.dataset.failed) ?? "";
    });
  });
}

async function subscribe(form: HTMLFormElement, pushManager: PushManager): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
  const subscription = await subscribed(pushManager, form.dataset.push ?? "");
  const said = subscription.toJSON();
  fill(form, "endpoint", subscription.endpoint);
  fill(form, "p256dh", said.keys?.p256dh ?? "");
  fill(form, "auth", said.keys?.auth ?? "");
  form.submit();
}

// A browser keeps one address for these pages, signed for one key: another installation's goes.
async function subscribed(pushManager: PushManager, key: string): Promise<PushSubscription> {
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await pushManager.subscribe(wanted);
  } catch (error) {
    const former = await pushManager.getSubscription();
    if (!former) throw error;
    await former.unsubscribe();
    return pushManager.subscribe(wanted);
  }
}

function fill(form: HTMLFormElement, name: string, value: string): void {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}

// Finds this device among those that are told, by what was made of its address.
async function isListed(endpoint: string): Promise<boolean> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  const fingerprint = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const row = document.querySelector<HTMLElement>(`[data-fingerprint="${fingerprint}"]`);
  const mark = row?.querySelector<HTMLElement>("[data-this-device]");
  if (mark) mark.hidden = false;
  return row !== null;
}
