// A player of one button, in the colours of the page, in the place of the browser's own controls.
//
// Without this script the browser's own stand there. One recording plays at a time.

const ENHANCED = "data-enhanced";

export function anythingPlays(): boolean {
  return [...document.querySelectorAll("audio")].some((one) => !one.paused && !one.ended);
}

export function playOneAtATime(): void {
  document.addEventListener(
    "play",
    (event) => {
      document.querySelectorAll("audio").forEach((one) => {
        if (one !== event.target) one.pause();
      });
    },
    true,
  );
}

export function enhancePlayers(within: ParentNode): void {
  within.querySelectorAll<HTMLElement>("[data-player]").forEach((player) => {
    const audio = player.querySelector("audio");
    if (audio !== null && !player.hasAttribute(ENHANCED)) enhance(player, audio);
  });
}

function enhance(player: HTMLElement, audio: HTMLAudioElement): void {
  player.setAttribute(ENHANCED, "");
  audio.controls = false;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "play";
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-hidden", "true");
  player.append(button, bar);

  const name = audio.getAttribute("aria-label") ?? "";
  const show = () => {
    const says = (audio.paused ? audio.dataset.play : audio.dataset.pause) ?? "";
    button.textContent = says;
    button.setAttribute("aria-label", `${says}: ${name}`);
    button.classList.toggle("is-playing", !audio.paused);
  };
  const move = () => {
    bar.value = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
  };
  const fail = () => {
    const said = document.createElement("p");
    said.className = "silence";
    said.setAttribute("role", "status");
    said.textContent = audio.dataset.failed ?? "";
    player.replaceChildren(audio, said);
  };
  button.addEventListener("click", () => {
    if (audio.paused) void audio.play().catch(() => undefined);
    else audio.pause();
  });
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, show);
  audio.addEventListener("timeupdate", move);
  // The browser tries one source after the other: only the last one's error is the end.
  (audio.querySelector("source:last-of-type") ?? audio).addEventListener("error", fail);
  show();
}
