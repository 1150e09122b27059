// What the server answers about a stretch: columns of plain numbers, times in milliseconds.

export type Maybe = number | null;

export interface Singles {
  id: string[];
  t: number[];
  n: Maybe[];
  p: Maybe[];
  gate: string[];
  review: (boolean | null)[];
  reason: number[];
  reasons: string[];
  room: Maybe[];
  scorers: Record<string, Maybe[]>;
  channels: Record<string, Maybe[]>;
}

export interface Buckets {
  t: number[];
  end: number[];
  first: number[];
  n: number[];
  accepted: number[];
  notCries: number[];
  reviewed: number[];
  min: Maybe[];
  median: Maybe[];
  sessionMin: Maybe[];
  session: Maybe[];
  scorers: Record<string, Maybe[]>;
  channels: Record<string, [Maybe[], Maybe[], Maybe[]]>;
}

export interface Episode {
  look: string;
  label: string;
  began: number;
  earliest: Maybe;
  latest: Maybe;
  opened: number;
  closed: Maybe;
  end: number;
  words: string;
}

export interface Doc {
  form: "single" | "hour" | "day" | "week";
  widths: [number, number];
  from: number;
  to: number;
  by: By;
  first: number;
  channels: string[];
  scorers: string[];
  singles: Singles | null;
  sessions: { t: number[]; p: number[]; n: number[] } | null;
  buckets: Buckets | null;
  usual: { version: Maybe; n: number; ranges: Record<string, [number, number]> };
  threshold: number;
  watched: { t: number[]; highest: number[]; moved: string[] };
  episodes: Episode[];
  notes: { t: number; end: number; kind: string; label: string }[];
  versions: { t: number; label: string }[];
  monitors: { t: number; label: string }[];
  gaps: [number, number, string][];
}

export interface Life {
  from: number;
  to: number;
  days: number[];
  n: number[];
  accepted: number[];
  min: Maybe[];
  median: Maybe[];
  offsets: [number, number][];
}

export interface Words {
  [name: string]: string | Record<string, string>;
}

export interface Given {
  document: Doc;
  life: Life;
  channels: Record<string, { label: string; unit: string; places: number }>;
  words: Words;
  unusual: number;
}

export type By = "time" | "number";

export interface View {
  from: number;
  to: number;
  by: By;
  channels: string[];
  scorers: string[];
}

/** Below this a p-value is drawn, and said to be, smaller than can be told. */
export const LEAST_P = 0.001;

/** One thing that the keyboard stops at: a recording, or a sum of several. */
export interface Item {
  at: number;
  end: number;
  x: number;
  p: Maybe;
  id: string | null;
  index: number;
}

export function say(words: Words, name: string, places: Record<string, string | number> = {}): string {
  const found = words[name];
  const text = typeof found === "string" ? found : name;
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in places ? String(places[key]) : whole));
}

export function oneOf(words: Words, group: string, name: string): string {
  const found = words[group];
  return typeof found === "object" ? (found[name] ?? name) : name;
}
