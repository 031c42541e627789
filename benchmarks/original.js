// Points the npm tool, unedited, at the local stack: `node -r ./original.js …/dist/index.js pub …`.
// Cognito's two hosts become the stack's HTTP port (LOCAL_API), and the first MQTT packet says 3.1.1
// instead of 3.1, which the stack's broker does not speak.
const http = require("http"), https = require("https"), Module = require("module");
const port = Number(process.env.LOCAL_API);

const request = https.request;
https.request = function (options, callback) {
  const host = options.hostname || options.host || "";
  if (!/^cognito-(idp|identity)\./.test(host)) return request.apply(https, arguments);
  const { Host, host: _, ...headers } = options.headers || {};
  return http.request(
    { method: options.method, path: options.path, hostname: "127.0.0.1", port, headers: { ...headers, host: `127.0.0.1:${port}` } },
    callback,
  );
};

// Fixed header and remaining length, then "MQIsdp" 3 becomes "MQTT" 4; what follows stays.
function as311(packet) {
  let start = 1;
  while (packet[start++] & 0x80);
  const body = Buffer.concat([Buffer.from([0, 4]), Buffer.from("MQTT"), Buffer.from([4]), packet.subarray(start + 9)]);
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([0x10, ...length]), body]);
}

const load = Module._load;
let Patched;
Module._load = function (name) {
  const loaded = load.apply(this, arguments);
  if (name !== "ws") return loaded;
  return (Patched ||= class extends loaded {
    constructor(url) {
      super(url, ["mqtt"]);
    }
    send(data, ...rest) {
      const packet = this.connected ? data : as311(Buffer.from(data.buffer || data));
      this.connected = true;
      return super.send(packet, ...rest);
    }
  });
};
