import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { LicetError } from "@licet/contract";
import { modelBounds } from "../onnx/model-file.ts";
import type { TestedModel } from "../subject/tested-model.ts";
import { type TableBounds, tableBounds } from "../table/csv.ts";
import { TableSink } from "../table/any-table.ts";
import type { Table } from "../table/table.ts";
import { type CheckModels, type ModelFileBytes, type ModelsOptions, ModelsUnderTest } from "./models-under-test.ts";

/** Where a declared component lies, relative to the manifest's folder, and what it must hash to (`sha256:` and hex). */
export interface ComponentFile {
  readonly path: string;
  readonly digest: string;
}

/** Finds a component by the name that the manifest declares; undefined when it is not declared. */
export type ResolveComponent = (name: string) => ComponentFile | undefined | Promise<ComponentFile | undefined>;

export interface Loaded<T> {
  readonly name: string;
  readonly digest: string;
  readonly content: T;
}

/** Takes the chunks of a file; `end` makes something of them. */
interface Sink<T> {
  push(chunk: Uint8Array): void;
  end(): T | Promise<T>;
}

export interface ComponentsOptions extends ModelsOptions {
  /** Of one table. */
  readonly rowsMax?: number;
}

/** Reads components once each, and only hands out what was hashed in the same read. */
export class Components {
  readonly #root: string;
  readonly #resolve: ResolveComponent;
  readonly #tables: Map<string, Promise<Loaded<Table>>>;
  readonly #models: ModelsUnderTest;
  readonly #bounds: TableBounds;
  readonly #asked: CheckModels;

  /** Of a whole run, or (given that) of one check of it. */
  constructor(root: string, resolve: ResolveComponent, given: ComponentsOptions | Components = {}) {
    this.#root = root;
    this.#resolve = resolve;
    this.#tables = given instanceof Components ? given.#tables : new Map<string, Promise<Loaded<Table>>>();
    this.#models = given instanceof Components ? given.#models : new ModelsUnderTest(given, (name) => this.#modelBytes(name));
    this.#bounds = given instanceof Components ? given.#bounds : { ...tableBounds, rowsMax: given.rowsMax ?? tableBounds.rowsMax };
    this.#asked = this.#models.forCheck();
  }

  table(name: string, bounds: TableBounds = this.#bounds): Promise<Loaded<Table>> {
    return remembered(this.#tables, name, () => this.#load(name, new TableSink(bounds)));
  }

  /** As one check sees them: what it sends is counted, and what it asked is looked at again by `settle`. */
  forCheck(): Components {
    return new Components(this.#root, this.#resolve, this);
  }

  /** A declared model: of its file in a process of its own, or of its endpoint. */
  model(name: string): Promise<TestedModel> {
    return this.#asked.model(name);
  }

  /** What a model was, as far as it was asked. */
  subjectOf(name: string): ReturnType<CheckModels["subjectOf"]> {
    return this.#asked.subjectOf(name);
  }

  /** What a person should know of how the models were run. */
  notes(): readonly string[] {
    return this.#asked.notes();
  }

  /** Proves that what was asked is still what is there. Throws `subject_stale`, and what asking throws. */
  settle(): Promise<void> {
    return this.#asked.settle();
  }

  /** Ends what runs for the models of the whole run. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#models[Symbol.asyncDispose]();
  }

  /** A file as it is, for what reads its form by itself. */
  async bytes(name: string, bytesMax: number = reportBytesMax): Promise<Loaded<Uint8Array>> {
    return this.#load(name, bytesSink(bytesMax, () => new LicetError("table_too_large", { message: `the file of \`${name}\` has more than ${bytesMax} bytes`, at: { component: name } })));
  }

  /** Where a component lies, and what its file must hash to: whoever reads it proves that. */
  async locate(name: string): Promise<{ readonly file: string; readonly digest: string }> {
    const declared = await this.#resolve(name);
    if (declared === undefined) {
      throw new LicetError("component_undeclared", { message: `no component \`${name}\` with a file is declared: correct the name in the check`, at: { component: name } });
    }
    return { file: await this.#inside(name, declared.path), digest: declared.digest };
  }

  async #modelBytes(name: string): Promise<ModelFileBytes> {
    if ((await this.#resolve(name)) === undefined) {
      throw new LicetError("endpoint_unknown", { message: `the model \`${name}\` has no file, and nobody said where it answers: declare its file, or run \`licet check\` with --endpoint`, at: { component: name } });
    }
    const tooLarge = () => new LicetError("model_too_large", { message: `the model has more than ${modelBounds.bytesMax} bytes` });
    const { digest, content } = await this.#load(name, bytesSink(modelBounds.bytesMax, tooLarge));
    return { digest, bytes: content };
  }

  async #load<T>(name: string, sink: Sink<T>): Promise<Loaded<T>> {
    const { file, digest: declared } = await this.locate(name);
    const { digest, finish } = await readHashed(file, sink);
    if (digest !== declared) {
      throw new LicetError("component_digest_mismatch", {
        message: `the file of \`${name}\` is not the declared one: restore it, or declare its digest as a new release`,
        at: { component: name, declared, found: digest },
      });
    }
    return { name, digest, content: await finish() };
  }

  async #inside(name: string, declared: string): Promise<string> {
    const root = await realpath(this.#root);
    const file = await realpath(path.resolve(root, declared)).catch((cause: unknown) => {
      throw missing(name, declared, cause);
    });
    if (file !== root && !file.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) {
      throw new LicetError("component_file_outside", { message: `the file of \`${name}\` lies outside the system's folder: copy it into the folder`, at: { component: name } });
    }
    const found = await stat(file);
    if (!found.isFile()) throw missing(name, declared, undefined);
    return file;
  }
}

/**
 * Reads to the end even when the content cannot be parsed: a wrong digest explains a broken file better than
 * its first broken line does.
 */
async function readHashed<T>(file: string, sink: Sink<T>): Promise<{ digest: string; finish: () => T | Promise<T> }> {
  const hash = createHash("sha256");
  const failures: unknown[] = [];
  for await (const chunk of createReadStream(file)) {
    if (!(chunk instanceof Uint8Array)) continue;
    hash.update(chunk);
    attempt(() => sink.push(chunk), failures);
  }
  const finish = () => {
    if (failures.length > 0) throw failures[0];
    return sink.end();
  };
  return { digest: `sha256:${hash.digest("hex")}`, finish };
}

function attempt(act: () => void, failures: unknown[]): void {
  if (failures.length > 0) return;
  try {
    act();
  } catch (error) {
    failures.push(error);
  }
}

const reportBytesMax = 256 * 1024 * 1024;

function bytesSink(bytesMax: number, tooLarge: () => LicetError): Sink<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return {
    push: (chunk) => {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge();
      chunks.push(chunk);
    },
    end: () => Buffer.concat(chunks),
  };
}

function remembered<T>(known: Map<string, Promise<T>>, name: string, load: () => Promise<T>): Promise<T> {
  const found = known.get(name);
  if (found !== undefined) return found;
  const loading = load();
  known.set(name, loading);
  return loading;
}

function missing(name: string, declared: string, cause: unknown): LicetError {
  return new LicetError("component_file_missing", {
    message: `the file \`${declared}\` of \`${name}\` is not there: put it there or correct the path`,
    at: { component: name, path: declared },
    cause,
  });
}
