import { EvaluationError, failType } from "../errors.ts";

const malformed = new EvaluationError("error while evaluating `ip` extension function: not an IP address or range such as `10.0.0.0/8`");

/** Longer than any address with its prefix; Cedar refuses before it parses. */
const textBytesMax = 43;
const v4Form = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/u;
const v6Group = /^[0-9a-fA-F]{1,4}$/u;
const prefixForm = /^(?:0|[1-9][0-9]{0,2})$/u;
const v6Groups = 8;

/** An IPv4 or IPv6 address, or the range that shares its first `prefix` bits. */
export class IpAddress {
  readonly version: 4 | 6;
  readonly address: bigint;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;

  constructor(version: 4 | 6, address: bigint, prefix: number) {
    const width = version === 4 ? 32 : 128;
    const hosts = (1n << BigInt(width - prefix)) - 1n;
    this.version = version;
    this.address = address;
    this.prefix = prefix;
    this.last = address | hosts;
    this.first = this.last ^ hosts;
  }

  canonical(): string {
    return `(ip ${this.version} ${this.address} ${this.prefix})`;
  }

  toString(): string {
    return `${this.version === 4 ? v4Text(this.address) : v6Text(this.address)}/${this.prefix}`;
  }
}

function v4Text(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 0xffn)).join(".");
}

function v6Text(address: bigint): string {
  const shifts = Array.from({ length: v6Groups }, (_, index) => BigInt(16 * (v6Groups - 1 - index)));
  return shifts.map((shift) => ((address >> shift) & 0xffffn).toString(16)).join(":");
}

export function parseIp(text: string): IpAddress {
  // Characters are at least bytes, and every character of an accepted text is one byte.
  if (text.length > textBytesMax) throw malformed;
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const v4 = parseV4(host);
  const width = v4 === undefined ? 128 : 32;
  const prefix = slash < 0 ? width : parsePrefix(text.slice(slash + 1), width);
  return v4 === undefined ? new IpAddress(6, parseV6(host), prefix) : new IpAddress(4, v4, prefix);
}

function parsePrefix(text: string, width: number): number {
  const prefix = prefixForm.test(text) ? Number(text) : Number.NaN;
  if (!(prefix <= width)) throw malformed;
  return prefix;
}

function parseV4(text: string): bigint | undefined {
  const match = v4Form.exec(text);
  if (match === null) return undefined;
  let address = 0n;
  for (const octet of match.slice(1)) {
    if ((octet.length > 1 && octet.startsWith("0")) || Number(octet) > 255) throw malformed;
    address = (address << 8n) | BigInt(octet);
  }
  return address;
}

function groupsOf(text: string): readonly string[] {
  if (text === "") return [];
  const groups = text.split(":");
  if (!groups.every((group) => v6Group.test(group))) throw malformed;
  return groups;
}

/** The plain form only: Cedar refuses an IPv4 address inside an IPv6 one. */
function parseV6(text: string): bigint {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) throw malformed;
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const missing = v6Groups - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) throw malformed;
  const groups = [...left, ...Array.from({ length: missing }, () => "0"), ...right];
  return groups.reduce((address, group) => (address << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}

function ip(value: unknown): IpAddress {
  return value instanceof IpAddress ? value : failType("ipaddr");
}

function rangeIn(inner: IpAddress, outer: IpAddress): boolean {
  return inner.version === outer.version && outer.first <= inner.first && inner.last <= outer.last;
}

const loopback = [parseIp("127.0.0.0/8"), parseIp("::1/128")];
const multicast = [parseIp("224.0.0.0/4"), parseIp("ff00::/8")];

export const isIpv4 = (value: unknown): boolean => ip(value).version === 4;
export const isIpv6 = (value: unknown): boolean => ip(value).version === 6;

export function isLoopback(value: unknown): boolean {
  const range = ip(value);
  return loopback.some((block) => rangeIn(range, block));
}

export function isMulticast(value: unknown): boolean {
  const range = ip(value);
  return multicast.some((block) => rangeIn(range, block));
}

export function isInRange(value: unknown, other: unknown): boolean {
  const inner = ip(value);
  return rangeIn(inner, ip(other));
}
