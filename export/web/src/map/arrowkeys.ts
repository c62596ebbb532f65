// Where arrow keys lead from one area of the map.

export interface Point {
  lon: number;
  lat: number;
}

// arrowKeys are the directions of the keys.
export const arrowKeys: Record<string, readonly [right: number, down: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

// nextArea returns the area in the direction of an arrow key: the nearest within 45° of it, where a step aside counts twice as
// much as one ahead. It is null where there is none.
export function nextArea<T extends Point>(list: readonly T[], from: Point, key: string): T | null {
  const [right, down] = arrowKeys[key] ?? [0, 0];
  const lonScale = Math.cos((from.lat * Math.PI) / 180); // length of a degree of longitude in degrees of latitude
  let best: T | null = null;
  let lowestCost = Infinity;
  for (const to of list) {
    const [x, y] = [(to.lon - from.lon) * lonScale, to.lat - from.lat];
    const ahead = x * right - y * down;
    const aside = Math.abs(x * down) + Math.abs(y * right);
    const cost = ahead + 2 * aside;
    if (ahead > 1e-9 && aside <= ahead && cost < lowestCost) [best, lowestCost] = [to, cost];
  }
  return best;
}

// nearestArea returns the area whose centre is nearest to a point; null of an empty list.
export function nearestArea<T extends Point>(list: readonly T[], to: Point): T | null {
  const lonScale = Math.cos((to.lat * Math.PI) / 180);
  const distance = (p: Point) => Math.hypot((p.lon - to.lon) * lonScale, p.lat - to.lat);
  return list.reduce<T | null>((best, p) => (best && distance(best) <= distance(p) ? best : p), null);
}
