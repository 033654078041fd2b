import { basename, dirname } from "node:path";
import type { Files, OpenFile } from "./files.ts";

type Change =
  | { readonly kind: "write"; readonly position: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly length: number };

interface Inode {
  now: Buffer;
  durable: Buffer;
  pending: Change[];
}

/** A change of names in one folder; a crash keeps some of those that were not synced. */
type Naming =
  | { readonly kind: "put"; readonly name: string; readonly inode: Inode | "folder" }
  | { readonly kind: "drop"; readonly name: string }
  | { readonly kind: "move"; readonly from: string; readonly to: string; readonly inode: Inode | "folder" };

interface Folder {
  readonly durable: Map<string, Inode | "folder">;
  readonly now: Map<string, Inode | "folder">;
  pending: Naming[];
}

export class PowerCut extends Error {}

export const operationKinds = ["open", "write", "datasync", "truncate", "rename", "remove", "makeDirectory", "syncDirectory"] as const;
export type OperationKind = (typeof operationKinds)[number];

export interface Fault {
  /** Which mutating operation it hits, counted from 1. */
  readonly at: number;
  /** The power goes; this one operation fails; or the disk is full from here on, until the restart. */
  readonly kind: "cut" | "error" | "full";
}

/** What needs room on a disk. */
const growing: ReadonlySet<OperationKind> = new Set(["open", "write", "makeDirectory"]);

/**
 * A disk in memory that forgets what was not synced: written pages one by one, and of the names either those after some
 * change, as file systems with a journal do, or any. Tests cut its power at any operation; the product never uses it.
 */
export class SimulatedDisk implements Files {
  readonly #folders: Map<string, Folder>;
  readonly #random: () => number;
  #operations = 0;
  readonly #performed = new Set<OperationKind>();
  #fault: Fault | undefined;
  #hit: OperationKind | undefined;
  #down = false;

  constructor(random: () => number, folders = new Map<string, Folder>()) {
    this.#random = random;
    this.#folders = folders;
  }

  get operations(): number {
    return this.#operations;
  }

  get down(): boolean {
    return this.#down;
  }

  /** What was tried on this disk. */
  get performed(): ReadonlySet<OperationKind> {
    return this.#performed;
  }

  /** What the fault struck; undefined while it has not. */
  get hit(): OperationKind | undefined {
    return this.#hit;
  }

  failAt(fault: Fault): void {
    this.#operations = 0;
    this.#fault = fault;
    this.#hit = undefined;
  }

  /** The disk as the next start finds it. Killing the process alone leaves written but unsynced things in memory. */
  restart(how: "power" | "kill"): SimulatedDisk {
    if (how === "kill") return new SimulatedDisk(this.#random, this.#folders);
    const folders = new Map<string, Folder>();
    const visit = (path: string) => {
      const folder = this.#folders.get(path);
      const names = folder ? this.#survivors(folder) : new Map<string, Inode | "folder">();
      folders.set(path, { durable: new Map(names), now: names, pending: [] });
      for (const [name, entry] of names) {
        if (entry === "folder") visit(`${path}/${name}`);
      }
    };
    visit("");
    return new SimulatedDisk(this.#random, folders);
  }

  #survivors(folder: Folder): Map<string, Inode | "folder"> {
    const names = new Map(folder.durable);
    const ordered = this.#random() < 0.5;
    const kept = Math.floor(this.#random() * (folder.pending.length + 1));
    const survives = (at: number) => (ordered ? at < kept : this.#random() < 0.5);
    for (const [at, change] of folder.pending.entries()) {
      if (survives(at)) applyNaming(names, change);
    }
    for (const [name, entry] of names) {
      if (entry !== "folder") names.set(name, this.#survivor(entry));
    }
    return names;
  }

  #survivor(inode: Inode): Inode {
    let content = inode.durable;
    for (const change of inode.pending) content = applyChange(content, this.#lose(change));
    return { now: Buffer.from(content), durable: Buffer.from(content), pending: [] };
  }

  /** Some pages of a write arrive, in any order; those that do not stay as they were. */
  #lose(change: Change): readonly Change[] {
    if (change.kind === "truncate") return this.#random() < 0.5 ? [change] : [];
    const pages: Change[] = [];
    for (let at = 0; at < change.data.length; ) {
      const end = Math.min(change.data.length, at + 512 - ((change.position + at) % 512));
      const data = change.data.subarray(at, end);
      if (this.#random() < 0.5) pages.push({ kind: "write", position: change.position + at, data });
      at = end;
    }
    return pages;
  }

  #step(operation: OperationKind, partial?: () => void): void {
    if (this.#down) throw new PowerCut("no power");
    this.#operations += 1;
    this.#performed.add(operation);
    const { at = Number.POSITIVE_INFINITY, kind } = this.#fault ?? {};
    if (kind === "full") return this.#fill(operation, at, partial);
    if (at !== this.#operations) return;
    this.#hit = operation;
    partial?.();
    if (kind === "error") throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    this.#down = true;
    throw new PowerCut("the power was cut");
  }

  #fill(operation: OperationKind, at: number, partial?: () => void): void {
    if (this.#operations < at || !growing.has(operation)) return;
    // The last room takes a part of a write; what follows gets nothing.
    if (this.#hit === undefined) partial?.();
    this.#hit ??= operation;
    throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(path);
    if (!folder) throw absent(path);
    return folder;
  }

  #name(path: string, change: Naming): void {
    const folder = this.#folder(dirname(path) === "/" ? "" : dirname(path));
    applyNaming(folder.now, change);
    folder.pending.push(change);
  }

  #find(path: string): Inode | "folder" | undefined {
    return this.#folders.get(dirname(path) === "/" ? "" : dirname(path))?.now.get(basename(path));
  }

  async open(path: string, mode: "read" | "update" | "create" | "replace"): Promise<OpenFile> {
    if (this.#down) throw new PowerCut("no power");
    let inode = this.#find(path);
    if (mode === "create" || mode === "replace") {
      if (inode && mode === "create") throw Object.assign(new Error("EEXIST"), { code: "EEXIST" });
      this.#step("open");
      inode = { now: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] };
      this.#name(path, { kind: "put", name: basename(path), inode });
    }
    if (inode === undefined || inode === "folder") throw absent(path);
    return this.#handle(inode);
  }

  #handle(inode: Inode): OpenFile {
    const change = (next: Change) => {
      inode.now = applyChange(inode.now, [next]);
      inode.pending.push(next);
    };
    return {
      read: async (buffer, position) => inode.now.copy(buffer, 0, position, position + buffer.length),
      write: async (buffer, position) => {
        const length = this.#random() < 0.2 ? Math.ceil(buffer.length * this.#random()) || 1 : buffer.length;
        const data = Buffer.from(buffer.subarray(0, length));
        const write = () => change({ kind: "write", position, data });
        this.#step("write", write);
        write();
        return length;
      },
      datasync: async () => {
        this.#step("datasync");
        inode.durable = Buffer.from(inode.now);
        inode.pending = [];
      },
      truncate: async (length) => {
        this.#step("truncate");
        change({ kind: "truncate", length });
      },
      size: async () => inode.now.length,
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#find(from);
    if (inode === undefined) throw absent(from);
    this.#step("rename");
    this.#name(from, { kind: "move", from: basename(from), to: basename(to), inode });
  }

  async remove(path: string): Promise<void> {
    if (this.#find(path) === undefined) return;
    this.#step("remove");
    this.#name(path, { kind: "drop", name: basename(path) });
  }

  async makeDirectory(path: string): Promise<void> {
    if (path === "/" || path === "") {
      if (!this.#folders.has("")) this.#folders.set("", { durable: new Map(), now: new Map(), pending: [] });
      return;
    }
    await this.makeDirectory(dirname(path));
    if (this.#find(path) === "folder") return;
    this.#step("makeDirectory");
    this.#name(path, { kind: "put", name: basename(path), inode: "folder" });
    this.#folders.set(path, { durable: new Map(), now: new Map(), pending: [] });
  }

  async syncDirectory(path: string): Promise<void> {
    this.#step("syncDirectory");
    const folder = this.#folder(path === "/" ? "" : path);
    for (const change of folder.pending) applyNaming(folder.durable, change);
    folder.pending = [];
  }

  async list(path: string): Promise<readonly string[]> {
    return [...(this.#folders.get(path)?.now.keys() ?? [])].sort();
  }

  async readWhole(path: string): Promise<Uint8Array | undefined> {
    const inode = this.#find(path);
    return inode === undefined || inode === "folder" ? undefined : Buffer.from(inode.now);
  }
}

function applyNaming(names: Map<string, Inode | "folder">, change: Naming): void {
  if (change.kind === "put") names.set(change.name, change.inode);
  else if (change.kind === "drop") names.delete(change.name);
  else {
    names.set(change.to, change.inode);
    // The name may have been taken again by a file that came later.
    if (names.get(change.from) === change.inode) names.delete(change.from);
  }
}

function applyChange(content: Buffer, changes: readonly Change[]): Buffer {
  let next = content;
  for (const change of changes) {
    const end = change.kind === "write" ? change.position + change.data.length : change.length;
    if (change.kind === "truncate" && end < next.length) next = Buffer.from(next.subarray(0, end));
    if (end > next.length) next = Buffer.concat([next, Buffer.alloc(end - next.length)]);
    if (change.kind === "write") next.set(change.data, change.position);
  }
  return next;
}

function absent(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
}
