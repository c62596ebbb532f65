import type { share as german } from "../de/share";

export const share: typeof german = {
  open: "Share",
  link: "Address",
  send: "Share with an app …",
  picture: "Picture",
  pictureWhat: "With title, time, source and licence, to print and pass on. It is made in this browser.",
  pictureDo: "Save as PNG",
  pictureSvg: "Save as SVG",
  noPicture: "The browser cannot make a picture.",
  savedAt: "As of {time}",
};
