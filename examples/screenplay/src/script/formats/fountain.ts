// Fountain, the plain text format for screenplays (fountain.io/syntax).
export { fountainLines, fromFountain, plainText } from "./fountain-read.ts";
export { toFountain } from "./fountain-write.ts";
