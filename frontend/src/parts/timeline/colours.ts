// The page's colours, read from the stylesheet's variables and read again when the theme changes.

const NAMES = ["ground", "surface", "ink", "muted", "line", "field", "accent", "shift", "odd", "usual", "quiet", "focus"] as const;

export type Colours = Record<(typeof NAMES)[number], string>;

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const found = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || "#888888"]);
  return Object.fromEntries(found) as Colours;
}

export function whenThemeChanges(act: () => void): void {
  new MutationObserver(act).observe(document.documentElement, { attributeFilter: ["data-theme", "data-contrast"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act);
}

export function faint(colour: string, share: number): string {
  const alpha = Math.round(share * 255).toString(16).padStart(2, "0");
  return /^#[0-9a-f]{6}$/i.test(colour) ? `${colour}${alpha}` : colour;
}

/** Specks or strokes as a filling: what is shaded is told by its pattern too. */
export function pattern(kind: "specks" | "strokes" | "bars", colour: string): { image: HTMLCanvasElement; repeat: "repeat" } {
  const image = document.createElement("canvas");
  image.width = image.height = 8;
  const pen = image.getContext("2d");
  if (pen) {
    pen.fillStyle = pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    if (kind === "specks") pen.fillRect(3, 3, 1.6, 1.6);
    if (kind === "strokes") {
      pen.beginPath();
      pen.moveTo(-2, 10);
      pen.lineTo(10, -2);
      pen.stroke();
    }
    if (kind === "bars") pen.fillRect(3, 0, 1.4, 8);
  }
  return { image, repeat: "repeat" };
}
