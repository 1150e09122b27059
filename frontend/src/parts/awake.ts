// Keeps the screen on where the browser allows it: a page that sleeps does not listen.

export class Awake {
  private lock: WakeLockSentinel | undefined;
  private wanted = false;

  constructor(private readonly told: (isAwake: boolean) => void) {
    document.addEventListener("visibilitychange", () => {
      if (this.wanted && document.visibilityState === "visible") void this.ask();
    });
  }

  async keep(): Promise<void> {
    this.wanted = true;
    await this.ask();
  }

  async release(): Promise<void> {
    this.wanted = false;
    await this.lock?.release();
    this.lock = undefined;
  }

  private async ask(): Promise<void> {
    try {
      this.lock = await navigator.wakeLock.request("screen");
      this.told(true);
    } catch {
      this.told(false); // an older browser, or one that saves its battery
    }
  }
}
