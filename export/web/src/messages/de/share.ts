export const share = {
  open: "Teilen",
  link: "Adresse",
  send: "Mit einer App teilen …",
  picture: "Bild",
  pictureWhat: "Mit Titel, Zeit, Quelle und Lizenz, zum Abdrucken und Weitergeben. Es entsteht in diesem Browser.",
  pictureDo: "Als PNG speichern",
  pictureSvg: "Als SVG speichern",
  noPicture: "Der Browser kann kein Bild machen.",
  savedAt: "Stand: {time}",
};
