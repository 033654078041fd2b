/** The process that kill.test.ts kills: appends and commits without end, and tells each acknowledgement. */
import { systemClock } from "../base/clock.ts";
import { tell } from "./kill-told.ts";
import { decisionDraft, holdDraft, install, liftDraft } from "./recorder-fixture.ts";

const [directory = "", run = ""] = process.argv.slice(2);
const at = await install({ directory, clock: systemClock, log: { publishEvery: 20, limits: { segmentBytes: 65_536 } } });
let counter = 0;

async function decide(): Promise<never> {
  for (;;) {
    const entry = await at.recorder.append(decisionDraft(counter++));
    tell(`${entry.index} ${entry.id}`);
  }
}

async function command(): Promise<never> {
  for (;;) {
    const draft = counter++ % 3 === 0 ? liftDraft() : holdDraft(`${run}-${counter}`);
    const { entry } = await at.recorder.commit(async () => ({ entry: draft, value: 0 }));
    tell(`${entry?.index} ${entry?.id}`);
  }
}

async function settle(): Promise<never> {
  for (;;) {
    await at.recorder.settle();
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

tell("ready");
await Promise.all([...Array.from({ length: 8 }, decide), command(), command(), settle()]);
