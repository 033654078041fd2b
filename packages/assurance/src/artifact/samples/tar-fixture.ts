import { bytes } from "./bytes-fixture.ts";

export interface TarSample {
  readonly name: string;
  readonly data?: Uint8Array;
  readonly type?: string;
  readonly link?: string;
  /** Put behind the data instead of zeros. */
  readonly padding?: Uint8Array;
}

export function tar(entries: readonly TarSample[], tail: Uint8Array = new Uint8Array(1024)): Uint8Array {
  return bytes(...entries.flatMap((entry) => [header(entry), body(entry)]), tail);
}

/** A pax record counts its own length. */
export function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length += 1;
  return bytes(`${length}${rest}`);
}

function body({ data = new Uint8Array(0), padding = new Uint8Array(0) }: TarSample): Uint8Array {
  const out = Buffer.alloc(Math.ceil(data.length / 512) * 512);
  out.set(data);
  if (padding.length > 0) out.set(padding, data.length);
  return out;
}

function header({ name, data = new Uint8Array(0), type = "0", link = "" }: TarSample): Uint8Array {
  const out = Buffer.alloc(512);
  out.write(name.slice(0, 100), 0, "utf8");
  out.write("0000644\u00000000000\u00000000000\u0000", 100, "latin1");
  out.write(`${data.length.toString(8).padStart(11, "0")}\u000000000000000\u0000        `, 124, "latin1");
  out.write(type, 156, "latin1");
  out.write(link, 157, "utf8");
  out.write("ustar\u000000", 257, "latin1");
  out.write(`${out.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return out;
}
