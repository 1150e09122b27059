// The clinician's list by keyboard: while the focus is in it, J and K go from patient to patient.
//
// Without the focus in the list no letter does anything, and none does in a field.

const NAMES = "[data-patients] .name";
const STEPS: Record<string, number> = { j: 1, k: -1 };

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const at = document.activeElement;
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!(at instanceof HTMLElement) || at.matches("input, select, textarea") || !at.closest("[data-patients]")) return;
  const names = [...document.querySelectorAll<HTMLElement>(NAMES)];
  const here = names.indexOf(at.closest("tr")?.querySelector<HTMLElement>(".name") ?? at);
  const next = names[Math.min(Math.max(here + step, 0), names.length - 1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
});
