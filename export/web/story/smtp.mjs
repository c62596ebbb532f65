// An SMTP server for the stories: it takes every mail and leaves it in a folder. Arguments: port and folder.
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const [port, folder] = process.argv.slice(2);
let taken = 0;

createServer((client) => {
  let rest = "";
  let mail = null; // its lines, between DATA and the dot
  const say = (line) => client.write(`${line}\r\n`);
  const answers = { EHLO: "250 story", HELO: "250 story", DATA: "354 go on", QUIT: "221 bye" };
  const keep = (lines) => {
    const path = join(folder, `${++taken}.eml`);
    writeFileSync(`${path}.part`, lines.join("\n"));
    renameSync(`${path}.part`, path);
  };
  const take = (line) => {
    if (mail && line !== ".") return void mail.push(line.replace(/^\./, ""));
    if (mail) {
      keep(mail);
      mail = null;
      return void say("250 taken");
    }
    const verb = line.split(/[ :]/)[0].toUpperCase();
    if (verb === "DATA") mail = [];
    say(answers[verb] ?? "250 fine");
    if (verb === "QUIT") client.end();
  };
  say("220 story");
  client.on("error", () => {});
  client.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\r\n");
    rest = lines.pop();
    lines.forEach(take);
  });
}).listen(Number(port), "127.0.0.1");
