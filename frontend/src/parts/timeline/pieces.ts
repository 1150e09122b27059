// Parts of the page that come from the server as they are: the panel, the tables, the comparison.
//
// Guaranteed: what is asked for later wins over what was asked for before; where the network or the
// session is gone, the page says so and keeps what it shows.

import { listenWithin } from "../listening";

export type Problem = (isOne: boolean) => void;

export async function fetchPart(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = { "X-Requested-With": "fetch", ...(init.headers ?? {}) };
  const answer = await fetch(url, { credentials: "same-origin", ...init, headers });
  if (answer.redirected && new URL(answer.url).pathname.includes("sign-in")) {
    location.reload();
    throw new Error("signed out");
  }
  return answer;
}

/** Keeps one place up to date: only the newest answer is put there. */
export class Place {
  private newest = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly problem: Problem,
  ) {}

  async show(url: string, init: RequestInit = {}): Promise<boolean> {
    const own = ++this.newest;
    try {
      const answer = await fetchPart(url, init);
      if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
      const text = await answer.text();
      if (own !== this.newest) return false;
      this.element.innerHTML = text;
      this.problem(false);
      return answer.ok;
    } catch {
      if (own === this.newest) this.problem(true);
      return false;
    }
  }
}

export function followTables(view: () => string, problem: Problem, open: (id: string) => void): () => void {
  const all = [...document.querySelectorAll<HTMLDetailsElement>("details[data-behind]")];
  const parts = all.map((details) => {
    const element = details.querySelector<HTMLElement>("[data-table]");
    const place = element && new Place(element, problem);
    const read = () => void place?.show(`${location.pathname}tables/${details.dataset.behind}/?${view()}`);
    details.addEventListener("toggle", () => {
      if (details.open && details.hasAttribute("data-stale")) {
        details.removeAttribute("data-stale");
        read();
      }
    });
    element?.addEventListener("click", (event) => {
      const link = (event.target as Element).closest<HTMLAnchorElement>("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (link.hasAttribute("data-page")) {
        event.preventDefault();
        void place?.show(link.href);
      } else if (link.dataset.open) {
        event.preventDefault();
        open(link.dataset.open);
      }
    });
    return { details, read };
  });
  return () => {
    for (const { details, read } of parts) {
      if (details.open) read();
      else details.setAttribute("data-stale", "");
    }
  };
}

export function followComparison(day: (end: "from" | "to") => string, problem: Problem): void {
  const form = document.querySelector<HTMLFormElement>("form[data-compare]");
  const element = document.querySelector<HTMLElement>("[data-comparison]");
  if (!form || !element) return;
  const place = new Place(element, problem);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    void place.show(`${form.action}?${asked}`);
  });
  form.querySelectorAll<HTMLButtonElement>("button[data-take]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const end of ["from", "to"] as const) {
        const field = form.querySelector<HTMLInputElement>(`[name="${button.dataset.take}_${end}"]`);
        if (field) field.value = day(end);
      }
    });
  });
}

/** The panel of one recording beside the chart. */
export class Panel {
  shown: string | null = null;
  private readonly place: Place;

  constructor(
    private readonly element: HTMLElement,
    private readonly link: string,
    private readonly problem: Problem,
    private readonly changed: (at: string | null) => void,
    private readonly left: () => void,
  ) {
    this.place = new Place(element, problem);
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    element.addEventListener("click", (event) => this.clicked(event));
    element.addEventListener("submit", (event) => void this.submitted(event));
    element.addEventListener("toggle", (event) => this.toggled(event), true);
  }

  async open(id: string): Promise<void> {
    this.element.hidden = false;
    this.shown = id;
    if (!(await this.place.show(this.link.replace("00000000-0000-0000-0000-000000000000", id)))) return;
    const close = this.element.querySelector<HTMLButtonElement>("[data-close]");
    if (close) close.hidden = false;
    listenWithin(this.element);
    this.element.querySelector<HTMLElement>("#panel-title")?.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  close(): void {
    if (this.shown === null) return;
    this.element.hidden = true;
    this.element.replaceChildren();
    this.shown = null;
    this.left();
  }

  private clicked(event: Event): void {
    const target = event.target as Element;
    if (target.closest("[data-close]")) this.close();
    const link = target.closest<HTMLAnchorElement>("a[data-open]");
    if (!link?.dataset.open) return;
    event.preventDefault();
    this.changed(link.dataset.at ?? null);
    void this.open(link.dataset.open);
  }

  private toggled(event: Event): void {
    const details = event.target as HTMLDetailsElement;
    const url = details.dataset.similar;
    const here = details.querySelector<HTMLElement>("[data-similar-here]");
    if (!details.open || !url || !here || details.hasAttribute("data-read")) return;
    details.setAttribute("data-read", "");
    void new Place(here, this.problem).show(url);
  }

  private async submitted(event: Event): Promise<void> {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-note-form]")) return;
    event.preventDefault();
    const around = document.createElement("div");
    form.replaceWith(around);
    around.append(form);
    const isWritten = await new Place(around, this.problem).show(form.action, { method: "POST", body: new FormData(form) });
    if (isWritten) this.changed(null);
  }
}
