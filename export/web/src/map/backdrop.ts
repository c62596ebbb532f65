// What every map shows of the city: land, water, the boundary and names.
import type { City } from "../api";
import type { Point } from "./camera";
import { boundsOf, type Area, type Bounds, type Line } from "./geometry";
import { arrange, Lettering, type Name } from "./names";
import type { Ground, Pen } from "./pen";

export class Backdrop {
  bounds: Bounds | null = null; // of the city; null until it is known
  private names: readonly Name[] = [];
  private outline: Path2D | null = null;
  private lakes: Path2D | null = null;
  private rivers: Path2D | null = null;
  private lettering = new Lettering();

  constructor(private ground: Ground) {}

  setCity(city: City): void {
    this.bounds = boundsOf(city.geometry);
    this.outline = this.ground.path([city.geometry]);
  }

  setNames(names: readonly Name[]): void {
    this.names = names;
  }

  setWater(water: readonly (Area | Line)[]): void {
    const isArea = (shape: Area | Line) => shape.type.endsWith("Polygon");
    this.lakes = this.ground.path(water.filter(isArea));
    this.rivers = this.ground.path(water.filter((shape) => !isArea(shape)));
  }

  drawLand(pen: Pen): void {
    const { ctx, camera, theme } = pen;
    ctx.fillStyle = theme.land;
    ctx.fillRect(0, 0, camera.width, camera.height);
    if (this.outline) pen.fill(this.outline, theme.city);
    this.drawWater(pen);
  }

  // drawWater draws rivers and lakes; with an opacity it does so over areas, under which they would not be seen.
  drawWater(pen: Pen, opacity = 1): void {
    if (this.lakes) pen.fill(this.lakes, pen.theme.water, opacity);
    if (this.rivers) pen.stroke(this.rivers, pen.theme.water, Math.max(2, riverWidth * pen.scale), opacity);
  }

  drawBoundary(pen: Pen): void {
    if (this.outline) pen.stroke(this.outline, pen.theme.edge, 1.5);
  }

  // drawNames writes names, or others instead. edge is how much of the picture at each side is not seen, in CSS pixels.
  drawNames(pen: Pen, instead: readonly Name[] | null, edge?: Point): void {
    const { ctx, camera, theme, ratio } = pen;
    const picture = (n: Name) => this.lettering.picture(n, theme, ratio);
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    const size = (n: Name): Point => [picture(n).width / ratio, picture(n).height / ratio];
    for (const { name, at } of arrange(instead ?? this.names, camera, size, edge)) {
      const letters = picture(name);
      ctx.drawImage(letters, Math.round(at[0] * ratio - letters.width / 2), Math.round(at[1] * ratio - letters.height / 2));
    }
    ctx.restore();
  }
}

const riverWidth = 10; // pixels at zoom 12, about 300 m in Cologne: the Rhine
