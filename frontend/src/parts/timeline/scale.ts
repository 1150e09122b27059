// From moments to places on the axis, and back.
//
// Along time a place is the infant's own clock, read as if it were UTC, so that midnights fall on
// the ticks wherever the browser is. Along recording numbers a place is a number, and a moment
// between two recordings lies between their numbers. Guaranteed: both ways are monotonic.

import type { By, Doc, Life } from "./types";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export class Clock {
  constructor(private readonly offsets: [number, number][]) {}

  /** The infant's wall clock at a moment, as if it were UTC. */
  wall(ms: number): number {
    let minutes = this.offsets[0]?.[1] ?? 0;
    for (const [from, offset] of this.offsets) {
      if (from > ms) break;
      minutes = offset;
    }
    return ms + minutes * MINUTE_MS;
  }

  /** The moment at which the infant's wall clock shows this. */
  moment(wall: number): number {
    const guess = wall - (this.wall(wall) - wall);
    return wall - (this.wall(guess) - guess);
  }
}

export interface Scale {
  by: By;
  least: number;
  most: number;
  x(ms: number): number;
  ms(x: number): number;
}

export function timeScale(clock: Clock, life: Life): Scale {
  return {
    by: "time",
    least: clock.wall(life.from),
    most: clock.wall(life.to),
    x: (ms) => clock.wall(ms),
    ms: (x) => clock.moment(x),
  };
}

export function numberScale(life: Life, doc: Doc): Scale {
  const knots = knotsOf(life, doc);
  const last = knots[knots.length - 1] ?? [life.to, 1];
  return {
    by: "number",
    least: 0.5,
    most: Math.max(last[1], 1.5),
    x: (ms) => along(knots, ms, 0, 1),
    ms: (x) => along(knots, x, 1, 0),
  };
}

type Knot = [number, number];

/** Moments and numbers, both rising: days outside what is shown one by one, recordings inside. */
function knotsOf(life: Life, doc: Doc): Knot[] {
  const singles = doc.singles;
  const known: Knot[] = [];
  singles?.t.forEach((t, at) => {
    const number = singles.n[at];
    if (number != null) known.push([t, number]);
  });
  const first = known[0]?.[0] ?? Infinity;
  const last = known[known.length - 1]?.[0] ?? -Infinity;
  const knots: Knot[] = [[life.from, 0.5]];
  let before = 0;
  life.days.forEach((day, at) => {
    const n = life.n[at] ?? 0;
    const ends: Knot[] = [[day, before + 0.5], [day + DAY_MS - 1, before + n + 0.5]];
    knots.push(...ends.filter(([t]) => t < first || t > last));
    before += n;
  });
  knots.push(...known, [life.to, before + 0.5]);
  knots.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (let at = 1; at < knots.length; at++) {
    const here = knots[at] as Knot;
    here[1] = Math.max(here[1], (knots[at - 1] as Knot)[1]);
  }
  return knots;
}

function along(knots: Knot[], value: number, from: 0 | 1, to: 0 | 1): number {
  const first = knots[0] as Knot;
  const last = knots[knots.length - 1] as Knot;
  if (value <= first[from]) return first[to];
  if (value >= last[from]) return last[to];
  let low = 0;
  let high = knots.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((knots[middle] as Knot)[from] <= value) low = middle;
    else high = middle;
  }
  const [a, b] = [knots[low] as Knot, knots[high] as Knot];
  const length = b[from] - a[from];
  return length > 0 ? a[to] + ((value - a[from]) / length) * (b[to] - a[to]) : b[to];
}

const UNITS: [string, number][] = [["d", DAY_MS], ["h", 3_600_000], ["m", MINUTE_MS]];

/** A length as a link holds it: 7d, 36h, 90m. */
export function spanWords(ms: number): string {
  const minutes = Math.max(10, Math.round(ms / MINUTE_MS)) * MINUTE_MS;
  for (const [unit, size] of UNITS) {
    if (minutes % size === 0 || (unit === "h" && minutes > 4 * DAY_MS)) return `${Math.round(minutes / size)}${unit}`;
  }
  return `${minutes / MINUTE_MS}m`;
}
