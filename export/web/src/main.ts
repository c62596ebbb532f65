// The pages' way in: finds the page of this address, builds the frame around it and lets it speak.
import "./style.css";
import { build, notFound, type Open } from "./frame";
import { start } from "./language";
import * as map from "./map/page";
import { findRoute } from "./routes";

// Each folder's page is a file of its own, fetched when it is wanted; the map's is here, for most come for it.
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
