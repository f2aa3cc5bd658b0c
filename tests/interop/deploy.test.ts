// What is deployed: the systemd unit and the Kubernetes manifests, looked over by the tools of each.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const deploy = join(root, "server/deploy");
const python = join(root, "target/python");
const folder = mkdtempSync(join(tmpdir(), "slate-yrs-deploy-"));

afterAll(() => rmSync(folder, { recursive: true }));

/** What the validator with the schemas of Kubernetes says of each; properties that no schema has are errors. */
function validate(texts: string[]) {
  const files = texts.map((_, at) => join(folder, `manifest-${at}.yaml`));
  for (const [at, file] of files.entries()) writeFileSync(file, texts[at] ?? "");
  const { stdout, stderr } = spawnSync("python3", ["-m", "kubernetes_validate", "--strict", ...files], {
    env: { ...process.env, PYTHONPATH: python },
    encoding: "utf8",
  });
  const lines = (stdout + stderr).split("\n");
  return files.map((file) => lines.filter((line) => line.includes(file)).join("\n") || stderr);
}

describe("the Kubernetes manifests", () => {
  const manifest = readFileSync(join(deploy, "kubernetes.yaml"), "utf8");

  it("are valid by the schemas of Kubernetes, all of them, and would not be with a mistake", () => {
    const mistakes = [
      ["replicas: 3", "replica: 3"],
      ["replicas: 3", 'replicas: "three"'],
      ["containerPort: 8787", "port: 8787"],
      ["readOnlyRootFilesystem", "readOnlyFilesystem"],
    ] as const;
    for (const [right] of mistakes) expect(manifest).toContain(right);
    const wrong = mistakes.map(([right, wrong]) => manifest.replace(right, wrong));
    const [said, ...others] = validate([manifest, ...wrong]);
    for (const kind of ["deployment", "service", "poddisruptionbudget"])
      expect(said).toContain(`passed for resource ${kind}/slate-yrs`);
    expect(said).not.toContain("did not validate");
    for (const [at, other] of others.entries()) expect(other, mistakes[at]?.[1]).toContain("did not validate");
  });

  it("keep the labels together by which they find each other", () => {
    const labels = [...manifest.matchAll(/(?:matchLabels|selector|labels): \{(.*)\}/g)].map(([, inside]) => inside);
    expect(labels.length).toBeGreaterThanOrEqual(4);
    expect(new Set(labels)).toEqual(new Set(["app: slate-yrs"]));
    expect(manifest).not.toMatch(/sessionAffinity/);
  });
});

describe("the systemd unit", () => {
  const unit = readFileSync(join(deploy, "slate-yrs-server.service"), "utf8");
  function verify(text: string) {
    const file = join(folder, "slate-yrs-server.service");
    // Where the unit has it nothing is installed here.
    const program = join(folder, "slate-yrs-server");
    copyFileSync("/bin/true", program);
    writeFileSync(file, text.replace("/usr/local/bin/slate-yrs-server", program));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    return { isValid: status === 0 && !stderr.includes("slate-yrs-server.service"), said: stdout + stderr };
  }

  it("is what systemd understands, to the last word", () => {
    const { isValid, said } = verify(unit);
    expect(isValid, said).toBe(true);
    for (const [right, wrong] of [
      ["Restart=always", "Restart=sometimes"],
      ["ProtectHome=yes", "ProtectHomes=yes"],
      ["ExecStart=/usr/local/bin/slate-yrs-server", "ExecStart=slate yrs server"],
    ] as const) {
      expect(unit).toContain(right);
      expect(verify(unit.replace(right, wrong)).isValid, wrong).toBe(false);
    }
  });

  it("waits longer than the server takes to shut down", () => {
    const patience = Number(unit.match(/^TimeoutStopSec=(\d+)$/m)?.[1]);
    const help = execFileSync(join(root, "target/debug/slate-yrs-server"), ["--help"], { encoding: "utf8" });
    const shutdown = Number(help.match(/--shutdown-ms[\s\S]*?\[default: (\d+)\]/)?.[1]);
    expect(patience * 1000).toBeGreaterThan(shutdown);
  });
});
