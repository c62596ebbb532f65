// The way that arrow keys lead, from area to area.

export interface Point {
  lon: number;
  lat: number;
}

// arrows are the keys that lead somewhere: to the right and downwards.
export const arrows: Record<string, readonly [right: number, down: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

// next is the area that lies in the direction of an arrow key from a point: the nearest within 45° of it, straight ahead
// before aside; null where there is none.
export function next<T extends Point>(list: readonly T[], from: Point, key: string): T | null {
  const [right, down] = arrows[key] ?? [0, 0];
  const narrow = Math.cos((from.lat * Math.PI) / 180); // a degree of longitude is so much shorter than one of latitude
  let best: T | null = null;
  let least = Infinity;
  for (const to of list) {
    const [x, y] = [(to.lon - from.lon) * narrow, to.lat - from.lat];
    const ahead = x * right - y * down;
    const aside = Math.abs(x * down) + Math.abs(y * right);
    const way = ahead + 2 * aside;
    if (ahead > 1e-9 && aside <= ahead && way < least) [best, least] = [to, way];
  }
  return best;
}

// nearest is the area around whose middle a point lies.
export function nearest<T extends Point>(list: readonly T[], to: Point): T | null {
  const narrow = Math.cos((to.lat * Math.PI) / 180);
  const far = (p: Point) => Math.hypot((p.lon - to.lon) * narrow, p.lat - to.lat);
  return list.reduce<T | null>((best, p) => (best && far(best) <= far(p) ? best : p), null);
}
