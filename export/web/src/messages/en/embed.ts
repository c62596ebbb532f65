import type { embed as german } from "../de/embed";

export const embed: typeof german = {
  heading: "Show it on your own site",
  what: "The city, the map, each cell, district and station can stand in another page as a small card. It loads nothing from third parties and sets no cookies.",
  offer: "Embed",
  city: "Embed the city's mean",
  map: "Embed the map",
  title: "Stadtluft",
  see: "Look at it",
  more: "More on the map",
  nothing: "There is nothing here: {detail}",
  hourMean: "corrected mean of the hour {period}",
  single: "Latest single value, uncorrected",
  noValue: "No value at present.",
  noHour: "No hourly means in the last three hours.",
};
