import { toHex } from "./bytes.ts";
import { parsed, refused, type Parsed, type Refused } from "./parsed.ts";
import { formatVkey, parseVkey, type Vkey } from "./vkey.ts";

/** C2SP asks for at least 32 logs, 32 witnesses and 32 groups. */
const definitionsMax = 100;
/** An ML-DSA-44 key takes 1.8 kB. */
const policyCharsMax = 1 << 20;

/** Which logs and witnesses are known, and how many of the witnesses must have cosigned (C2SP tlog-policy). */
export interface WitnessPolicy {
  /** Of the types `ed25519` and `ml-dsa-44`; may be empty where the logs are known otherwise. */
  readonly logs: readonly { readonly vkey: Vkey; readonly url?: string }[];
  readonly witnesses: readonly PolicyWitness[];
  /** Each after the groups that it names. */
  readonly groups: readonly PolicyGroup[];
  /** Name of a witness or group; `null` asks for no cosignature. */
  readonly quorum: string | null;
}

export interface PolicyWitness {
  /** Within the policy; the name that signs is the one of the vkey. */
  readonly name: string;
  /** Of the types `ed25519-cosignature` and `ml-dsa-44`. */
  readonly vkey: Vkey;
  readonly url?: string;
}

export interface PolicyGroup {
  readonly name: string;
  /** How many of the members must have witnessed; from 1 to their number. */
  readonly threshold: number;
  readonly members: readonly string[];
}

interface Draft {
  readonly logs: { readonly vkey: Vkey; readonly url?: string }[];
  readonly witnesses: PolicyWitness[];
  readonly groups: PolicyGroup[];
  readonly names: Set<string>;
  readonly used: Set<string>;
  quorum: { readonly name: string | null } | undefined;
}

type Reader = (draft: Draft, items: readonly string[]) => Refused | undefined;

/** Parses the text of a policy file. Messages of refusals begin with the number of the line. */
export function parsePolicy(text: string): Parsed<WitnessPolicy> {
  if (text.length > policyCharsMax) return refused("policy_too_large", `the policy is longer than ${policyCharsMax} characters`);
  if (!text.isWellFormed()) return refused("policy_characters", "the policy is not valid utf-8");
  const lines = text.split("\n");
  if (lines.pop() !== "") return refused("policy_unterminated", `line ${lines.length + 1}: the last line does not end with a newline`);
  const draft: Draft = { logs: [], witnesses: [], groups: [], names: new Set(["none"]), used: new Set(), quorum: undefined };
  for (const [at, line] of lines.entries()) {
    const wrong = readLine(draft, line);
    if (wrong !== undefined) return refused(wrong.code, `line ${at + 1}: ${wrong.message}`);
  }
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === undefined) return refused("policy_quorum_missing", `line ${lines.length}: the policy ends without a quorum line`);
  return parsed({ logs, witnesses, groups, quorum: quorum.name });
}

const readers: Readonly<Record<string, Reader>> = { log: readLog, witness: readWitness, group: readGroup, quorum: readQuorum };

function readLine(draft: Draft, line: string): Refused | undefined {
  if (!isPlain(line)) return refused("policy_characters", "control characters other than tab are not allowed");
  const [keyword = "", ...items] = line.split(/[ \t]+/).filter((item) => item !== "");
  if (keyword === "" || keyword.startsWith("#")) return undefined;
  const reader = Object.hasOwn(readers, keyword) ? readers[keyword] : undefined;
  return reader === undefined ? refused("policy_keyword", `\`${keyword.slice(0, 40)}\` is none of log, witness, group and quorum`) : reader(draft, items);
}

function isPlain(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

function readLog({ logs }: Draft, [text, url, ...rest]: readonly string[]): Refused | undefined {
  if (text === undefined || rest.length > 0) return refused("policy_log", "a log is written as `log <vkey> [<url>]`");
  const vkey = parseVkey(text);
  if (!vkey.ok) return refused("policy_log", `the log's key is unusable: ${vkey.message}`);
  if (vkey.value.type === "ed25519-cosignature") return refused("policy_log", "a key of type 0x04 cosigns and cannot be a log's");
  if (logs.length >= definitionsMax) return tooMany("logs");
  if (sharesKey(logs, vkey.value)) return refused("policy_duplicate", "two logs have the same public key");
  logs.push({ vkey: vkey.value, ...(url === undefined ? {} : { url }) });
  return undefined;
}

function readWitness(draft: Draft, [name, text, url, ...rest]: readonly string[]): Refused | undefined {
  if (name === undefined || text === undefined || rest.length > 0) return refused("policy_witness", "a witness is written as `witness <name> <vkey> [<url>]`");
  const vkey = parseVkey(text);
  if (!vkey.ok) return refused("policy_witness", `the witness's key is unusable: ${vkey.message}`);
  if (vkey.value.type === "ed25519") return refused("policy_witness", "a key of type 0x01 does not cosign: a witness's is of type 0x04 or 0x06");
  if (draft.witnesses.length >= definitionsMax) return tooMany("witnesses");
  if (sharesKey(draft.witnesses, vkey.value)) return refused("policy_duplicate", "two witnesses have the same public key");
  const taken = claimName(draft, name);
  if (taken !== undefined) return taken;
  draft.witnesses.push({ name, vkey: vkey.value, ...(url === undefined ? {} : { url }) });
  return undefined;
}

/** Keys are compared themselves: another name gives another key id to the same key. */
function sharesKey(known: readonly { readonly vkey: Vkey }[], vkey: Vkey): boolean {
  return known.some((other) => toHex(other.vkey.publicKey) === toHex(vkey.publicKey));
}

function claimName({ names }: Draft, name: string): Refused | undefined {
  if (names.has(name)) return refused("policy_name_taken", `the name \`${name}\` is ${name === "none" ? "predefined" : "already defined"}`);
  names.add(name);
  return undefined;
}

function readGroup(draft: Draft, [name, count, ...members]: readonly string[]): Refused | undefined {
  if (name === undefined || count === undefined || members.length === 0) return refused("policy_group", "a group is written as `group <name> all|any|<k> <name>...`");
  const threshold = thresholdOf(count, members.length);
  if (threshold === undefined) return refused("policy_threshold", `\`${count.slice(0, 40)}\` is neither \`all\` nor \`any\` nor a number from 1 to ${members.length}`);
  for (const member of members) {
    if (member === "none" || !draft.names.has(member)) return refused("policy_name_unknown", `\`${member}\` is not a witness or group defined above`);
    if (draft.used.has(member)) return refused("policy_member_twice", `\`${member}\` is already a member of a group`);
    draft.used.add(member);
  }
  if (draft.groups.length >= definitionsMax) return tooMany("groups");
  const taken = claimName(draft, name);
  if (taken !== undefined) return taken;
  draft.groups.push({ name, threshold, members });
  return undefined;
}

function thresholdOf(count: string, members: number): number | undefined {
  if (count === "all") return members;
  if (count === "any") return 1;
  return /^[1-9]\d{0,3}$/.test(count) && Number(count) <= members ? Number(count) : undefined;
}

function readQuorum(draft: Draft, [name, ...rest]: readonly string[]): Refused | undefined {
  if (name === undefined || rest.length > 0) return refused("policy_quorum", "a quorum is written as `quorum <name>`");
  if (draft.quorum !== undefined) return refused("policy_quorum_twice", "the policy has a second quorum line");
  if (!draft.names.has(name)) return refused("policy_name_unknown", `\`${name}\` is not a witness or group defined above`);
  draft.quorum = { name: name === "none" ? null : name };
  return undefined;
}

function tooMany(what: string): Refused {
  return refused("policy_too_large", `more than ${definitionsMax} ${what}`);
}

/** The text of a policy file: logs, witnesses, groups, quorum. Throws a TypeError for what `parsePolicy` would refuse. */
export function formatPolicy(policy: WitnessPolicy): string {
  const lines = [
    ...policy.logs.map(({ vkey, url }) => ["log", formatVkey(vkey), url]),
    ...policy.witnesses.map(({ name, vkey, url }) => ["witness", name, formatVkey(vkey), url]),
    ...policy.groups.map(({ name, threshold, members }) => ["group", name, threshold === members.length ? "all" : threshold === 1 ? "any" : String(threshold), ...members]),
    ["quorum", policy.quorum ?? "none"],
  ];
  const text = lines.map((items) => `${items.filter((item) => item !== undefined).join(" ")}\n`).join("");
  const again = parsePolicy(text);
  if (!again.ok) throw new TypeError(again.message);
  if (!samePolicy(again.value, policy)) throw new TypeError("a name or url of the policy holds spaces");
  return text;
}

function samePolicy(left: WitnessPolicy, right: WitnessPolicy): boolean {
  const plain = ({ logs, witnesses, groups, quorum }: WitnessPolicy): string =>
    JSON.stringify([
      logs.map(({ vkey, url }) => [formatVkey(vkey), url]),
      witnesses.map(({ name, vkey, url }) => [name, formatVkey(vkey), url]),
      groups.map(({ name, threshold, members }) => [name, threshold, members]),
      quorum,
    ]);
  return plain(left) === plain(right);
}

/** True if the witnesses of these names in the policy are enough; also for a policy that asks for none. */
export function checkQuorum(policy: WitnessPolicy, witnesses: readonly string[]): boolean {
  if (policy.quorum === null) return true;
  const known = new Set(policy.witnesses.map(({ name }) => name));
  const witnessed = new Set(witnesses.filter((name) => known.has(name)));
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name);
  }
  return witnessed.has(policy.quorum);
}
