import { holdsWithServers } from "./runner/suite.js";

holdsWithServers("format1");
