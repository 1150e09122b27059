// The theme that a person chose on this device: system, light, dark or red for the night.
//
// The server writes the choice into the page from a cookie, so that nothing flashes; here it is only
// changed.

const YEAR_S = 365 * 24 * 3600;

export function followTheme(): void {
  document.querySelectorAll<HTMLSelectElement>("select[data-theme-choice]").forEach((select) => {
    select.addEventListener("change", () => choose(select.value));
  });
}

function choose(theme: string): void {
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
}
