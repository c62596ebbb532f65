export const adminlist = {
  order: "Sortieren",
  order_status: "was Arbeit macht, zuerst",
  order_name: "nach Namen",
  order_last: "am längsten still zuerst",
  order_good: "am wenigsten gezählt zuerst",
  order_flags: "am meisten auffällig zuerst",
  before: "Vorige",
  after: "Nächste",
  of: "{from} bis {to} von {all}",
};
