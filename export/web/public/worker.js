// The service worker of the installed pages. It keeps one page, which says that there is no connection, and nothing of the air: what is
// on the screen has always come from the server.
const kept = "offline-1";
const offline = ["/offline.html", "/offline.js", "/icon.svg"];

self.addEventListener("install", (e) => e.waitUntil(caches.open(kept).then((cache) => cache.addAll(offline))));
self.addEventListener("activate", (e) =>
  e.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== kept).map((name) => caches.delete(name))))),
);
self.addEventListener("fetch", (e) => {
  if (e.request.mode === "navigate") e.respondWith(fetch(e.request).catch(() => caches.match("/offline.html")));
  else if (offline.includes(new URL(e.request.url).pathname)) e.respondWith(fetch(e.request).catch(() => caches.match(e.request)));
});
