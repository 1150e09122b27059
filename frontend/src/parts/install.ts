// Lets a phone install the pages, and show one that says so where there is no network.
//
// Guaranteed: what this fetches comes after what the page itself is made of.

export function letInstall(): void {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const register = () => void navigator.serviceWorker.register("/worker.js");
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
