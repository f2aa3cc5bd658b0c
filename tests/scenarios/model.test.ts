import { holdsWithoutServer } from "./runner/suite.js";

holdsWithoutServer("model");
