// The colours of maps by day and by night.
import type { LayerSpecification, Map as MapLibre } from "maplibre-gl";

// Ink is what a drawing is coloured with.
export interface Theme {
  land: string;
  city: string;
  edge: string;
  line: string;
  mark: string;
  halo: string; // around marks, so that they show on every colour
  accent: string;
  cityOpacity: number; // opacity of the city's own ground
  areaOpacity: number; // opacity of coloured areas
}

type Colours = Omit<Theme, "cityOpacity" | "areaOpacity">;

const day: Colours = {
  land: "#eef1ee",
  city: "#fbfcfa",
  edge: "#47615f",
  line: "#ffffff",
  mark: "#10201f",
  halo: "#ffffff",
  accent: "#0a5c63",
};
const night: Colours = {
  land: "#1d2626",
  city: "#26302f",
  edge: "#8fb3b0",
  line: "#0f1615",
  mark: "#ffffff",
  halo: "#0f1615",
  accent: "#6fc7c6",
};

export const darkScheme = matchMedia("(prefers-color-scheme: dark)");

// ink is that of the day or the night, above our own ground or above a basemap that is to be seen.
export const theme = (above = false): Theme => ({
  ...(darkScheme.matches ? night : day),
  cityOpacity: above ? 0 : 1,
  areaOpacity: above ? 0.6 : 0.82,
});

export const lowestLayer = "city"; // of the layers above the land

// repaint gives layers that are there their colours anew.
export function repaint(map: MapLibre, list: readonly LayerSpecification[]): void {
  for (const { id, paint } of list)
    for (const [property, value] of Object.entries(paint ?? {})) map.setPaintProperty(id, property as never, value as never);
}
