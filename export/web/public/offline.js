// The page without a connection: in the person's language, with the time at which the server last answered.
const read = (name) => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is forbidden
  }
};
const lang = (read("stadtluft.language") ?? navigator.language).startsWith("en") ? "en" : "de";
const since = Number(read("stadtluft.answered"));
document.documentElement.lang = lang;
if (lang === "en") document.title = "Stadtluft: no connection";
for (const part of document.querySelectorAll("div[lang]")) {
  part.hidden = part.lang !== lang;
  Object.assign(part.querySelector("a"), { href: location.href }).style.color = "light-dark(#0a5c63, #6fc7c6)"; // style.css

  if (!since) continue;
  const time = part.querySelector("time");
  time.dateTime = new Date(since).toISOString();
  time.textContent = new Date(since).toLocaleString(part.lang === "en" ? "en-GB" : "de-DE", { dateStyle: "medium", timeStyle: "short" });
  part.querySelector(".since").hidden = false;
}
Object.assign(document.body.style, { font: "16px/1.5 system-ui, sans-serif", margin: "15vh auto", maxWidth: "32rem", padding: "0 1rem" });
const again = () =>
  fetch("/healthz", { cache: "no-store" }).then(
    (answer) => answer.ok && location.reload(),
    () => {}, // still away
  );
addEventListener("online", again);
setInterval(again, 10_000); // a server that was away is no event
