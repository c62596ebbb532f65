import qrcode from "qrcode-generator";
import { svg } from "./svg";

// qr makes the QR code of a text, black on white with its quiet zone.
export function qr(text: string, alternative: string): SVGElement {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const [n, quiet] = [code.getModuleCount(), 4];
  let path = "";
  for (let row = 0; row < n; row++)
    for (let column = 0; column < n; column++) if (code.isDark(row, column)) path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
  const side = n + 2 * quiet;
  return svg(
    "svg",
    { viewBox: `0 0 ${side} ${side}`, class: "qr", role: "img", "aria-label": alternative, "shape-rendering": "crispEdges" },
    svg("path", { fill: "#fff", d: `M0 0h${side}v${side}h-${side}z` }),
    svg("path", { fill: "#000", d: path }),
  );
}
