import type { mine as german } from "../de/mine";

export const mine: typeof german = {
  heading: "My stations",
  what: "Stations whose management link was opened in this browser. This browser alone remembers them; on somebody else's device, remove them when you leave.",
  none: "This browser knows no station yet. Open your management link, or register a station.",
  link: "Pass on the link",
  linkIsKey: "This link is the key: whoever has it can manage the station.",
  forget: "Remove here",
  forgetAll: "Remove all here",
  forgot: "“{name}” is removed here. The station stays, and its management link still works.",
  forgotAll: "This browser knows no station any more. The stations stay, and their management links still work.",
  gone: "It does not exist any more, or its management link was renewed.",
  kept: "This browser remembers the station:",
};
