// The smallest world in PMTiles, version 3 (github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md): one vector tile
// (Mapbox Vector Tile 2.1) that is earth all over, and water west of a meridian.
import { gzipSync } from "node:zlib";

const varint = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))]);
const field = (id, type, bytes) => [...varint(id * 8 + type), ...bytes];
const number = (id, n) => field(id, 0, varint(n));
const message = (id, bytes) => field(id, 2, [...varint(bytes.length), ...bytes]);
const text = (id, s) => message(id, [...Buffer.from(s)]);
const zigzag = (n) => (n < 0 ? -n * 2 - 1 : n * 2);

const extent = 4096;

// rectangle is from the tile's left edge to x, as commands: move to 0,0, line to three corners, close.
const rectangle = (x) => [9, 0, 0, 26, zigzag(x), 0, 0, zigzag(extent), zigzag(-x), 0, 15].flatMap((n) => varint(n));

const layer = (name, x) =>
  message(3, [...number(15, 2), ...text(1, name), ...message(2, [...number(3, 3), ...message(4, rectangle(x))]), ...number(5, extent)]);

// archive is the file; the water ends at a longitude.
export function archive(longitude, attribution) {
  const tile = gzipSync(Buffer.from([...layer("earth", extent), ...layer("water", Math.round(((longitude + 180) / 360) * extent))]));
  const root = gzipSync(Buffer.from([1, 0, 1, ...varint(tile.length), 1])); // one entry: tile 0, once, its length, offset 0
  const metadata = gzipSync(
    Buffer.from(
      JSON.stringify({
        name: "world",
        attribution,
        vector_layers: ["earth", "landuse", "water", "roads"].map((id) => ({ id, fields: {} })),
      }),
    ),
  );
  const header = Buffer.alloc(127);
  header.write("PMTiles\x03", "latin1");
  let at = header.length;
  const section = (place, bytes) => {
    header.writeBigUInt64LE(BigInt(at), place);
    header.writeBigUInt64LE(BigInt(bytes.length), place + 8);
    at += bytes.length;
  };
  section(8, root);
  section(24, metadata);
  section(40, Buffer.alloc(0));
  section(56, tile);
  for (const place of [72, 80, 88]) header.writeBigUInt64LE(1n, place); // one tile, one entry, one content
  header.set([1, 2, 2, 1, 0, 0], 96); // clustered; gzip within and of tiles; vector tiles; zoom 0 to 0
  for (const [place, degrees] of [
    [102, -180],
    [106, -85],
    [110, 180],
    [114, 85],
  ])
    header.writeInt32LE(degrees * 1e7, place);
  return Buffer.concat([header, root, metadata, tile]);
}
