// The clinician's timeline: charts that zoom over one infant's life, by pointer, touch and keyboard.
//
// What comes in: the document in the page and, as the view moves, what the server answers for it.
// What goes out: charts in place of the drawn one, a panel, and an address that restores the view.
// Guaranteed: only the newest answer is drawn; every point can be reached and is spoken without a
// pointer; nothing moves by itself.

import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomInsideComponent,
  DataZoomSliderComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { type Drawn, draw } from "./parts/timeline/chart";
import { readColours, whenThemeChanges } from "./parts/timeline/colours";
import { Panel, fetchPart, followComparison, followTables } from "./parts/timeline/pieces";
import { Clock, type Scale, numberScale, spanWords, timeScale } from "./parts/timeline/scale";
import { Sentences } from "./parts/timeline/sentences";
import { type By, type Doc, type Given, type View, oneOf, say } from "./parts/timeline/types";

use([BarChart, CustomChart, LineChart, ScatterChart, AriaComponent, DataZoomInsideComponent, DataZoomSliderComponent, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

const SETTLES_MS = 180;
const SHORTEST_MS = 600_000;
const NEAR_PX = 24;
const NARROW_PX = 560;

class Timeline {
  private readonly clock: Clock;
  private readonly chart: EChartsType;
  private readonly panel: Panel;
  private readonly sentences: Sentences;
  private doc: Doc;
  private view: View;
  private scale: Scale;
  private drawn!: Drawn;
  private focus = -1;
  private asked = 0;
  private timer = 0;
  private isDrawing = false;
  private readonly refreshTables: () => void;

  constructor(
    private readonly root: HTMLElement,
    private readonly stage: HTMLElement,
    private readonly given: Given,
  ) {
    this.clock = new Clock(given.life.offsets);
    this.sentences = new Sentences(document.documentElement.lang || "en", root.dataset.zone ?? "UTC", given);
    this.doc = given.document;
    this.view = { from: this.doc.from, to: this.doc.to, by: this.doc.by, channels: this.doc.channels, scorers: this.doc.scorers };
    this.scale = this.scaleOf();
    this.stage.hidden = false;
    this.chart = init(this.stage, undefined, { renderer: "canvas" });
    this.panel = new Panel(
      document.querySelector<HTMLElement>("[data-panel]") as HTMLElement,
      root.dataset.recording ?? "",
      this.problem,
      (at) => (at ? this.lookAt(at) : this.read()),
      () => {
        this.stage.focus();
        this.remember();
      },
    );
    this.refreshTables = followTables(() => this.query().toString(), this.problem, (id) => void this.open(id));
    followComparison((end) => new Date(this.clock.wall(end === "from" ? this.view.from : this.view.to - 1)).toISOString().slice(0, 10), this.problem);
    this.redraw();
    this.listen();
    const shown = new URLSearchParams(location.search).get("recording");
    if (shown && /^[0-9a-f-]{36}$/.test(shown)) void this.open(shown);
    if (this.isOfAnotherWidth()) this.read();
  }

  // --- drawing -----------------------------------------------------------------------------------

  private scaleOf(): Scale {
    return this.view.by === "number" ? numberScale(this.given.life, this.doc) : timeScale(this.clock, this.given.life);
  }

  private redraw(): void {
    this.scale = this.scaleOf();
    const left = this.stage.clientWidth < NARROW_PX ? 66 : 84;
    this.drawn = draw({ given: this.given, doc: this.doc, scale: this.scale, colours: readColours(), left, sentences: this.sentences, view: this.view, focus: this.focus });
    this.isDrawing = true;
    this.stage.style.height = `${this.drawn.height}px`;
    this.chart.resize();
    this.chart.setOption(this.drawn.option, { notMerge: true, lazyUpdate: false });
    this.isDrawing = false;
    this.tell();
  }

  /** Say in words what is shown. */
  private tell(): void {
    const stretch = this.root.querySelector("[data-stretch]");
    if (stretch) stretch.textContent = this.sentences.stretch(this.view.from, this.view.to);
    const said = this.root.querySelector("[data-form]");
    if (said) said.textContent = `· ${oneOf(this.given.words, "forms", this.doc.form)}`;
  }

  private readonly problem = (isOne: boolean): void => {
    const element = this.root.querySelector<HTMLElement>("[data-problem]");
    if (!element) return;
    element.hidden = !isOne;
    element.textContent = isOne ? say(this.given.words, "failed") : "";
  };

  private speak(text: string): void {
    const live = this.root.querySelector("[data-live]");
    if (live) live.textContent = text;
  }

  // --- reading -----------------------------------------------------------------------------------

  /** Whether the page's own reading is coarser or finer than this screen has room for. */
  private isOfAnotherWidth(): boolean {
    const [narrowest, widest] = this.doc.widths;
    return this.stage.clientWidth < narrowest || this.stage.clientWidth > widest;
  }

  private query(): URLSearchParams {
    const { from, to, by, channels, scorers } = this.view;
    return new URLSearchParams({
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      width: String(Math.round(this.stage.clientWidth)),
      by,
      channels: channels.join(","),
      scorers: scorers.join(","),
    });
  }

  private settle(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.read(), SETTLES_MS);
  }

  private async read(): Promise<void> {
    clearTimeout(this.timer);
    const own = ++this.asked;
    this.remember();
    this.stage.setAttribute("aria-busy", "true");
    try {
      const answer = await fetchPart(`${this.root.dataset.url}?${this.query()}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const doc = (await answer.json()) as Doc;
      if (own !== this.asked) return;
      const at = this.drawn.items[this.focus]?.at; // it may have moved meanwhile
      this.doc = doc;
      this.focus = -1;
      this.redraw();
      if (at != null) this.focusOn(this.nearest(at), false);
      this.refreshTables();
      this.problem(false);
    } catch {
      if (own === this.asked) this.problem(true);
    } finally {
      if (own === this.asked) this.stage.removeAttribute("aria-busy");
    }
  }

  /** Keep the address such that opening it shows this again. */
  private remember(): void {
    const { from, to, by, channels, scorers } = this.view;
    const asked = new URLSearchParams();
    asked.set("at", new Date((from + to) / 2).toISOString().slice(0, 16) + "Z");
    asked.set("span", spanWords(to - from));
    if (by === "number") asked.set("by", by);
    if (scorers.length) asked.set("scorers", scorers.join(","));
    asked.set("channels", channels.join(","));
    if (this.panel.shown) asked.set("recording", this.panel.shown);
    const text = asked.toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
    history.replaceState(history.state, "", `${location.pathname}?${text}${location.hash}`);
  }

  // --- moving ------------------------------------------------------------------------------------

  private show(from: number, to: number): void {
    const { life } = this.given;
    const whole = life.to - life.from;
    const length = Math.min(Math.max(to - from, SHORTEST_MS), whole);
    const start = Math.min(Math.max((from + to - length) / 2, life.from), life.to - length);
    this.view.from = Math.round(start);
    this.view.to = Math.round(start + length);
    this.isDrawing = true;
    this.chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, startValue: this.scale.x(this.view.from), endValue: this.scale.x(this.view.to) });
    this.chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 1, startValue: this.scale.x(this.view.from), endValue: this.scale.x(this.view.to) });
    this.isDrawing = false;
    this.tell();
    this.settle();
  }

  private zoom(factor: number): void {
    const { from, to } = this.view;
    const centre = this.drawn.items[this.focus]?.at ?? (from + to) / 2;
    const share = Math.min(Math.max((centre - from) / (to - from), 0), 1);
    const length = (to - from) * factor;
    this.show(centre - share * length, centre + (1 - share) * length);
  }

  private pan(share: number): void {
    const length = this.view.to - this.view.from;
    this.show(this.view.from + share * length, this.view.to + share * length);
  }

  private lookAt(at: string): void {
    const centre = Date.parse(at);
    const half = (this.view.to - this.view.from) / 2;
    if (Number.isFinite(centre)) this.show(centre - half, centre + half);
  }

  /** The pointer or the strip has moved the view. */
  private zoomed(): void {
    if (this.isDrawing) return;
    const options = this.chart.getOption() as { dataZoom?: { startValue?: number; endValue?: number }[] };
    const { startValue, endValue } = options.dataZoom?.[0] ?? {};
    if (startValue == null || endValue == null) return;
    this.view.from = Math.round(this.scale.ms(startValue));
    this.view.to = Math.max(Math.round(this.scale.ms(endValue)), this.view.from + SHORTEST_MS);
    this.tell();
    this.settle();
  }

  // --- the focused point -------------------------------------------------------------------------

  private nearest(at: number): number {
    let found = -1;
    let least = Infinity;
    this.drawn.items.forEach((item, index) => {
      const away = Math.abs((item.at + item.end) / 2 - at);
      if (away < least) [found, least] = [index, away];
    });
    return found;
  }

  private inView(): number[] {
    const { from, to } = this.view;
    return this.drawn.items.map((_, at) => at).filter((at) => {
      const item = this.drawn.items[at];
      return item != null && item.end >= from && item.at < to;
    });
  }

  private step(by: number): void {
    const seen = this.inView();
    if (this.focus < 0) {
      const start = by > 0 ? seen[0] : seen[seen.length - 1];
      if (start != null) this.focusOn(start);
      return;
    }
    const next = this.focus + by;
    if (next < 0 || next >= this.drawn.items.length) this.pan(by * 0.5);
    else this.focusOn(next);
  }

  private focusOn(index: number, isSpoken = true): void {
    const item = this.drawn.items[index];
    if (!item) return;
    this.focus = index;
    this.redraw();
    if (isSpoken) this.speak(this.sentences.point(this.doc, item));
    if (item.at < this.view.from || item.at > this.view.to) this.pan(item.at < this.view.from ? -0.5 : 0.5);
  }

  private enter(): void {
    const item = this.drawn.items[this.focus];
    if (!item) return;
    if (item.id) void this.open(item.id);
    else this.show(item.at - (item.end - item.at), item.end + (item.end - item.at));
  }

  private async open(id: string): Promise<void> {
    await this.panel.open(id);
    this.chart.resize();
    this.remember();
  }

  // --- listening ---------------------------------------------------------------------------------

  private listen(): void {
    this.stage.addEventListener("keydown", (event) => this.pressed(event));
    this.chart.on("datazoom", () => this.zoomed());
    this.chart.getZr().on("click", (event) => this.clicked(event.offsetX, event.offsetY));
    whenThemeChanges(() => this.redraw());
    let width = this.stage.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(this.stage.clientWidth - width) < 2) return;
      width = this.stage.clientWidth;
      this.redraw();
      this.settle();
    }).observe(this.stage.parentElement ?? this.stage);
    this.listenToTools();
  }

  private listenToTools(): void {
    const moves = this.root.querySelector<HTMLElement>("[data-moves]");
    if (moves) moves.hidden = false;
    const acts: Record<string, () => void> = {
      back: () => this.pan(-0.5),
      forth: () => this.pan(0.5),
      in: () => this.zoom(0.5),
      out: () => this.zoom(2),
      now: () => this.show(this.given.life.to - (this.view.to - this.view.from), this.given.life.to),
    };
    moves?.addEventListener("click", (event) => {
      acts[(event.target as HTMLElement).closest<HTMLElement>("[data-do]")?.dataset.do ?? ""]?.();
    });
    const tools = document.querySelector<HTMLFormElement>("form[data-tools]");
    tools?.addEventListener("change", (event) => this.chosen(tools, event.target as HTMLInputElement));
    tools?.querySelector("[data-without-script]")?.setAttribute("hidden", "");
    tools?.addEventListener("submit", (event) => event.preventDefault());
  }

  private chosen(tools: HTMLFormElement, field: HTMLInputElement): void {
    const all = (name: string) => new FormData(tools).getAll(name).map(String).filter(Boolean);
    if (field.name === "span") {
      const days = Number.parseInt(field.value, 10);
      const centre = this.view.to >= this.given.life.to ? null : (this.view.from + this.view.to) / 2;
      const half = days * 43_200_000;
      if (centre == null) this.show(this.given.life.to - 2 * half, this.given.life.to);
      else this.show(centre - half, centre + half);
      return;
    }
    this.view.by = (all("by")[0] ?? "time") as By;
    this.view.channels = all("channels");
    this.view.scorers = all("scorers");
    void this.read();
  }

  private clicked(x: number, y: number): void {
    if (y > this.drawn.height - 80) return;
    let found = -1;
    let least = NEAR_PX;
    this.drawn.items.forEach((item, index) => {
      const place = this.chart.convertToPixel({ gridIndex: 0 }, [item.x, Math.min(Math.max(item.p ?? 1, 0.001), 1)]);
      const away = y < 250 ? Math.hypot((place[0] ?? 0) - x, ((place[1] ?? 0) - y) / 2) : Math.abs((place[0] ?? 0) - x);
      if (away < least) [found, least] = [index, away];
    });
    if (found < 0) return;
    this.focusOn(found);
    const item = this.drawn.items[found];
    if (item?.id) void this.open(item.id);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = this.inView();
    const acts: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? this.pan(-0.5) : this.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.pan(0.5) : this.step(1)),
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      "−": () => this.zoom(2),
      Home: () => this.focusOn(seen[0] ?? -1),
      End: () => this.focusOn(seen[seen.length - 1] ?? -1),
      Enter: () => this.enter(),
      Escape: () => this.panel.close(),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

function start(): void {
  const root = document.querySelector<HTMLElement>("[data-timeline]");
  const stage = root?.querySelector<HTMLElement>("[data-stage]");
  const document_ = document.getElementById("timeline-document");
  if (root && stage && document_?.textContent) new Timeline(root, stage, JSON.parse(document_.textContent) as Given);
}

start();
