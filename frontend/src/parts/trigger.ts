// When a clip begins and ends, by loudness alone: the server finds the cries in it.
//
// What comes in: the loudness, many times a second. What goes out: whether it is loud by now. The
// threshold lies a margin above the quiet of the room, which is followed slowly.

export const FLOOR_DBFS = -90;
const LEAST_DBFS = -55;
const LOUD_FOR_MS = 150;
const QUIET_FOR_MS = 2500;
const FALLS = 0.05;
const RISES = 0.002;

export class Trigger {
  isLoud = false;
  private room = -65;
  private since: number | undefined;

  constructor(public marginDb: number) {}

  get thresholdDbfs(): number {
    return Math.max(LEAST_DBFS, this.room + this.marginDb);
  }

  /** Take the loudness of this moment; tell whether it is loud by now. */
  feed(dbfs: number, nowMs: number): boolean {
    const above = dbfs > this.thresholdDbfs;
    if (!above) this.room += (dbfs - this.room) * (dbfs < this.room ? FALLS : RISES);
    if (above === this.isLoud) {
      this.since = undefined;
    } else {
      this.since ??= nowMs;
      if (nowMs - this.since >= (above ? LOUD_FOR_MS : QUIET_FOR_MS)) {
        this.isLoud = above;
        this.since = undefined;
      }
    }
    return this.isLoud;
  }
}
