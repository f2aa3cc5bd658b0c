import { holdsWithoutServer } from "./runner/suite.js";

holdsWithoutServer("format0");
