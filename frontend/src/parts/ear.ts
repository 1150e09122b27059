// The microphone: its stream, and how loud it is now.

import { FLOOR_DBFS } from "./trigger";

const COMES_BACK_WITHIN_MS = 3000;

export class Ear {
  private readonly samples: Float32Array<ArrayBuffer>;

  private constructor(
    readonly stream: MediaStream,
    private readonly context: AudioContext,
    private readonly analyser: AnalyserNode,
  ) {
    this.samples = new Float32Array(analyser.fftSize);
  }

  /** Ask for the microphone as it is: what a phone does for calls would take the cry out. */
  static async open(): Promise<Ear> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: false,
        channelCount: 1,
      },
    });
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(stream).connect(analyser);
    return new Ear(stream, context, analyser);
  }

  /** Return the loudness of the last tenth of a second, in dB below full scale. */
  dbfs(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    let energy = 0;
    for (const sample of this.samples) energy += sample * sample;
    const rms = Math.sqrt(energy / this.samples.length);
    return rms > 0 ? Math.max(FLOOR_DBFS, 20 * Math.log10(rms)) : FLOOR_DBFS;
  }

  /** Call when it hears nothing any more: unplugged, taken by a call, or held by the device. */
  onLost(lost: () => void): void {
    this.stream.getAudioTracks().forEach((track) => track.addEventListener("ended", lost));
    this.context.addEventListener("statechange", () => {
      if (this.isHeld) void this.context.resume().catch(() => undefined);
      setTimeout(() => this.isHeld && lost(), COMES_BACK_WITHIN_MS);
    });
  }

  private get isHeld(): boolean {
    return this.context.state !== "running" && this.context.state !== "closed";
  }

  close(): void {
    this.stream.getTracks().forEach((track) => track.stop());
    void this.context.close();
  }
}
