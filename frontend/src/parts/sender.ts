// Sends what is spooled, oldest first, by the device contract.
//
// 200 and 201 mean that the server has it durably: the clip leaves this device. What else to do
// stands in the answer's `retry`: `never` (drop it), `after_pairing` (keep it and pair again),
// `later` (keep it, and wait as long as it says, or longer each time).

import { batteryFrac } from "./battery";
import type { Credential } from "./pairing";
import type { Spool, Spooled } from "./spool";

const FIRST_WAIT_S = 2;
const LONGEST_WAIT_S = 300;

interface Problem {
  code?: string;
  retry?: "never" | "after_pairing" | "later";
  retry_after_s?: number;
}

export interface Told {
  sent(): void;
  lost(): void;
  waiting(count: number): void;
  unpaired(isSo: boolean, isEnded: boolean): void;
}

export class Sender {
  private waitS = FIRST_WAIT_S;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isSending = false;

  constructor(
    private readonly uploads: string,
    private readonly spool: Spool,
    private readonly credential: Credential,
    private readonly told: Told,
  ) {
    addEventListener("online", () => this.now());
  }

  /** Send without waiting any longer. */
  now(): void {
    clearTimeout(this.timer);
    this.waitS = FIRST_WAIT_S;
    void this.sendAll();
  }

  private async sendAll(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      for (let clip = await this.spool.oldest(); clip; clip = await this.spool.oldest()) {
        const waitS = await this.send(clip);
        this.told.waiting(await this.spool.count());
        if (waitS > 0) {
          this.later(waitS);
          break;
        }
      }
    } finally {
      this.isSending = false;
    }
  }

  /** Send one clip; return how many seconds to wait before the next try, 0 to go on. */
  private async send(clip: Spooled): Promise<number> {
    try {
      const token = await this.credential.obtain();
      this.tellPaired(token);
      if (!token) return this.backOff();
      const answer = await fetch(this.uploads, {
        method: "POST",
        credentials: "omit",
        headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": clip.id },
        body: await described(clip),
      });
      return await this.settle(clip, answer);
    } catch {
      return this.backOff(); // no network, or it broke off
    }
  }

  private async settle(clip: Spooled, answer: Response): Promise<number> {
    if (answer.status === 200 || answer.status === 201) {
      await this.spool.remove(clip.id);
      this.waitS = FIRST_WAIT_S;
      this.told.sent();
      return 0;
    }
    const problem = (await answer.json().catch(() => ({}))) as Problem;
    if (problem.retry === "never") {
      await this.spool.remove(clip.id);
      this.told.lost();
      return 0;
    }
    if (problem.retry === "after_pairing") {
      this.credential.forget(problem.code === "device_revoked");
      this.tellPaired();
    }
    return problem.retry_after_s || this.backOff(); // at once would be again and again
  }

  private tellPaired(token?: string): void {
    const isEnded = this.credential.isEnded;
    this.told.unpaired(!token && !isEnded && !this.credential.mayPair, isEnded);
  }

  private backOff(): number {
    const waitS = this.waitS * (0.75 + Math.random() / 2);
    this.waitS = Math.min(LONGEST_WAIT_S, this.waitS * 2);
    return waitS;
  }

  private later(waitS: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sendAll(), waitS * 1000);
  }
}

async function described(clip: Spooled): Promise<FormData> {
  const form = new FormData();
  const ending = clip.type.includes("mp4") ? "m4a" : clip.type.includes("ogg") ? "ogg" : "webm";
  form.append("audio", new Blob([clip.audio], { type: clip.type }), `clip.${ending}`);
  form.append("recorded_at", clip.recordedAt);
  form.append("session", clip.session);
  form.append("clock", new Date().toISOString());
  const battery = await batteryFrac();
  if (battery !== undefined) form.append("battery_frac", battery.toFixed(2));
  return form;
}
