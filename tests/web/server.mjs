// The server of the socket tests: does what the path says. Writes its address where the tests find it, and ends with
// the command it was started with: `node tests/web/server.mjs cargo test …`.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const ADDRESS = "target/web-server.json";

const http = createServer((_, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ noServer: true });

http.on("upgrade", (request, socket, head) => {
  const [, what, code] = request.url.split("/");
  if (what === "refuse") return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  if (what === "close-in-handshake") return socket.destroy();
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", () => {});
    if (what === "echo") ws.on("message", (message, binary) => ws.send(message, { binary }));
    if (what === "kind")
      ws.on("message", (message, binary) => ws.send(`${binary ? "binary" : "text"} ${message.length}`));
    if (what === "close") ws.close(Number(code), "as asked");
    if (what === "cut") setTimeout(() => socket.destroy(), 20);
    if (what === "flood") {
      const timer = setInterval(() => ws.send(Buffer.alloc(8)), 1);
      ws.on("close", () => clearInterval(timer));
    }
  });
});

http.listen(0, "127.0.0.1", () => {
  mkdirSync("target", { recursive: true });
  writeFileSync(ADDRESS, JSON.stringify({ url: `ws://127.0.0.1:${http.address().port}` }));
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) return;
  spawn(command, args, { stdio: "inherit" }).on("exit", (status) => {
    rmSync(ADDRESS, { force: true });
    process.exit(status ?? 1);
  });
});
