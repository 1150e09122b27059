// One recording's sound: the waveform that plays, and where it is in the spectrogram.
//
// The outline comes from the server, so that the shape shows before the sound is there; the sound
// itself is that of the page's own <audio>, which plays without this script too.

import WaveSurfer from "wavesurfer.js";

import { enhancePlayers } from "./player";

interface Outline {
  duration_s: number;
  peaks: number[];
}

const HEIGHT_PX = 96;

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function colours() {
  return {
    waveColor: colour("field"),
    progressColor: colour("accent"),
    cursorColor: colour("ink"),
  };
}

function nonce(): string {
  return document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
}

async function outlineOf(listen: HTMLElement): Promise<Outline> {
  const answer = await fetch(listen.dataset.waveform ?? "", { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`no outline: ${answer.status}`);
  return (await answer.json()) as Outline;
}

function draw(container: HTMLElement, media: HTMLAudioElement, outline: Outline): WaveSurfer {
  container.hidden = false;
  const wave = WaveSurfer.create({
    container,
    media,
    height: HEIGHT_PX,
    peaks: [outline.peaks],
    duration: outline.duration_s,
    normalize: true,
    cursorWidth: 2,
    dragToSeek: true,
    cspNonce: nonce(),
    ...colours(),
  });
  const left = new AbortController();
  const recolour = () => {
    if (container.isConnected) wave.setOptions(colours());
    else left.abort();
  };
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const device = matchMedia("(prefers-color-scheme: dark)");
  device.addEventListener("change", recolour, { signal: left.signal });
  left.signal.addEventListener("abort", () => {
    themes.disconnect();
    wave.destroy();
  });
  return wave;
}

function followInPicture(listen: HTMLElement, wave: WaveSurfer, duration_s: number): void {
  const picture = listen.querySelector<HTMLElement>("[data-seek]");
  const head = listen.querySelector<HTMLElement>("[data-playhead]");
  if (picture === null || head === null || duration_s <= 0) return;
  head.hidden = false;
  wave.on("timeupdate", (at) => {
    head.style.left = `${(100 * at) / duration_s}%`;
  });
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    wave.setTime((duration_s * (event.clientX - box.left)) / box.width);
  });
}

function playCries(listen: HTMLElement, wave: WaveSurfer): void {
  listen.querySelectorAll<HTMLButtonElement>("button[data-from]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      void wave.play(Number(button.dataset.from), Number(button.dataset.to)).catch(() => undefined);
    });
  });
}

async function start(listen: HTMLElement): Promise<void> {
  const container = listen.querySelector<HTMLElement>("[data-wave]");
  const media = listen.querySelector<HTMLAudioElement>("audio");
  if (container === null || media === null) return;
  const outline = await outlineOf(listen);
  const wave = draw(container, media, outline);
  followInPicture(listen, wave, outline.duration_s);
  playCries(listen, wave);
}

/** Draw the sounds of a part of the page; without its outline one still plays with its player. */
export function listenWithin(within: ParentNode): void {
  enhancePlayers(within);
  within.querySelectorAll<HTMLElement>("[data-listen]").forEach((listen) => {
    start(listen).catch(() => undefined);
  });
}
