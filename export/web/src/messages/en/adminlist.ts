import type { adminlist as german } from "../de/adminlist";

export const adminlist: typeof german = {
  order: "Sort",
  order_status: "what needs work first",
  order_name: "by name",
  order_last: "longest silent first",
  order_good: "least counted first",
  order_flags: "most flagged first",
  before: "Previous",
  after: "Next",
  of: "{from} to {to} of {all}",
};
