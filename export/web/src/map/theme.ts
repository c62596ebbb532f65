// The colours of maps by day and by night, and where a person has colours of their own.

// Theme holds the colours of a map.
export interface Theme {
  land: string;
  city: string;
  water: string;
  edge: string;
  line: string;
  mark: string;
  halo: string; // around marks and names, so that they show on every colour
  name: string;
  accent: string;
  areaOpacity: number; // of cells and districts
}

// Areas have the colours of the legend. Above a basemap they show what is below, and the legend is mixed in the same way
// (map.css).
const areaOpacity = 1;
export const basemapOpacity = 0.6;

export const day: Theme = {
  land: "#eef1ee",
  city: "#fbfcfa",
  water: "#bcd9ea",
  edge: "#47615f",
  line: "#ffffff",
  mark: "#10201f",
  halo: "#ffffff",
  name: "#22302f",
  accent: "#0a5c63",
  areaOpacity,
};
const night: Theme = {
  land: "#1d2626",
  city: "#26302f",
  water: "#1d4257",
  edge: "#8fb3b0",
  line: "#0f1615",
  mark: "#ffffff",
  halo: "#0f1615",
  name: "#eef4f2",
  accent: "#6fc7c6",
  areaOpacity,
};
const forced: Theme = {
  land: "Canvas",
  city: "Canvas",
  water: "GrayText",
  edge: "CanvasText",
  line: "Canvas",
  mark: "CanvasText",
  halo: "Canvas",
  name: "CanvasText",
  accent: "LinkText",
  areaOpacity: 1,
};

export const darkScheme = matchMedia("(prefers-color-scheme: dark)");
export const forcedColours = matchMedia("(forced-colors: active)");

// theme returns the colours for what a person has chosen; on paper those of the day.
export const theme = (paper = false): Theme => (paper ? day : forcedColours.matches ? forced : darkScheme.matches ? night : day);
