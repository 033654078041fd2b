/** Where the published files of a log come from: a folder, a server, memory. Everything in it is untrusted. */
export interface LogSource {
  /**
   * The file at a C2SP path below the log's prefix. Undefined if there is none, or if it is larger than `bytesMax`.
   * Throws a `SourceUnreachable` when no answer could be had.
   */
  read(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
}

/** The log could not be asked: this says nothing about what it holds. */
export class SourceUnreachable extends Error {
  override readonly name = "SourceUnreachable";
}

/** Files in memory, by path. */
export function logInMemory(files: ReadonlyMap<string, Uint8Array>): LogSource {
  return {
    read: (path, bytesMax) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes !== undefined && bytes.length <= bytesMax ? bytes : undefined);
    },
  };
}

/** The files below a folder of a log. */
export function below(source: LogSource, prefix: string): LogSource {
  return prefix === "" ? source : { read: (path, bytesMax) => source.read(`${prefix}${path}`, bytesMax) };
}

/** Items in their order, the next `atOnce` of them being made meanwhile. */
export async function* ahead<T>(count: number, make: (at: number) => Promise<T>, atOnce: number): AsyncGenerator<T> {
  const waiting: Promise<T>[] = [];
  let next = 0;
  while (next < count || waiting.length > 0) {
    while (next < count && waiting.length < atOnce) {
      const made = make(next);
      // Whoever stops early leaves promises behind; a failure of one of them is nobody's business then.
      made.catch(() => undefined);
      waiting.push(made);
      next += 1;
    }
    const first = waiting.shift();
    if (first !== undefined) yield await first;
  }
}
