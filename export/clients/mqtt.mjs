// Publishes readings as a station over WebSocket and reads an average without a log-in, with MQTT.js as dashboards have it:
//   node mqtt.mjs URL VERSION STATION TOKEN FIRST-TIME
// It prints the topic and payload of a retained average that it waits for.
import mqtt from "mqtt";

const [url, version, station, token, first] = process.argv.slice(2);
const protocolVersion = Number(version);
const quiet = { protocolVersion, reconnectPeriod: 0, connectTimeout: 10_000 };

const kit = await mqtt.connectAsync(url, { ...quiet, username: station, password: token });
for (const qos of [0, 1, 2]) {
	const payload = JSON.stringify({ t: Number(first) + qos, pm10: 10 * protocolVersion + qos });
	await kit.publishAsync(`stadtluft/v1/${station}/reading`, payload, { qos });
}
await kit.endAsync();

const board = await mqtt.connectAsync(url, quiet);
const average = new Promise((resolve) => board.on("message", (topic, payload, packet) => resolve([topic, payload, packet.retain])));
await board.subscribeAsync("stadtluft/v1/city/#", { qos: 1 });
const [topic, payload, retained] = await average;
console.log(topic, payload.toString(), retained);
await board.endAsync();
