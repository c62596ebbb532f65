// Payload formatter for The Things Stack v3: paste it into the application's uplink formatter ("Custom
// JavaScript formatter"). It decodes the binary payload that ../README.md specifies. The stack runs
// ECMAScript 5.1 without modules, and input.bytes need not be a real array.
//
// data holds one reading under the names of the protocol, {"pm2_5": 12.3, "pm10": 20.1}, with "age" in
// seconds when the station sent one; or, when there are more, {"readings": [{...}, {"age": 600, ...}]}.
//
// The stack leaves out members that are 0 when it passes messages on. So a reading names its members that
// are 0 in "x_zero": {"temperature": 0, "x_zero": ["temperature"]}; whoever reads decoded_payload puts them
// back. A Stadtluft server need not: "x_stadtluft", the payload's version, tells it to decode frm_payload itself.
//
// What is refused is a warning, "unknown_member 0x13: ...", with reason and field as in the specification, or an
// error when it is the whole payload.

var stadtluftPort = 1;
var stadtluftVersion = 1;
var stadtluftMost = 51; // bytes of a payload

// By code: name, what the whole number is divided by, whether it is signed. The code's top bit says that
// three bytes follow instead of two.
var stadtluftTable = {
  0x01: ["pm1", 10, false],
  0x02: ["pm2_5", 10, false],
  0x03: ["pm4", 10, false],
  0x04: ["pm10", 10, false],
  0x05: ["no2", 10, true],
  0x06: ["no", 10, true],
  0x07: ["o3", 10, true],
  0x08: ["so2", 10, true],
  0x09: ["co", 100, true],
  0x0a: ["co2", 1, false],
  0x0b: ["voc_index", 10, false],
  0x0c: ["nox_index", 10, false],
  0x0d: ["temperature", 100, true],
  0x0e: ["humidity", 100, false],
  0x8f: ["pressure", 100, false],
  0x10: ["noise_laeq", 10, false],
  0x11: ["battery", 1000, false],
  0x12: ["rssi", 1, true],
  0x00: ["age", 1, false],
  0x80: ["age", 1, false]
};

function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== stadtluftPort) {
    var elsewhere = "FPort " + input.fPort + " carries no readings, FPort " + stadtluftPort + " does";
    return { data: {}, warnings: [elsewhere], errors: [] };
  }
  if (bytes.length > stadtluftMost) {
    return stadtluftFailure("too_large: the payload has " + bytes.length + " bytes, at most " + stadtluftMost + " are taken");
  }
  if (bytes.length === 0) {
    return stadtluftFailure("malformed: the payload is empty");
  }
  if (bytes[0] !== stadtluftVersion) {
    return stadtluftFailure("unsupported: the payload begins with " + stadtluftHex(bytes[0]) + ", not with version " + stadtluftHex(stadtluftVersion));
  }
  return stadtluftReadings(bytes);
}

function stadtluftFailure(text) {
  return { data: {}, warnings: [], errors: [text] };
}

function stadtluftReadings(bytes) {
  var starts = stadtluftStarts(bytes);
  var readings = [];
  var warnings = [];
  for (var i = 0; i < starts.length; i++) {
    var place = starts.length > 1 ? "[" + i + "]" : "";
    var end = i + 1 < starts.length ? starts[i + 1] : bytes.length;
    var reading = stadtluftReading(bytes, starts[i], end, place, warnings);
    if (reading) {
      readings.push(reading);
    }
  }
  var data = readings.length > 1 ? { readings: readings } : readings[0] || {};
  data.x_stadtluft = stadtluftVersion;
  return { data: data, warnings: warnings, errors: [] };
}

// stadtluftStarts finds where the readings begin: behind the version, and at each age.
function stadtluftStarts(bytes) {
  var starts = [1];
  for (var at = 1; at < bytes.length; at += 1 + stadtluftWidth(bytes[at])) {
    if ((bytes[at] & 0x7f) === 0 && at > 1) {
      starts.push(at);
    }
  }
  return starts;
}

function stadtluftWidth(code) {
  return code & 0x80 ? 3 : 2;
}

// stadtluftReading decodes the bytes of one reading, or answers null when it keeps no value.
function stadtluftReading(bytes, at, end, place, warnings) {
  var reading = {};
  var zeros = [];
  var values = 0;
  var warningsBefore = warnings.length;
  function refuse(reason, field, detail) {
    var name = place + (place && field ? "." : "") + field;
    warnings.push(reason + (name ? " " + name : "") + ": " + detail);
  }
  while (at < end) {
    var code = bytes[at];
    var width = stadtluftWidth(code);
    var known = stadtluftTable.hasOwnProperty(code) ? stadtluftTable[code] : null;
    var name = known ? known[0] : stadtluftHex(code);
    if (end - at - 1 < width) {
      refuse(name === "age" ? "bad_time" : "malformed", name, "the payload ends within it");
      break;
    }
    var raw = 0;
    for (var i = 1; i <= width; i++) {
      raw = raw * 256 + bytes[at + i];
    }
    at += 1 + width;
    if (!known) {
      refuse("unknown_member", name, "it is no quantity's code");
    } else if (reading.hasOwnProperty(name)) {
      refuse("repeated_member", name, "the first counts");
    } else {
      if (known[2] && raw >= Math.pow(2, 8 * width - 1)) {
        raw -= Math.pow(2, 8 * width);
      }
      reading[name] = raw / known[1];
      if (raw === 0) {
        zeros.push(name);
      }
      if (name !== "age") {
        values++;
      }
    }
  }
  if (zeros.length > 0) {
    reading.x_zero = zeros;
  }
  if (values === 0 && warnings.length === warningsBefore) {
    refuse("no_values", "", "the reading has no value");
  }
  return values > 0 ? reading : null;
}

function stadtluftHex(code) {
  return "0x" + (code < 16 ? "0" : "") + code.toString(16);
}
