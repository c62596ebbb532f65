// The entry point: finds the page of the address, and opens it in the frame.
import "./style.css";
import "./frame.css";
import "./content.css";
import { build, notFound, type Open } from "./frame";
import { install } from "./install";
import { start } from "./language";
import * as map from "./map/page";
import { findRoute } from "./routes";

// Each page is a chunk of its own, loaded when it is opened, but for the map, which most people come for.
const pages = import.meta.glob<{ open: Open }>(["./*/page.ts", "!./map/page.ts"]);

async function show(): Promise<void> {
  const route = findRoute(location.pathname);
  const frame = build(route);
  const load = route && pages[`./${route.folder}/page.ts`];
  const open = route?.folder === "map" ? map.open : load ? (await load()).open : notFound;
  frame.show(open(frame));
}

start();
void show();
install();
