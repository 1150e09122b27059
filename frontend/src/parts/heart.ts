// Says that this phone listens, so that it is missed where it falls silent; and that it stops, where
// somebody stops it. A heartbeat that cannot be sent is not kept: the next one tells more.

import { batteryFrac } from "./battery";
import type { Credential } from "./pairing";
import type { Spool } from "./spool";

const EVERY_S = 300;

export class Heart {
  private everyS = EVERY_S;
  private roundTripS: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isBeating = false;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly heartbeats: string,
    private readonly spool: Spool,
    private readonly credential: Credential,
  ) {
    addEventListener("online", () => this.isBeating && this.begin());
  }

  /** Beat at once, and from then on as often as the server asks. */
  begin(): void {
    clearTimeout(this.timer);
    this.isBeating = true;
    this.last = this.beat();
  }

  /** Beat no more, and say that this is on purpose. */
  end(): void {
    clearTimeout(this.timer);
    if (!this.isBeating) return;
    this.isBeating = false;
    void this.last.then(() => this.send({ is_leaving: true })).catch(() => undefined);
  }

  /** Beat no more, without a word: somebody is to look after it. */
  fall(): void {
    clearTimeout(this.timer);
    this.isBeating = false;
  }

  private async beat(): Promise<void> {
    const began = performance.now();
    try {
      const answer = await this.send(await this.said());
      this.roundTripS = answer ? (performance.now() - began) / 1000 : undefined;
      this.everyS = answer?.heartbeat_every_s ?? EVERY_S;
    } catch {
      this.roundTripS = undefined; // no network, or it broke off
    }
    if (this.isBeating) this.timer = setTimeout(() => this.begin(), this.everyS * 1000);
  }

  private async said(): Promise<Record<string, unknown>> {
    return {
      battery_frac: await batteryFrac(),
      clock: new Date().toISOString(),
      round_trip_s: this.roundTripS,
      queue_length: await this.spool.count(),
    };
  }

  private async send(
    said: Record<string, unknown>,
  ): Promise<{ heartbeat_every_s?: number } | undefined> {
    const token = this.credential.token;
    if (!token) return undefined;
    const answer = await fetch(this.heartbeats, {
      method: "POST",
      credentials: "omit",
      keepalive: true, // the last one outlives the page
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(said),
    });
    return answer.ok ? ((await answer.json()) as { heartbeat_every_s?: number }) : undefined;
  }
}
