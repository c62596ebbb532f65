import type { State } from "../api";

// symbol draws a station: a dot when it reports, a ring when it is silent, a triangle when it should be
// looked at, a small square when it was never heard. Shapes tell them apart without colour.
export function symbol(state: State): ImageData {
  const size = 28;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const g = canvas.getContext("2d");
  if (!g) return new ImageData(size, size);
  const middle = size / 2;
  g.beginPath();
  if (state === "check") {
    g.moveTo(middle, 4);
    g.lineTo(size - 3, size - 5);
    g.lineTo(3, size - 5);
    g.closePath();
  } else if (state === "new") {
    g.rect(middle - 6, middle - 6, 12, 12);
  } else {
    g.arc(middle, middle, 8, 0, 2 * Math.PI);
  }
  g.fillStyle = { ok: "#0a5c63", silent: "#ffffff", check: "#b35900", new: "#9aa5a4" }[state];
  g.fill();
  g.lineWidth = state === "silent" ? 4 : 3;
  g.strokeStyle = state === "silent" ? "#5b6b6a" : "#ffffff";
  g.stroke();
  return g.getImageData(0, 0, size, size);
}
