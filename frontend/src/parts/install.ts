// Lets a phone install the pages, and show one that says so where there is no network.

export function letInstall(): void {
  if ("serviceWorker" in navigator && isSecureContext) void navigator.serviceWorker.register("/worker.js");
}
