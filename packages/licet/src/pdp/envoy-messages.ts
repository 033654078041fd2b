import { allBytes, delimited, lastBytes, numeric, readFields, textOf, type WireField } from "./wire.ts";

/**
 * What of Envoy's `envoy.service.auth.v3` is read and written, with Envoy's field numbers. In its own words:
 *
 *     service Authorization { rpc Check(CheckRequest) returns (CheckResponse); }
 *     message CheckRequest { AttributeContext attributes = 1; }
 *     message AttributeContext { Request request = 4; map<string, string> context_extensions = 10; }
 *     message Request { HttpRequest http = 2; }
 *     message HttpRequest { string id = 1; string method = 2; map<string, string> headers = 3; HeaderMap header_map = 13; string path = 4; }
 *     message HeaderMap { repeated HeaderValue headers = 1; }
 *     message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }
 *     message HeaderValueOption { HeaderValue header = 1; HeaderAppendAction append_action = 3; }
 *     message CheckResponse { google.rpc.Status status = 1; DeniedHttpResponse denied_response = 2; OkHttpResponse ok_response = 3; }
 *     message DeniedHttpResponse { HttpStatus status = 1; repeated HeaderValueOption headers = 2; string body = 3; }
 *     message OkHttpResponse { repeated HeaderValueOption headers = 2; repeated HeaderValueOption response_headers_to_add = 6; }
 */
export const checkMethod = "/envoy.service.auth.v3.Authorization/Check";

export interface CheckRequest {
  readonly id: string | undefined;
  readonly method: string;
  readonly path: string;
  /** Of Envoy's client; names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** What the operator configured for the route. */
  readonly extensions: ReadonlyMap<string, string>;
}

/** Undefined for bytes that are no such message. */
export function readCheckRequest(bytes: Uint8Array): CheckRequest | undefined {
  const attributes = inside(readFields(bytes), 1);
  const http = inside(inside(attributes, 4), 2);
  if (attributes === undefined || http === undefined) return undefined;
  const headers = pairs(allBytes(http, 3), 2) ?? [];
  const listed = pairs(allBytes(inside(http, 13) ?? [], 1), 3);
  const extensions = pairs(allBytes(attributes, 10), 2);
  if (listed === undefined || extensions === undefined) return undefined;
  const lower = [...headers, ...listed].map(([name, text]) => [name.toLowerCase(), text] as const);
  return { id: textOf(lastBytes(http, 1)), method: textOf(lastBytes(http, 2)) ?? "", path: textOf(lastBytes(http, 4)) ?? "", headers: new Map(lower), extensions: new Map(extensions) };
}

function inside(fields: readonly WireField[] | undefined, field: number): readonly WireField[] | undefined {
  const bytes = fields && lastBytes(fields, field);
  return bytes && readFields(bytes);
}

/** Key and value of map entries and header values; a raw value stands for an absent one. */
function pairs(entries: readonly Uint8Array[], valueFieldMax: number): readonly (readonly [string, string])[] | undefined {
  const read = entries.map((entry) => {
    const fields = readFields(entry);
    if (fields === undefined) return undefined;
    const value = lastBytes(fields, 2) ?? (valueFieldMax >= 3 ? lastBytes(fields, 3) : undefined) ?? new Uint8Array();
    const texts = [textOf(lastBytes(fields, 1) ?? new Uint8Array()), textOf(value)] as const;
    return texts[0] === undefined || texts[1] === undefined ? undefined : ([texts[0], texts[1]] as const);
  });
  return read.includes(undefined) ? undefined : read.filter((each) => each !== undefined);
}

export interface CheckAnswer {
  readonly allowed: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const grpcCodes: Readonly<Record<number, number | undefined>> = { 401: 16, 403: 7, 429: 8 };
const unavailable = 14;

export function writeCheckResponse({ allowed, status, headers, body }: CheckAnswer): Uint8Array {
  const options = Object.entries(headers).map(([name, value]) => headerOption(name, value));
  const code = allowed ? 0 : (grpcCodes[status] ?? unavailable);
  const answer = allowed
    ? delimited(3, Buffer.concat([...options.map((option) => delimited(2, option)), ...options.map((option) => delimited(6, option))]))
    : delimited(2, Buffer.concat([delimited(1, numeric(1, status)), ...options.map((option) => delimited(2, option)), delimited(3, body)]));
  return Buffer.concat([delimited(1, code === 0 ? new Uint8Array() : numeric(1, code)), answer]);
}

/** Overwrites what the client may have sent under the same name. */
const overwrite = 2;

function headerOption(name: string, value: string): Uint8Array {
  return Buffer.concat([delimited(1, Buffer.concat([delimited(1, name), delimited(2, value)])), numeric(3, overwrite)]);
}
