// oxlint-disable-next-line no-restricted-imports -- reads addresses, opens no connection
import { BlockList, isIP } from "node:net";

/** Where an address lies. Only `public` may be dialled without the operator's leave. */
export type AddressClass = "public" | "loopback" | "private" | "metadata" | "reserved";

interface Range {
  readonly net: string;
  readonly prefix: number;
  readonly is: Exclude<AddressClass, "public">;
}

/** IANA special-purpose registries for IPv4 and IPv6, and where clouds keep instance credentials. First match counts. */
const ranges: readonly Range[] = [
  { net: "169.254.0.0", prefix: 16, is: "metadata" },
  { net: "100.100.100.200", prefix: 32, is: "metadata" },
  { net: "192.0.0.192", prefix: 32, is: "metadata" },
  { net: "168.63.129.16", prefix: 32, is: "metadata" },
  { net: "fd00:ec2::254", prefix: 128, is: "metadata" },
  { net: "fd20:ce::254", prefix: 128, is: "metadata" },
  { net: "fe80::", prefix: 10, is: "metadata" },
  { net: "127.0.0.0", prefix: 8, is: "loopback" },
  { net: "::1", prefix: 128, is: "loopback" },
  { net: "10.0.0.0", prefix: 8, is: "private" },
  { net: "172.16.0.0", prefix: 12, is: "private" },
  { net: "192.168.0.0", prefix: 16, is: "private" },
  { net: "100.64.0.0", prefix: 10, is: "private" },
  { net: "fc00::", prefix: 7, is: "private" },
  { net: "fec0::", prefix: 10, is: "private" },
  { net: "0.0.0.0", prefix: 8, is: "reserved" },
  { net: "192.0.0.0", prefix: 24, is: "reserved" },
  { net: "192.0.2.0", prefix: 24, is: "reserved" },
  { net: "192.88.99.0", prefix: 24, is: "reserved" },
  { net: "198.18.0.0", prefix: 15, is: "reserved" },
  { net: "198.51.100.0", prefix: 24, is: "reserved" },
  { net: "203.0.113.0", prefix: 24, is: "reserved" },
  { net: "224.0.0.0", prefix: 3, is: "reserved" },
];

const lists = ranges.map(({ net, prefix, is }) => ({ list: rangeList(net, prefix), is }));
/** The only IPv6 space that the registries have given out for the public; the rest is reserved. */
const globalUnicast = rangeList("2000::", 3);
const documentation = [rangeList("2001:db8::", 32), rangeList("3fff::", 20), rangeList("2001::", 23)];

function rangeList(net: string, prefix: number): BlockList {
  const list = new BlockList();
  list.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");
  return list;
}

/** Classifies a textual IP address; what is not one is `reserved`. IPv4 inside IPv6 counts as that IPv4. */
export function classifyAddress(address: string): AddressClass {
  const version = isIP(address);
  if (version === 0) {
    return "reserved";
  }
  const embedded = version === 6 ? embeddedIpv4(address) : undefined;
  if (embedded !== undefined) {
    return classifyAddress(embedded);
  }
  const family = version === 6 ? "ipv6" : "ipv4";
  const found = lists.find(({ list }) => list.check(address, family));
  if (found !== undefined) {
    return found.is;
  }
  return version === 4 || isGlobal(address) ? "public" : "reserved";
}

function isGlobal(address: string): boolean {
  return globalUnicast.check(address, "ipv6") && !documentation.some((list) => list.check(address, "ipv6"));
}

/** IPv4-mapped, IPv4-compatible, NAT64 (64:ff9b::/96) and 6to4 (2002::/16) all reach the IPv4 address they hold. */
function embeddedIpv4(address: string): string | undefined {
  const groups = ipv6Groups(address);
  const low = (from: number) => dotted(groups[from] ?? 0, groups[from + 1] ?? 0);
  const zeros = (count: number) => groups.slice(0, count).every((group) => group === 0);
  if (zeros(5) && groups[5] === 0xff_ff) {
    return low(6);
  }
  if (zeros(6) && (groups[6] !== 0 || (groups[7] ?? 0) > 1)) {
    return low(6);
  }
  if (groups[0] === 0x64 && groups[1] === 0xff_9b) {
    return low(6);
  }
  return groups[0] === 0x20_02 ? low(1) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight groups of a valid textual IPv6 address. */
function ipv6Groups(address: string): readonly number[] {
  const [bare = ""] = address.split("%");
  const [head = "", tail] = bare.split("::");
  const first = groupsOf(head);
  if (tail === undefined) {
    return first;
  }
  const last = groupsOf(tail);
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

function groupsOf(part: string): number[] {
  return part
    .split(":")
    .filter((group) => group !== "")
    .flatMap((group) => (group.includes(".") ? pair(group) : [Number.parseInt(group, 16)]));
}

function pair(ipv4: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

/**
 * Whether `address` may be dialled. `allow` holds what the operator added: `loopback`, `private`, one address, or a
 * CIDR range. Metadata addresses open only by being named exactly.
 */
export function mayDial(address: string, allow: readonly string[]): boolean {
  const kind = classifyAddress(address);
  if (kind === "public" || allow.includes(address)) {
    return true;
  }
  if (kind === "loopback" || kind === "private") {
    return allow.includes(kind) || allow.some((entry) => inCidr(address, entry));
  }
  return false;
}

function inCidr(address: string, entry: string): boolean {
  const [net = "", bits] = entry.split("/");
  const prefix = Number(bits);
  const version = isIP(net);
  const valid = bits !== undefined && /^\d{1,3}$/u.test(bits) && prefix <= (version === 6 ? 128 : 32);
  if (!valid || version === 0 || version !== isIP(address)) {
    return false;
  }
  return rangeList(net, prefix).check(address, version === 6 ? "ipv6" : "ipv4");
}
