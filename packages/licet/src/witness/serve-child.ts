import { systemClock } from "../base/clock.ts";
import { openLog } from "../http/log.ts";
import { serveWitness } from "./serve.ts";

/** A witness in a process of its own, for a test to kill. Arguments: folder, name, port. */
const [, , folder = "", name = "", port = "0"] = process.argv;
const witness = await serveWitness({ folder, name, host: "127.0.0.1", port: Number(port), clock: systemClock, log: openLog("error") });
process.stdout.write(`${JSON.stringify({ url: witness.url, vkeys: witness.vkeys })}\n`);
