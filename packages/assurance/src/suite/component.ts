import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { LicetError } from "@licet/contract";
import { type ModelBounds, modelBounds } from "../onnx/model-file.ts";
import { loadModel, type Model } from "../onnx/model.ts";
import { type TableBounds, tableBounds } from "../table/csv.ts";
import { type Table, TableBuilder } from "../table/table.ts";

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
  end(): T;
}

/** Reads components once each, and only hands out what was hashed in the same read. */
export class Components {
  readonly #root: string;
  readonly #resolve: ResolveComponent;
  readonly #tables = new Map<string, Promise<Loaded<Table>>>();
  readonly #models = new Map<string, Promise<Loaded<Model>>>();

  constructor(root: string, resolve: ResolveComponent) {
    this.#root = root;
    this.#resolve = resolve;
  }

  table(name: string, bounds: TableBounds = tableBounds): Promise<Loaded<Table>> {
    return remembered(this.#tables, name, () => this.#load(name, new TableBuilder(bounds)));
  }

  model(name: string, bounds: ModelBounds = modelBounds): Promise<Loaded<Model>> {
    return remembered(this.#models, name, () => this.#load(name, modelSink(bounds)));
  }

  /** A file as it is, for what reads its form by itself. */
  async bytes(name: string, bytesMax: number = reportBytesMax): Promise<Loaded<Uint8Array>> {
    return this.#load(name, bytesSink(name, bytesMax));
  }

  /** Where a component lies, and what its file must hash to: whoever reads it proves that. */
  async locate(name: string): Promise<{ readonly file: string; readonly digest: string }> {
    const declared = await this.#resolve(name);
    if (declared === undefined) {
      throw new LicetError("component_undeclared", { message: `no component \`${name}\` with a file is declared: correct the name in the check`, at: { component: name } });
    }
    return { file: await this.#inside(name, declared.path), digest: declared.digest };
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
    return { name, digest, content: finish() };
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
async function readHashed<T>(file: string, sink: Sink<T>): Promise<{ digest: string; finish: () => T }> {
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

function bytesSink(name: string, bytesMax: number): Sink<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return {
    push: (chunk) => {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new LicetError("table_too_large", { message: `the file of \`${name}\` has more than ${bytesMax} bytes`, at: { component: name } });
      chunks.push(chunk);
    },
    end: () => Buffer.concat(chunks),
  };
}

function modelSink(bounds: ModelBounds): Sink<Model> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return {
    push: (chunk) => {
      bytes += chunk.length;
      if (bytes > bounds.bytesMax) throw new LicetError("model_too_large", { message: `the model has more than ${bounds.bytesMax} bytes` });
      chunks.push(chunk);
    },
    end: () => loadModel(Buffer.concat(chunks), bounds),
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
