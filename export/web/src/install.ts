// What an installed page needs: a worker that answers without a connection, and the time of the last answer, which it then says.
const answeredKey = "stadtluft.answered"; // as in public/offline.js

// install registers the worker once the page stands there; a browser without workers does without.
export function install(): void {
  if (!("serviceWorker" in navigator) || window !== window.parent) return;
  addEventListener("load", () => void navigator.serviceWorker.register("/worker.js").catch(() => {}));
}

// answered remembers that the server has answered now.
export function answered(): void {
  if (typeof window === "undefined" || window !== window.parent) return;
  try {
    localStorage.setItem(answeredKey, String(Date.now()));
  } catch {
    // storage is forbidden: nobody says since when
  }
}
