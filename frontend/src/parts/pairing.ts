// This phone as a device: it pairs as any monitor does, and keeps its own token in this browser.

interface Paired {
  id: string;
  token: string;
}

export class Credential {
  private readonly key: string;

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
    return kept ? (JSON.parse(kept) as Paired).token : undefined;
  }

  get mayPair(): boolean {
    return this.codes !== undefined;
  }

  forget(): void {
    localStorage.removeItem(this.key);
  }

  /** Return the token, paired for now where there was none; nothing where that is refused. */
  async obtain(): Promise<string | undefined> {
    if (this.token || !this.codes) return this.token;
    const offered = await fetch(this.codes, {
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
