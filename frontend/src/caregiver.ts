// The caregiver's pages: sounds play in their place, the home renews itself without losing one's
// place, and what is shown says so where it grows old. Without this script all of it works as plain
// pages and forms.

import { anythingPlays, enhancePlayers, playOneAtATime } from "./parts/player";

const OLD_AFTER_RENEWALS = 3;
const LOOK_EVERY_MS = 5000;

let renewedAt = Date.now();
let open: string[] = [];

function live(): HTMLElement | null {
  return document.getElementById("live");
}

function isBusy(): boolean {
  const active = document.activeElement;
  const isTyping = active?.matches("input:not([type=hidden]), textarea, select") ?? false;
  return anythingPlays() || (isTyping && (live()?.contains(active) ?? false));
}

// --- renewing ------------------------------------------------------------------------------------

// htmx asks by itself; while something plays or is typed it shall wait for the next time.
document.addEventListener("htmx:before:request", (event) => {
  const source = (event as CustomEvent).detail?.ctx?.sourceElement as Element | undefined;
  if (source?.id === "live" && isBusy()) event.preventDefault();
});

document.addEventListener("htmx:before:swap", () => {
  open = [...document.querySelectorAll<HTMLDetailsElement>("details[data-keep][open]")].map(
    (one) => one.dataset.keep ?? "",
  );
});

document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll<HTMLDetailsElement>("details[data-keep]").forEach((one) => {
    one.open = open.includes(one.dataset.keep ?? "");
  });
  renewedAt = Date.now();
  prepare();
  tellAge();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) live()?.dispatchEvent(new Event("renew"));
});

function tellAge(): void {
  const here = live();
  const every = Number(here?.dataset.renewed ?? 0);
  if (here === null || every === 0) return;
  const isOld = Date.now() - renewedAt > OLD_AFTER_RENEWALS * every * 1000;
  here.querySelectorAll<HTMLElement>("[data-too-old]").forEach((one) => {
    if (one.hidden === isOld) one.hidden = !isOld;
  });
  here.classList.toggle("not-renewed", isOld);
}

// --- what could not be sent ----------------------------------------------------------------------

function tellFailure(): void {
  const done = document.getElementById("done");
  if (done === null) return;
  const said = document.createElement("p");
  said.className = "done error";
  said.textContent = done.dataset.failed ?? "";
  done.replaceChildren(said);
}

for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    const source = (event as CustomEvent).detail?.ctx?.sourceElement as Element | undefined;
    if (source instanceof HTMLFormElement) tellFailure();
  });
}

// --- the diary's form ----------------------------------------------------------------------------

function showWhatIsAskedFor(form: HTMLFormElement): void {
  const kind = form.querySelector<HTMLSelectElement>("select[name=kind]");
  const field = form.querySelector<HTMLElement>(".field-temperature_c");
  const value = field?.querySelector<HTMLInputElement>("input");
  if (kind === null || field === null || value === undefined || value === null) return;
  const show = () => {
    field.hidden = kind.value !== "temperature" && value.value === "";
  };
  kind.addEventListener("change", show);
  show();
}

function prepare(): void {
  enhancePlayers(document);
  document.querySelectorAll<HTMLFormElement>("form[data-diary-form]").forEach(showWhatIsAskedFor);
}

playOneAtATime();
prepare();
setInterval(tellAge, LOOK_EVERY_MS);
