import type { Row } from "./measure.ts";
import { failing } from "./rows-detection.ts";

const streams: NonNullable<Row["on"]> = ({ stream }) => stream;
const whole: NonNullable<Row["on"]> = ({ stream }) => !stream;
const begun = (code: string, status = 502): Row["expect"] => ({ json: `${status} \`${code}\``, stream: `stream broken off: \`${code}\`` });
const longEvent = (): string => `data: {"x":"${"x".repeat(1_100_000)}"}\n\n`;

/** What the provider does wrong. */
export const providerRows: readonly Row[] = [
  { title: "refuses the connection", standing: { provider: { baseUrl: "http://127.0.0.1:9/v1" } }, expect: "502 `upstream_unreachable`" },
  { title: "breaks the connection before an answer", fault: { kind: "no answer", how: "reset" }, expect: "502 `upstream_unreachable`" },
  { title: "closes the connection before an answer", fault: { kind: "no answer", how: "end" }, expect: "502 `upstream_unreachable`" },
  { title: "breaks the connection in the middle", fault: { kind: "half", next: "reset" }, expect: begun("upstream_unreachable") },
  { title: "half a stream: ends without its last event", on: streams, fault: { kind: "half", next: "end" }, expect: "stream broken off: `upstream_unreachable`" },
  { title: "half a body that ends as if it were whole", on: whole, fault: { kind: "half", next: "end" }, expect: "502 `upstream_invalid`" },
  { title: "says more after its last event", on: streams, fault: { kind: "more", said: "data: {\"after\":\"the end\"}\n\n" }, needle: "after", expect: "200 unseen" },
  { title: "garbage in place of JSON", on: whole, fault: { kind: "raw", body: "\u0000\u0001{{{" }, expect: "502 `upstream_invalid`" },
  { title: "JSON of another shape", on: whole, fault: { kind: "raw", body: "[1,2,3]" }, expect: "502 `upstream_invalid`" },
  { title: "nothing at all, with status 200", fault: { kind: "raw", body: "" }, expect: { json: "502 `upstream_invalid`", stream: "502 `upstream_unreachable`" } },
  { title: "bytes that are not UTF-8", on: whole, fault: { kind: "raw", body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]) }, expect: "502 `upstream_invalid`" },
  { title: "an event that is not JSON", on: streams, fault: { kind: "raw", body: "data: {not json}\n\n" }, expect: "502 `upstream_invalid`" },
  { title: "an event that nobody knows", on: streams, fault: { kind: "raw", body: "event: surprise\ndata: {\"type\":\"surprise\"}\n\n" }, expect: "502 `upstream_invalid`" },
  { title: "a page in HTML, status 200", fault: { kind: "raw", headers: { "content-type": "text/html" }, body: "<html>busy</html>" }, expect: { json: "502 `upstream_invalid`", stream: "502 `upstream_unreachable`" } },
  { title: "compressed, though nobody asked for it", fault: { kind: "raw", headers: { "content-encoding": "gzip" }, body: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]) }, expect: { json: "502 `upstream_invalid`", stream: "502 `upstream_unreachable`" } },
  { title: "silent: no answer in time", bounds: "hasty", fault: { kind: "silence" }, expect: "504 `upstream_timeout`" },
  { title: "falls silent in the middle", bounds: "hasty", fault: { kind: "half", next: "silence" }, expect: begun("upstream_timeout", 504) },
  { title: "slow loris: a byte now and then, without end", bounds: "hasty", fault: { kind: "half", next: "drip" }, expect: begun("upstream_timeout", 504) },
  { title: "redirects to the cloud's metadata", fault: { kind: "raw", status: 302, headers: { location: "http://169.254.169.254/" }, body: "" }, expect: "502 `upstream_error`" },
  ...([[400, 400], [401, 502], [403, 502], [404, 404], [429, 429], [500, 500], [503, 503], [529, 529]] as const).map(
    ([status, passed]): Row => ({ title: `answers with status ${status}`, fault: (column) => failing(column, "simulated", status), expect: `${passed} \`upstream_error\`` }),
  ),
  { title: "a long error answer", fault: { kind: "raw", status: 500, body: "x".repeat(200_000) }, expect: "500 `upstream_error`" },
  { title: "an answer over the limit", bounds: "small", fault: { kind: "flood", bytes: 1_000_000 }, on: ({ surface }) => surface.speaks, expect: { json: "502 `upstream_too_large`", stream: "stream broken off: `upstream_too_large`" } },
  { title: "one event over the limit", on: streams, fault: { kind: "raw", body: longEvent() }, expect: "502 `upstream_too_large`" },
  { title: "headers over the limit", fault: { kind: "answer", headers: { "x-long": "x".repeat(20_000) } }, expect: "502 `upstream_unreachable`" },
];
