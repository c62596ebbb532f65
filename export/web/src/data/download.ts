// What can be downloaded, its address, and code that reads it.

export type Dataset = "readings" | "means" | "grid" | "districts" | "stations";
export type Format = "csv" | "excel_de" | "geojson" | "parquet" | "json";

export interface Download {
  what: Dataset;
  quantity: string; // empty is every quantity
  window: "1h" | "24h"; // of averages
  from: string; // YYYY-MM-DD, included
  to: string; // YYYY-MM-DD, included
  format: Format;
  good: boolean; // readings without a flag that excludes
}

// formats are those of each dataset.
export const formats: Record<Dataset, readonly Format[]> = {
  readings: ["csv", "excel_de", "parquet", "geojson", "json"],
  means: ["csv", "excel_de", "parquet", "json"],
  grid: ["csv", "excel_de", "parquet", "geojson", "json"],
  districts: ["csv", "excel_de", "parquet", "json"],
  stations: ["geojson"],
};

const routes: Record<Dataset, string> = {
  readings: "readings",
  means: "readings",
  grid: "grid",
  districts: "districts",
  stations: "stations",
};

// route returns the path and query of a download. Days are days of UTC, and both are included.
export function route(w: Download): string {
  const q = new URLSearchParams();
  if (w.what !== "stations") {
    q.set("from", `${w.from}T00:00:00Z`);
    q.set("to", `${dayAfter(w.to)}T00:00:00Z`);
    if (w.what === "means") q.set("resolution", w.window === "1h" ? "1h" : "1d");
    if (w.what === "grid" || w.what === "districts") q.set("window", w.window);
    if (w.quantity) q.set("quantity", w.quantity);
    if (w.what === "readings" && w.good) q.set("flags", "good");
    q.set("format", extension(w.format));
    if (w.format === "excel_de") q.set("decimal", "comma");
  }
  const text = q.toString().replaceAll("%3A", ":");
  return `/api/v1/${routes[w.what]}${text ? `?${text}` : ""}`;
}

// daysAtOnce is how many days a request may have in formats that clients hold in memory whole (export/README.md, "In general").
const daysAtOnce: Record<Exclude<Dataset, "stations">, Record<Download["window"], number>> = {
  readings: { "1h": 31, "24h": 31 },
  means: { "1h": 366, "24h": 3660 },
  grid: { "1h": 31, "24h": 366 },
  districts: { "1h": 31, "24h": 366 },
};

// maxDays returns how many days a request may have.
export const maxDays = (w: Download): number =>
  w.what === "stations" || (w.format !== "geojson" && w.format !== "json") ? Infinity : daysAtOnce[w.what][w.window];

export const days = (w: Download): number => (Date.parse(w.to) - Date.parse(w.from)) / 86_400_000 + 1;

const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

// extension returns what a format's files end with.
const extension = (format: Format): string => (format === "excel_de" ? "csv" : format);

export const fileName = (w: Download): string => `${w.what}.${extension(w.format)}`;

// snippets returns code that reads an address, for each tool.
export function snippets(w: Download, address: string): [tool: string, code: string][] {
  const file = fileName(w);
  const curl = `curl --fail --compressed --output ${file} '${address}'`;
  const [time, value] = w.what === "readings" ? ["time", "value"] : ["window_start", "mean"];
  if (w.format === "csv") {
    return [
      ["curl", curl],
      [
        "Python (pandas)",
        `import pandas as pd\n\ndata = pd.read_csv(\n    "${address}",\n    parse_dates=["${time}"],\n)\nprint(data.groupby("quantity")["${value}"].describe())`,
      ],
      [
        "R",
        `data <- read.csv("${address}")\ndata$${time} <- as.POSIXct(data$${time}, format = "%Y-%m-%dT%H:%M:%SZ", tz = "UTC")\ntapply(data$${value}, data$quantity, mean)`,
      ],
      ["DuckDB", `-- ${curl}\nSELECT quantity, count(*), avg(${value}::DOUBLE)\nFROM read_csv('${file}') GROUP BY quantity;`],
    ];
  }
  if (w.format === "excel_de") return []; // it is for a program without code
  if (w.format === "parquet") {
    return [
      ["curl", curl],
      [
        "Python (pandas)",
        `# pip install pandas pyarrow\nimport pandas as pd\n\ndata = pd.read_parquet("${address}")\nprint(data.describe())`,
      ],
      ["R", `# install.packages("arrow")\n# ${curl}\ndata <- arrow::read_parquet("${file}")\nsummary(data)`],
      ["DuckDB", `-- ${curl}\nSELECT * FROM '${file}' LIMIT 10;`],
    ];
  }
  if (w.format === "json") {
    const pages = `const rows = [];\nlet next = "${address}";\nwhile (next) {\n  const page = await (await fetch(next)).json();\n  rows.push(...page.rows);\n  next = page.next;\n}\nconsole.log(rows.length, rows[0]);`;
    return [
      ["curl", `# one page; "next" in it is the address of the next\n${curl}`],
      ["JavaScript", pages],
    ];
  }
  return [
    ["curl", curl],
    [
      "JavaScript",
      `const answer = await fetch("${address}");\nconst data = await answer.json();\nconsole.log(data.features.length, data.features[0]);`,
    ],
    ["Python (GeoPandas)", `# pip install geopandas\nimport geopandas\n\ndata = geopandas.read_file("${address}")\nprint(data.head())`],
  ];
}
