// The colours of maps by day and by night.
import type { LayerSpecification, Map as MapLibre } from "maplibre-gl";

// Theme holds the colours of a map.
export interface Theme {
  land: string;
  city: string;
  edge: string;
  line: string;
  mark: string;
  halo: string; // around marks, so that they show on every colour
  accent: string;
  cityOpacity: number; // of the area within the boundary
  areaOpacity: number; // of cells and districts
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

// theme returns the colours for the light or the dark scheme. Above a basemap, areas let it show through.
export const theme = (overBasemap = false): Theme => ({
  ...(darkScheme.matches ? night : day),
  cityOpacity: overBasemap ? 0 : 1,
  areaOpacity: overBasemap ? 0.6 : 0.82,
});

export const lowestLayer = "city"; // of the layers above the background

// repaint sets the colours of layers that are already on the map.
export function repaint(map: MapLibre, list: readonly LayerSpecification[]): void {
  for (const { id, paint } of list)
    for (const [property, value] of Object.entries(paint ?? {})) map.setPaintProperty(id, property as never, value as never);
}
