// Copies what a field holds, where the browser lets pages do so.

document.querySelectorAll<HTMLButtonElement>("button[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = field.dataset.copied ?? button.textContent;
  });
});
