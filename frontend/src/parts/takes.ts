// Records clips that begin before what set them off.
//
// Two recordings run at all times, begun in turn and thrown away while it is quiet. When it gets
// loud the older one is kept, so that a clip holds at least the half of a turn that came before; a
// clip that grows too long is cut without a gap.

const TURN_MS = 5000;
const LONGEST_MS = 30_000;
const WANTED = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4", "audio/webm"];

export interface Clip {
  blob: Blob;
  recordedAt: Date;
}

/** Return the kind of recording that this browser makes, or nothing where it makes none. */
export function kindOfRecording(): string | undefined {
  if (typeof MediaRecorder === "undefined") return undefined;
  return WANTED.find((kind) => MediaRecorder.isTypeSupported(kind));
}

class Take {
  readonly startedAt = new Date();
  readonly startedMs = performance.now();
  private readonly parts: Blob[] = [];
  private readonly recorder: MediaRecorder;

  constructor(stream: MediaStream, kind: string) {
    this.recorder = new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 64_000 });
    this.recorder.addEventListener("dataavailable", (event) => this.parts.push(event.data));
    this.recorder.start();
  }

  get ageMs(): number {
    return performance.now() - this.startedMs;
  }

  end(): Promise<Clip> {
    return new Promise((resolve) => {
      const done = () =>
        resolve({
          blob: new Blob(this.parts, { type: this.recorder.mimeType }),
          recordedAt: this.startedAt,
        });
      if (this.recorder.state === "inactive") return done();
      this.recorder.addEventListener("stop", done, { once: true });
      this.recorder.stop();
    });
  }
}

export class Takes {
  private waiting: Take[] = [];
  private kept: Take | undefined;

  constructor(
    private readonly stream: MediaStream,
    private readonly kind: string,
    private readonly deliver: (clip: Clip) => void,
  ) {
    this.waiting.push(this.begin());
  }

  get isKeeping(): boolean {
    return this.kept !== undefined;
  }

  /** Go on: keep a clip while `wanted`, end it when not. Call many times a second. */
  tend(wanted: boolean): void {
    if (wanted && !this.kept) {
      this.kept = this.waiting.shift() ?? this.begin();
      this.drop();
    } else if (this.kept && !wanted) {
      this.hand(this.kept);
      this.kept = undefined;
    } else if (this.kept && this.kept.ageMs > LONGEST_MS) {
      const full = this.kept;
      this.kept = this.begin();
      this.hand(full);
    }
    if (!this.kept) this.turn();
  }

  /** End everything; what was being kept is delivered. */
  end(): void {
    if (this.kept) this.hand(this.kept);
    this.kept = undefined;
    this.drop();
  }

  private turn(): void {
    const [oldest] = this.waiting;
    if (oldest && oldest.ageMs > TURN_MS) {
      void oldest.end();
      this.waiting.shift();
    }
    const newest = this.waiting.at(-1);
    if (!newest || (this.waiting.length < 2 && newest.ageMs > TURN_MS / 2)) {
      this.waiting.push(this.begin());
    }
  }

  private drop(): void {
    this.waiting.forEach((take) => void take.end());
    this.waiting = [];
  }

  private hand(take: Take): void {
    void take.end().then((clip) => {
      if (clip.blob.size > 0) this.deliver(clip);
    });
  }

  private begin(): Take {
    return new Take(this.stream, this.kind);
  }
}
