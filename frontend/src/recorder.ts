// This phone as a monitor: it listens, records when it gets loud, and sends by the device contract.
//
// What comes in: the microphone. What goes out: clips. Guaranteed: a clip is put down on this phone
// before anything else happens to it, and leaves it once the server has it durably.

import { Awake } from "./parts/awake";
import { Ear } from "./parts/ear";
import { Heart } from "./parts/heart";
import { Credential } from "./parts/pairing";
import { Sender } from "./parts/sender";
import { Spool } from "./parts/spool";
import { type Clip, Takes, kindOfRecording } from "./parts/takes";
import { FLOOR_DBFS, Trigger } from "./parts/trigger";

const LOOKS_EVERY_MS = 50;
const SHORTEST_BY_HAND_MS = 1000;

class Recorder {
  private readonly words: Record<string, string>;
  private readonly awake = new Awake((isAwake) => this.say("awake", isAwake ? "awake" : "asleep"));
  private readonly trigger = new Trigger(12);
  private readonly session = newId();
  private ear: Ear | undefined;
  private takes: Takes | undefined;
  private listeningSince = 0;
  private byHandSince: number | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  private sent = 0;
  private lost = 0;
  private readonly sender: Sender;
  private readonly heart: Heart;
  private readonly credential: Credential;

  constructor(
    private readonly room: HTMLElement,
    private readonly spool: Spool,
    private readonly kind: string,
  ) {
    this.words = words();
    const { infant, code, pair, uploads, heartbeats } = room.dataset;
    const csrf = room.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
    const name = this.words.device ?? "Phone";
    this.credential = new Credential(infant ?? "", code, pair ?? "", csrf, name);
    this.heart = new Heart(heartbeats ?? "", spool, this.credential);
    this.sender = new Sender(uploads ?? "", spool, this.credential, {
      sent: () => this.put("sent", String(++this.sent)),
      lost: () => this.tellLost(),
      waiting: (count) => this.tellWaiting(count),
      unpaired: (isSo, isEnded) => {
        if (isEnded && this.ear) this.stop("idle");
        this.matter("unpaired", isSo);
        this.matter("ended", isEnded);
      },
    });
    this.part("toggle").addEventListener("click", () => void this.toggle());
    this.part("now").addEventListener("click", () => this.toggleByHand());
    this.part("sensitivity").addEventListener("change", () => this.setMargin());
    this.setMargin();
    addEventListener("offline", () => void this.count());
    addEventListener("pagehide", () => this.takes?.end());
    addEventListener("beforeunload", (event) => {
      if (this.takes?.isKeeping) event.preventDefault();
    });
    void this.count();
    this.sender.now();
  }

  private async toggle(): Promise<void> {
    if (this.ear) return this.stop("idle");
    this.trouble(undefined);
    this.say("state", "asking");
    try {
      this.ear = await Ear.open();
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      this.say("state", "idle");
      return this.trouble(isRefused ? "refused" : "no_microphone");
    }
    this.ear.onLost(() => this.stop("interrupted"));
    this.takes = new Takes(this.ear.stream, this.kind, (clip) => void this.keep(clip));
    this.listeningSince = performance.now();
    this.looking = setInterval(() => this.look(), LOOKS_EVERY_MS);
    this.show("listening");
    await this.awake.keep();
    await this.connect();
  }

  /** Pair at once, so that a phone that may not send says so before the night. */
  private async connect(): Promise<void> {
    this.credential.renew();
    try {
      this.matter("unpaired", !(await this.credential.obtain()));
    } catch {
      // no network now: the first clip tries again
    }
    if (this.ear) this.heart.begin();
    this.sender.now();
  }

  private stop(why: string): void {
    if (why === "idle") this.heart.end(); // who is interrupted is to be missed
    else this.heart.fall();
    clearInterval(this.looking);
    this.takes?.end();
    this.ear?.close();
    this.takes = this.ear = this.byHandSince = undefined;
    this.room.style.setProperty("--loudness", "0");
    this.show("idle", why);
    this.put("awake", "");
    void this.awake.release();
  }

  private look(): void {
    if (!this.ear || !this.takes) return;
    const dbfs = this.ear.dbfs();
    const isLoud = this.trigger.feed(dbfs, performance.now());
    this.takes.tend(isLoud || this.byHandSince !== undefined);
    this.show(this.takes.isKeeping ? "recording" : "listening");
    this.room.style.setProperty("--loudness", share(dbfs).toFixed(3));
    this.room.style.setProperty("--threshold", share(this.trigger.thresholdDbfs).toFixed(3));
    this.put("since", lasting(performance.now() - this.listeningSince));
  }

  private toggleByHand(): void {
    const now = performance.now();
    if (this.byHandSince === undefined) {
      this.byHandSince = now;
    } else if (now - this.byHandSince > SHORTEST_BY_HAND_MS) {
      this.byHandSince = undefined;
    }
    this.tellByHand();
  }

  private tellByHand(): void {
    const button = this.part("now");
    this.room.toggleAttribute("data-by-hand", this.byHandSince !== undefined);
    const words = this.byHandSince === undefined ? button.dataset.begin : button.dataset.end;
    button.textContent = words ?? "";
  }

  private setMargin(): void {
    this.trigger.marginDb = Number((this.part("sensitivity") as HTMLSelectElement).value);
  }

  /** Put a clip down on this phone, then send it. */
  private async keep(clip: Clip): Promise<void> {
    try {
      await this.spool.add({
        id: `${clip.recordedAt.toISOString()}-${newId()}`,
        infant: this.room.dataset.infant ?? "",
        recordedAt: clip.recordedAt.toISOString(),
        session: this.session,
        type: clip.blob.type,
        audio: await clip.blob.arrayBuffer(),
      });
    } catch {
      return this.trouble("full");
    }
    await this.count();
    this.sender.now();
  }

  private async count(): Promise<void> {
    this.tellWaiting(await this.spool.count());
  }

  private tellWaiting(count: number): void {
    this.put("waiting", String(count));
    this.matter("offline", count > 0 && !navigator.onLine);
  }

  private tellLost(): void {
    this.part("lost-row").hidden = false;
    this.put("lost", String(++this.lost));
  }

  private show(doing: string, why = doing): void {
    if (this.room.dataset.doing === doing && why === doing) return;
    this.room.dataset.doing = doing;
    this.say("state", why);
    const isListening = doing !== "idle";
    const toggle = this.part("toggle");
    toggle.textContent = (isListening ? toggle.dataset.stop : toggle.dataset.start) ?? "";
    const now = this.part("now") as HTMLButtonElement;
    now.disabled = !isListening;
    if (!isListening) this.tellByHand();
  }

  private trouble(name: string | undefined): void {
    const place = this.part("problem");
    place.hidden = name === undefined;
    place.textContent = name === undefined ? "" : (this.words[name] ?? name);
  }

  /** Say that something is the matter, or say no more that it is; another trouble stays. */
  private matter(name: string, isSo: boolean): void {
    if (isSo) this.trouble(name);
    else if (this.part("problem").textContent === this.words[name]) this.trouble(undefined);
  }

  private say(place: string, name: string): void {
    this.put(place, this.words[name] ?? name);
  }

  private put(place: string, text: string): void {
    const where = this.part(place);
    if (where.textContent !== text) where.textContent = text;
  }

  private part(name: string): HTMLElement {
    const found = this.room.querySelector<HTMLElement>(`[data-${name}]`);
    if (!found) throw new Error(`the recorder has no part ${name}`);
    return found;
  }
}

/** Return a loudness as a share of the meter. */
function share(dbfs: number): number {
  return Math.min(1, Math.max(0, (dbfs - FLOOR_DBFS) / -FLOOR_DBFS));
}

function lasting(ms: number): string {
  const s = Math.floor(ms / 1000);
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function words(): Record<string, string> {
  const held = document.getElementById("recorder-words")?.textContent ?? "{}";
  return JSON.parse(held) as Record<string, string>;
}

async function begin(room: HTMLElement): Promise<void> {
  const kind = kindOfRecording();
  if (!kind || !navigator.mediaDevices || typeof indexedDB === "undefined") {
    const problem = room.querySelector<HTMLElement>("[data-problem]");
    if (problem) {
      problem.hidden = false;
      problem.textContent = words().unable ?? "";
    }
    return;
  }
  new Recorder(room, await Spool.open(room.dataset.infant ?? ""), kind);
}

const room = document.querySelector<HTMLElement>("[data-recorder]");
if (room) void begin(room);
