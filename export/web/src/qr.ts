import qrcode from "qrcode-generator";

// qr is a text as a picture for a camera, black on white with its quiet zone.
export function qr(text: string, alternative: string): SVGSVGElement {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const [n, quiet] = [code.getModuleCount(), 4];
  let path = "";
  for (let row = 0; row < n; row++)
    for (let column = 0; column < n; column++) if (code.isDark(row, column)) path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const side = n + 2 * quiet;
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${side} ${side}`,
    class: "qr",
    role: "img",
    "aria-label": alternative,
    "shape-rendering": "crispEdges",
  }))
    svg.setAttribute(name, value);
  for (const [colour, d] of [
    ["#fff", `M0 0h${side}v${side}h-${side}z`],
    ["#000", path],
  ] as const) {
    const part = document.createElementNS(svg.namespaceURI, "path");
    part.setAttribute("fill", colour);
    part.setAttribute("d", d);
    svg.append(part);
  }
  return svg;
}
