// What Node has and Jest's jsdom does not hand on. The engine is read from a file: bytes of Node's realm.
import { TestEnvironment } from "jest-environment-jsdom";

export default class extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { TextEncoder, TextDecoder, WebAssembly, Uint8Array, URL, structuredClone });
  }
}
