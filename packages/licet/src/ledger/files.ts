import {
  close,
  constants,
  fdatasync,
  fstat,
  ftruncate,
  open,
  promises as fs,
  read,
  write,
} from "node:fs";
import { type NewFile, replaceInThread } from "./replace-files.ts";

/** An open file. Every call may fail; `write` may write less than it was given. */
export interface OpenFile {
  read(buffer: Uint8Array, position: number): Promise<number>;
  write(buffer: Uint8Array, position: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The few file operations that the log stands on: a test cuts the power at each of them.
 * INVARIANT: nothing in this folder writes below the log's directory by another way.
 */
export interface Files {
  /** `create` fails when the file exists; `replace` empties it. */
  open(path: string, mode: "read" | "update" | "create" | "replace"): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole folder; silent when absent. */
  remove(path: string): Promise<void>;
  /** With parents; a new folder is durable only when its parent was synced. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Names, sorted; empty when the folder is absent. */
  list(path: string): Promise<readonly string[]>;
  /** `undefined` when absent. A file of the length that is guessed is read in half the trips to the thread pool. */
  readWhole(path: string, guess?: number): Promise<Uint8Array | undefined>;
  /** Many files at once, each as `replaceFile` does; absent where there is no faster way. */
  readonly replaceMany?: (files: readonly NewFile[]) => Promise<void>;
}

/**
 * On Linux a write to a file that is kept up to date is durable when it returns (O_DSYNC: as by fdatasync): one trip to
 * the thread pool for each batch of the journal and not two. Elsewhere O_DSYNC may stop short of the medium.
 */
const durableWrites = process.platform === "linux" ? constants.O_DSYNC : 0;

const flags = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR | durableWrites,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | durableWrites,
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
} as const;

/** Callbacks, not file handles: a handle costs a third of the throughput at one writer. */
function openFile(fd: number, writesAreDurable: boolean): OpenFile {
  // What another process wrote before it died may be in memory only, and a new length is not a write: neither is
  // covered by O_DSYNC.
  let unsynced = true;
  return {
    read: (buffer, position) =>
      new Promise((resolve, reject) => {
        read(fd, buffer, 0, buffer.length, position, (error, n) => (error ? reject(error) : resolve(n)));
      }),
    write: (buffer, position) =>
      new Promise((resolve, reject) => {
        write(fd, buffer, 0, buffer.length, position, (error, n) => (error ? reject(error) : resolve(n)));
      }),
    datasync: () =>
      new Promise((resolve, reject) => {
        if (writesAreDurable && !unsynced) return resolve();
        fdatasync(fd, (error) => {
          if (error) return reject(error);
          unsynced = false;
          resolve();
        });
      }),
    truncate: (length) =>
      new Promise((resolve, reject) => {
        unsynced = true;
        ftruncate(fd, length, (error) => (error ? reject(error) : resolve()));
      }),
    size: () =>
      new Promise((resolve, reject) => {
        fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)));
      }),
    close: () =>
      new Promise((resolve, reject) => {
        close(fd, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

export const nodeFiles: Files = {
  replaceMany: replaceInThread,
  async open(path, mode) {
    const fd = await new Promise<number>((resolve, reject) => {
      open(path, flags[mode], 0o600, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    return openFile(fd, (flags[mode] & durableWrites) !== 0);
  },
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.rm(path, { recursive: true, force: true }),
  async makeDirectory(path) {
    await fs.mkdir(path, { recursive: true, mode: 0o700 });
  },
  async syncDirectory(path) {
    // Windows cannot open a folder for syncing; its file system journals renames by itself.
    if (process.platform === "win32") return;
    const handle = await fs.open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async list(path) {
    try {
      return (await fs.readdir(path)).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  },
  async readWhole(path, guess) {
    try {
      return (guess === undefined ? undefined : await readGuessed(path, guess)) ?? (await fs.readFile(path));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  },
};

/** One open and one read; `undefined` when the file is longer than guessed. */
function readGuessed(path: string, guess: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    open(path, flags.read, (error, fd) => {
      if (error) return reject(error);
      // A byte more than the file should have: only what comes back short is known to be whole.
      const buffer = Buffer.allocUnsafe(guess + 1);
      read(fd, buffer, 0, buffer.length, 0, (failed, n) => {
        close(fd, () => {});
        if (failed) return reject(failed);
        resolve(n === guess ? buffer.subarray(0, n) : undefined);
      });
    });
  });
}

/** Writes all of it, however often the system writes less. */
export async function writeFully(file: OpenFile, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const written = await file.write(done === 0 ? data : data.subarray(done), position + done);
    if (written <= 0) throw new Error("the file system wrote nothing and reported no error");
    done += written;
  }
}

/** Reads until the buffer is full or the file ends. */
export async function readFully(file: OpenFile, buffer: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const n = await file.read(buffer.subarray(done), position + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}

/** Temp, datasync, rename: the name never stands for half a file. The caller syncs the folder. */
export async function replaceFile(files: Files, path: string, data: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await files.open(temporary, "replace");
  try {
    await writeFully(file, data, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, path);
}
