// @y/websocket-server in memory: `node y_server.mjs PORT`.
import { createServer } from "node:http";
import { setupWSConnection } from "@y/websocket-server/utils";
import { WebSocketServer } from "ws";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
sockets.on("connection", setupWSConnection);
http.listen(Number(process.argv[2]), "127.0.0.1");
