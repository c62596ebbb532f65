import type { series as german } from "../de/series";

export const series: typeof german = {
  waiting: "Loading {period} …",
  dayNote:
    "Gaps are gaps: there is a daily mean when at least 18 of the 24 hours have an hourly mean. The neighbourhood is the median of the grid cells within 3 km (of 10 km where they are fewer than three) without its own. Limits are for official measurements and stand here for comparison only.",
  read: "Values in the plot: arrow keys go from one to the next, or point at it.",
  at: "{time}: {values}",
  own: "{value} (measured {raw})",
  around: "neighbourhood {value}",
  official: "{name} {value}",
  reading: "single reading {value}",
  flagged: "single reading {value}, does not count",
  nothing: "no mean",
  only: "{format} (only {period})",
  allCells: "Download all cells of {size}",
  allDistricts: "Download all districts",
  lastHour: "Download the station's last hour",
};
