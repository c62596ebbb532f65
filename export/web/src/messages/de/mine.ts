export const mine = {
  heading: "Meine Stationen",
  what: "Stationen, deren Verwaltungslink in diesem Browser geöffnet wurde. Nur dieser Browser merkt sie sich; an einem fremden Gerät entferne sie, wenn du gehst.",
  none: "Dieser Browser kennt noch keine Station. Öffne deinen Verwaltungslink, oder melde eine Station an.",
  link: "Link weitergeben",
  linkIsKey: "Dieser Link ist der Schlüssel: Wer ihn hat, kann die Station verwalten.",
  forget: "Hier entfernen",
  forgetAll: "Alle hier entfernen",
  forgot: "„{name}“ ist hier entfernt. Die Station bleibt, und ihr Verwaltungslink gilt weiter.",
  forgotAll: "Dieser Browser kennt keine Station mehr. Die Stationen bleiben, und ihre Verwaltungslinks gelten weiter.",
  gone: "Es gibt sie nicht mehr, oder ihr Verwaltungslink wurde erneuert.",
  kept: "Dieser Browser merkt sich die Station:",
};
