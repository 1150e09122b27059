// Keeps an open page true: it looks again when the server says that something changed.
//
// What comes in: the server's stream, or, where there is none, a clock. What goes out: the page's
// main part, fetched from the page's own address and merged in place, so that what somebody reads,
// types or plays stays. A page that is cut off says so, and since when; it never shows old values as
// new.

import htmx from "htmx.org";

const POLLS_EVERY_MS = 30_000;
const SILENT_AFTER_MS = 40_000;
const GATHERS_MS = 300;

export function follow(): void {
  const main = document.querySelector<HTMLElement>("main[data-live]");
  if (main) new Follower(main.dataset.live ?? "", main.dataset.liveInfant ?? "").start();
}

class Follower {
  private lastSign = Date.now();
  private isDue = false;
  private hasStream = false;

  constructor(
    private readonly address: string,
    private readonly infant: string,
  ) {}

  start(): void {
    this.listen();
    setInterval(() => this.tick(), POLLS_EVERY_MS);
    setInterval(() => this.tellAge(), 5_000);
    addEventListener("online", () => this.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    for (const over of ["focusout", "pause"]) {
      // A sound's events do not bubble.
      document.addEventListener(over, () => setTimeout(() => this.isDue && this.look(), GATHERS_MS), true);
    }
  }

  private listen(): void {
    const seen = document.getElementById("main")?.dataset.liveSeen ?? "";
    const stream = new EventSource(`${this.address}?${new URLSearchParams({ seen }).toString()}`);
    stream.addEventListener("open", () => {
      this.hasStream = true;
      this.sign();
    });
    stream.addEventListener("beat", () => this.sign());
    stream.addEventListener("changed", (event) => {
      this.sign();
      const { infants } = JSON.parse((event as MessageEvent<string>).data) as { infants: string[] };
      if (!this.infant || infants.includes(this.infant)) this.look();
    });
    stream.addEventListener("error", () => {
      this.hasStream = false;
      // A browser gives up on a stream that was refused; the clock goes on.
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), POLLS_EVERY_MS);
    });
  }

  private sign(): void {
    this.lastSign = Date.now();
    this.tellAge();
  }

  private tick(): void {
    if (!this.hasStream) this.look();
  }

  private async look(): Promise<void> {
    if (isBusy()) {
      this.isDue = true;
      return;
    }
    this.isDue = false;
    const part = document.getElementById("live");
    if (part) {
      part.dispatchEvent(new Event("renew")); // a page that renews a part of itself
      return;
    }
    try {
      await renew();
    } catch {
      this.tellAge(); // no network: the page says how old it is
    }
  }

  private tellAge(): void {
    const isSilent = Date.now() - this.lastSign > SILENT_AFTER_MS;
    document.documentElement.toggleAttribute("data-cut-off", isSilent);
  }
}

// Fetch this very page and merge its main part into the one that is open.
async function renew(): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected || answer.status === 403 || answer.status === 404) {
    location.reload(); // signed out, or no longer to be seen
    return;
  }
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const main = document.getElementById("main");
  if (!main) return;
  const text = await answer.text();
  await htmx.swap({ text, select: "#main", target: main, sourceElement: main, swap: "outerMorph" });
}

// Somebody types, plays or has a list open: nothing is moved from under their hands.
function isBusy(): boolean {
  const active = document.activeElement;
  const typing = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement || active instanceof HTMLSelectElement;
  const playing = [...document.querySelectorAll("audio")].some((one) => !one.paused && !one.ended);
  return typing || playing || document.querySelector("dialog[open]") !== null;
}
