// This phone as a device: it pairs as any monitor does, and keeps its own token in this browser.

interface Paired {
  id: string;
  token: string;
}

const ENDED = "ended";

export class Credential {
  private readonly key: string;
  private pairingNow: Promise<string | undefined> | undefined;

  constructor(
    infant: string,
    private readonly codes: string | undefined,
    private readonly pairing: string,
    private readonly csrf: string,
    private readonly name: string,
  ) {
    this.key = `iclas.device.${infant}`;
  }

  get token(): string | undefined {
    const kept = localStorage.getItem(this.key);
    return kept && kept !== ENDED ? (JSON.parse(kept) as Paired).token : undefined;
  }

  get mayPair(): boolean {
    return this.codes !== undefined;
  }

  /** Whether somebody disconnected this phone: it pairs again only when a person asks for it. */
  get isEnded(): boolean {
    return localStorage.getItem(this.key) === ENDED;
  }

  /** Drop a token that no longer serves. */
  forget(isEnded: boolean): void {
    if (isEnded) localStorage.setItem(this.key, ENDED);
    else localStorage.removeItem(this.key);
  }

  /** Let the phone pair again after it was disconnected. */
  renew(): void {
    if (this.isEnded) localStorage.removeItem(this.key);
  }

  /** Return the token, paired for now where there was none; nothing where that is refused. */
  async obtain(): Promise<string | undefined> {
    if (this.token || !this.codes || this.isEnded) return this.token;
    this.pairingNow ??= this.pair(this.codes).finally(() => (this.pairingNow = undefined));
    return this.pairingNow;
  }

  private async pair(codes: string): Promise<string | undefined> {
    const offered = await fetch(codes, {
      method: "POST",
      headers: { "X-CSRFToken": this.csrf },
    });
    if (!offered.ok) return undefined;
    const { code } = (await offered.json()) as { code: string };
    const paired = await fetch(this.pairing, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, name: this.name, hardware: hardware(), kind: "phone" }),
    });
    if (!paired.ok) return undefined;
    localStorage.setItem(this.key, JSON.stringify((await paired.json()) as Paired));
    return this.token;
  }
}

function hardware(): string {
  return navigator.userAgent.replace(/^Mozilla\/5\.0 /, "").slice(0, 120);
}
