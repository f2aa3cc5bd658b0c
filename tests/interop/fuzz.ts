// Random authors on one document, each with their own copy, connected now and then. Which of them fails, and how.
import type { Descendant } from "slate";
import { type EditName, edit, mix, type Random, random } from "./random.js";
import { canonical, type Replica } from "./replica.js";

export interface Plan {
  seed: number;
  steps: number;
  /** Authors who move inlines and leaves about too. */
  inlineMoves: (replica: Replica) => boolean;
  undo: boolean;
}

/** What went wrong with one replica. */
export interface Failure {
  replica: number;
  kind: Replica["kind"];
  how: "threw" | "editor differs from document" | "documents differ";
  step: number;
  detail: string;
}

interface Author {
  readonly replica: Replica;
  readonly names: readonly EditName[];
  /** From each of the others: updates on their way. */
  readonly inbox: Uint8Array[][];
  broken: boolean;
}

/** Runs one plan. An author whose editor threw edits no more, its document still takes part. */
export async function run(replicas: readonly Replica[], plan: Plan): Promise<Failure[]> {
  const next = random(plan.seed);
  const failures: Failure[] = [];
  const authors: Author[] = replicas.map((replica) => ({
    replica,
    names: mix(plan.inlineMoves(replica)),
    inbox: replicas.map(() => []),
    broken: false,
  }));
  const attempt = (index: number, step: number, what: string, body: () => void) => {
    const author = authors[index]!;
    if (author.broken) return;
    try {
      body();
    } catch (error) {
      author.broken = true;
      const detail = `${what}: ${error instanceof Error ? error.stack : String(error)}`;
      failures.push({ replica: index, kind: author.replica.kind, how: "threw", step, detail });
    }
  };
  for (let step = 0; step < plan.steps; step++) {
    const index = next(authors.length);
    attempt(index, step, "edit", () => act(authors[index]!, next, plan.undo));
    if (next(3) > 0) attempt(index, step, "flush", () => send(authors, index));
    if (next(2) > 0) deliver(authors, next(authors.length), next, (to, body) => attempt(to, step, "apply", body));
    if (next(12) === 0) await Promise.resolve();
  }
  for (let index = 0; index < authors.length; index++) attempt(index, plan.steps, "flush", () => send(authors, index));
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < authors.length; index++) {
      deliver(authors, index, null, (to, body) => attempt(to, plan.steps, "apply", body));
      // Normalizers may have written.
      attempt(index, plan.steps, "flush", () => send(authors, index));
    }
  }
  failures.push(...compare(authors, plan.steps));
  return failures;
}

function act(author: Author, next: Random, undo: boolean): void {
  if (undo && author.replica.kind === "ours" && next(8) === 0) {
    if (next(3)) author.replica.undo();
    else author.replica.redo();
  } else edit(author.replica.editor, next, author.names);
}

function send(authors: readonly Author[], from: number): void {
  for (const update of authors[from]!.replica.flush()) {
    authors.forEach((author, index) => {
      if (index !== from) author.inbox[from]!.push(update);
    });
  }
}

/** Hands over what is on its way to `to`: all of it, or with `next` the oldest of some of the others. */
function deliver(
  authors: readonly Author[],
  to: number,
  next: Random | null,
  attempt: (to: number, body: () => void) => void,
): void {
  const author = authors[to]!;
  attempt(to, () => send(authors, to));
  for (const queue of author.inbox) {
    if (next !== null && next(3) === 0) continue;
    for (const update of queue.splice(0, next === null ? queue.length : 1 + next(queue.length + 1))) {
      attempt(to, () => author.replica.apply(update));
    }
  }
}

function compare(authors: readonly Author[], step: number): Failure[] {
  const failures: Failure[] = [];
  const texts = authors.map(({ replica }) => JSON.stringify(canonical(replica.document())));
  authors.forEach(({ replica, broken }, index) => {
    const found = (how: Failure["how"], detail: string) =>
      failures.push({ replica: index, kind: replica.kind, how, step, detail });
    if (broken) return;
    const shown = JSON.stringify(canonical(replica.editor.children as Descendant[]));
    if (shown !== texts[index]) found("editor differs from document", `${shown}\n${texts[index]}`);
    const other = authors.findIndex((author, at) => !author.broken && texts[at] !== texts[index]);
    if (other >= 0) found("documents differ", `${texts[index]}\n${texts[other]}`);
  });
  return failures;
}
