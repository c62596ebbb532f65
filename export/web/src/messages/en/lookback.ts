import type { lookback as german } from "../de/lookback";

export const lookback: typeof german = {
  open: "Looking back",
  embed: "Embed this look back",
  what: "{quantity}, daily means",
  none: "There are no daily means of the last year.",
  last: "The last 7 days",
  before: "The 7 days before",
  yearAgo: "The same days a year ago",
  fewDays: "too few days ({days} of 7)",
  more: "now {percent}% more",
  less: "now {percent}% less",
  same: "now the same",
  above_eu: "Days in {year} above {value} (EU from 2030)",
  above_who: "Days in {year} above {value} (WHO)",
  days: "{days} of {of} measured",
  calendar: "The last twelve months",
  dot: "above {value}",
  note: "There is a daily mean when at least 18 hours count; empty squares have none.",
  noteLimits:
    "There is a daily mean when at least 18 hours count; empty squares have none. Limits are for official measurements and stand here for comparison.",
};
