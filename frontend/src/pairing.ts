// Asks, while a code is shown, whether a device has joined by it, and counts its time down.

const EVERY_MS = 3000;
const SECOND_MS = 1000;
const shownAt = performance.now();

function joined(): HTMLElement | null {
  return document.getElementById("joined");
}

async function ask(): Promise<void> {
  const path = joined()?.dataset.pairingState;
  if (!path) return;
  try {
    const answer = await fetch(path);
    if (answer.ok) replace(await answer.text());
  } catch {
    // No network for a moment: the next asking may find one.
  }
  setTimeout(() => void ask(), EVERY_MS);
}

function replace(html: string): void {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("joined");
  const old = joined();
  // Put in only when it says something else, so that it is read out once.
  if (fresh && old && !fresh.dataset.pairingState) old.replaceWith(fresh);
}

function countDown(): void {
  const lives = Number(joined()?.dataset.livesS);
  const place = joined()?.querySelector<HTMLElement>("[data-time-left]");
  if (!place || !Number.isFinite(lives)) return;
  const left = Math.max(0, Math.round(lives - (performance.now() - shownAt) / SECOND_MS));
  place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  setTimeout(countDown, SECOND_MS);
}

countDown();
setTimeout(() => void ask(), EVERY_MS);
