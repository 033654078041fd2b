import { ContentMode, DataClass, dataClasses, type ContentModes, type ErasureTarget, type PrivacyView } from "@licet/contract";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { outcomeOf } from "./people.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface JsonOption extends ServerOptions {
  readonly json?: boolean;
}

function due(time: number | null): string {
  return time === null ? "-" : timeText(time);
}

function shown(view: PrivacyView): string {
  const { contentModes, retentionDays, keys, nextDue } = view;
  const kept = { governance: "kept", runtime: `${retentionDays.runtime} days`, content: `${retentionDays.content} days` };
  const dates = { governance: "-", runtime: due(nextDue.runtime), content: due(nextDue.content) };
  const rows = (["governance", "runtime", "content"] as const).map((each) => [each, kept[each], String(keys[each].living), String(keys[each].destroyed), due(keys[each].oldest), dates[each]]);
  const set = view.setAt === null ? "the defaults, which nobody has changed" : `set by ${view.setBy ?? "?"} on ${timeText(view.setAt)}`;
  return [columns([["DATA CLASS", "RECORDED"], ...dataClasses.map((each) => [each, contentModes[each]])]), "", columns([["KEPT AS", "FOR", "KEYS", "DESTROYED", "OLDEST", "NEXT DUE"], ...rows]), "", set].join("\n");
}

export async function runPrivacyShow(options: JsonOption, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const view = await client("showPrivacy", { params: { space } });
  terminal.out(options.json === true ? JSON.stringify(view, null, 2) : shown(view));
  return exitCodes.fine;
}

interface SetOptions extends ServerOptions {
  readonly mode?: readonly string[];
  readonly runtimeDays?: number;
  readonly contentDays?: number;
}

function changed(modes: ContentModes, wanted: readonly string[]): ContentModes {
  const next = { ...modes };
  for (const each of wanted) {
    const [name = "", word = ""] = each.split("=");
    const mode = ContentMode.safeParse(word);
    const named = DataClass.safeParse(name);
    if (!mode.success || (name !== "all" && !named.success)) throw new UsageError(`\`${each}\` is not a data class and a mode, such as \`personal=redacted\``);
    for (const of of named.success ? [named.data] : dataClasses) next[of] = mode.data;
  }
  return next;
}

export async function runPrivacySet(options: SetOptions, terminal: Terminal): Promise<ExitCode> {
  const { mode = [], runtimeDays, contentDays } = options;
  if (mode.length === 0 && runtimeDays === undefined && contentDays === undefined) throw new UsageError("give --mode, --runtime-days or --content-days");
  const { client, space } = connect(options);
  const now = await client("showPrivacy", { params: { space } });
  const retentionDays = { runtime: runtimeDays ?? now.retentionDays.runtime, content: contentDays ?? now.retentionDays.content };
  const { done, request } = await client("setPrivacy", { params: { space }, body: { contentModes: changed(now.contentModes, mode), retentionDays } });
  terminal.out(done ? `set (${outcomeOf(request)})` : `waits for another person's approval (request ${request.id})`);
  return exitCodes.fine;
}

interface EraseOptions extends ServerOptions {
  readonly person?: string;
  readonly user?: string;
  readonly system?: string;
  readonly class?: "runtime" | "content";
  readonly before?: number;
  readonly basis?: string;
  readonly dryRun?: boolean;
}

export async function runErase(options: EraseOptions, terminal: Terminal): Promise<ExitCode> {
  const { person, user, system, before, basis, class: retention } = options;
  if ([person, user, system].filter((each) => each !== undefined).length !== 1) throw new UsageError("give one of --person, --user and --system");
  if ((system === undefined) !== (retention === undefined)) throw new UsageError("--system and --class go together");
  if (person !== undefined && before !== undefined) throw new UsageError("a person is erased whole: leave out --before");
  const { client, space } = connect(options);
  const asked = { person, user, system, class: retention, before };
  if (options.dryRun === true) {
    const { keys, entries } = await client("previewErasure", { params: { space }, body: asked });
    terminal.out(`would destroy ${keys} ${keys === 1 ? "key" : "keys"}, and with them the content of ${entries} ${entries === 1 ? "entry" : "entries"}; nothing was changed`);
    return exitCodes.fine;
  }
  if (basis === undefined) throw new UsageError("give --basis: why it is erased, in words that name nobody");
  const { done, request } = await client("requestErasure", { params: { space }, body: { ...asked, basis } });
  terminal.out(done ? `erased (${outcomeOf(request)})` : `waits for another person's approval (request ${request.id})`);
  return exitCodes.fine;
}

function targetText(target: ErasureTarget): string {
  if (target.kind === "person") return `person ${target.person}`;
  if (target.kind === "user") return "an end user's content";
  return target.kind === "system" ? `${target.class} of ${target.system}` : `${target.class} before ${timeText(target.before).slice(0, 10)}`;
}

export async function runErasures(options: JsonOption & { readonly limit?: number; readonly cursor?: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const page = await client("listErasures", { params: { space }, query: { limit: options.limit ?? 50, cursor: options.cursor } });
  if (options.json === true) {
    terminal.out(JSON.stringify(page, null, 2));
    return exitCodes.fine;
  }
  if (page.items.length === 0) {
    terminal.out("nothing was erased");
    return exitCodes.fine;
  }
  const rows = page.items.map((item) => [item.id, item.state, targetText(item.target), String(item.keys), String(item.entries), due(item.doneAt), item.requestedBy, item.basis]);
  terminal.out(columns([["ERASURE", "STATE", "OF", "KEYS", "ENTRIES", "DONE", "BY", "BASIS"], ...rows]));
  if (page.next !== null) terminal.out(`more: --cursor ${page.next}`);
  return exitCodes.fine;
}
