// What is said of a point, where it is pointed at or reached by the keyboard, and what stands along
// an axis.
//
// What comes in: the page's language, the infant's time zone and the words that came with the page.
// What goes out: text. Guaranteed: moments are those of the infant's own clock. Nothing is said
// before it is asked for, and what writes dates and numbers is made once: a browser takes longer to
// make one than to draw a point.

import { type Doc, type Given, type Item, LEAST_P, type Maybe, oneOf, say } from "./types";

const DAY_MS = 86_400_000;
const DAYS_WITH_A_YEAR = 300;

export class Sentences {
  private readonly moment: Intl.DateTimeFormat;
  private readonly date: Intl.DateTimeFormat;
  private readonly wallDay: Intl.DateTimeFormat;
  private readonly wallYear: Intl.DateTimeFormat;
  private readonly wallTime: Intl.DateTimeFormat;
  private readonly whole: Intl.NumberFormat;
  private readonly exact: Intl.NumberFormat;
  private readonly places = new Map<number, Intl.NumberFormat>();

  constructor(
    private readonly language: string,
    zone: string,
    private readonly given: Given,
  ) {
    const day = { day: "numeric", month: "short" } as const;
    const time = { hour: "2-digit", minute: "2-digit" } as const;
    this.moment = new Intl.DateTimeFormat(language, { weekday: "short", ...day, ...time, timeZone: zone });
    this.date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: zone });
    this.wallDay = new Intl.DateTimeFormat(language, { ...day, timeZone: "UTC" });
    this.wallYear = new Intl.DateTimeFormat(language, { ...day, year: "numeric", timeZone: "UTC" });
    this.wallTime = new Intl.DateTimeFormat(language, { ...time, timeZone: "UTC" });
    this.whole = new Intl.NumberFormat(language);
    this.exact = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  }

  /** From which day to which. */
  stretch(from: number, to: number): string {
    const [first, last] = [this.date.format(new Date(from)), this.date.format(new Date(to - 1))];
    return first === last ? first : `${first} – ${last}`;
  }

  /** A recording, or a sum of several. */
  point(doc: Doc, item: Item): string {
    const { words } = this.given;
    const time = this.moment.format(new Date(item.at));
    if (doc.singles) {
      const gate = oneOf(words, "gates", doc.singles.gate[item.index] ?? "");
      const number = doc.singles.n[item.index];
      if (item.p == null || number == null) return say(words, "unscored", { time, gate });
      return say(words, "recording", { number, time, p: this.p(item.p), gate });
    }
    const n = doc.buckets?.n[item.index] ?? 0;
    if (item.p == null) return say(words, "empty", { time, n });
    const least = this.p(doc.buckets?.min[item.index] ?? null);
    return say(words, "bucket", { time, n, p: this.p(item.p), least, accepted: doc.buckets?.accepted[item.index] ?? 0 });
  }

  /** The value of an acoustic channel, in its own unit. */
  channel(name: string, item: Item, value: number): string {
    const facts = this.given.channels[name];
    const shown = this.withPlaces(facts?.places ?? 1).format(value);
    return `${this.moment.format(new Date(item.at))}: ${facts?.label ?? name} ${shown} ${facts?.unit ?? ""}`;
  }

  /** The monitor's evidence on a day, beside what it takes. */
  evidence(wall: number, value: number | undefined, threshold: number): string {
    return `${this.wallDay.format(new Date(wall))}: ${value} (${threshold})`;
  }

  /** What stands at a place along time: the day at midnight, otherwise the time of day. */
  tick(wall: number, doc: Doc): string {
    const date = new Date(wall);
    if (date.getUTCHours() !== 0 || date.getUTCMinutes() !== 0) return this.wallTime.format(date);
    const isNewYear = (doc.to - doc.from) / DAY_MS > DAYS_WITH_A_YEAR && date.getUTCMonth() === 0;
    return (isNewYear ? this.wallYear : this.wallDay).format(date);
  }

  /** What stands at a place along the numbers of recordings. */
  number(value: number): string {
    return Number.isInteger(value) ? this.whole.format(value) : "";
  }

  private p(p: Maybe): string {
    if (p == null) return "–";
    return p < LEAST_P ? say(this.given.words, "below") : this.exact.format(p);
  }

  private withPlaces(places: number): Intl.NumberFormat {
    const known = this.places.get(places);
    if (known) return known;
    const made = new Intl.NumberFormat(this.language, { maximumFractionDigits: places });
    this.places.set(places, made);
    return made;
  }
}
