export const play = {
  start: "Abspielen",
  stop: "Anhalten",
  what: "Die letzten 48 Stunden abspielen",
};
