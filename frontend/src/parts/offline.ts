// Says so where the network is gone: what is shown is then as old as it says.

export function announceOffline(): void {
  const show = () => {
    document.documentElement.toggleAttribute("data-offline", !navigator.onLine);
  };
  addEventListener("online", show);
  addEventListener("offline", show);
  show();
}
