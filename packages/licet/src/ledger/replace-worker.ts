import { closeSync, fdatasyncSync, openSync, renameSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";

/** What goes to the thread that writes many files, and comes back. */
export interface ReplaceRequest {
  readonly id: number;
  readonly files: readonly { readonly path: string; readonly data: Uint8Array }[];
}

export interface ReplaceResponse {
  readonly id: number;
  /** Absent when every file is durable under its name. */
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}

/** Temp, datasync, rename, as `replaceFile` does: the name never stands for half a file. */
function replace({ path, data }: ReplaceRequest["files"][number]): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, "w", 0o600);
  try {
    for (let done = 0; done < data.length; ) {
      const written = writeSync(fd, data, done, data.length - done, done);
      if (written <= 0) throw new Error("the file system wrote nothing and reported no error");
      done += written;
    }
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

function answer({ id, files }: ReplaceRequest): ReplaceResponse {
  try {
    for (const file of files) replace(file);
    return { id };
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
    return { id, failure: { message: error instanceof Error ? error.message : String(error), code } };
  }
}

parentPort?.on("message", (request: ReplaceRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(answer(request));
});
