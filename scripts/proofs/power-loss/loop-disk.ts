import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { mkdtemp, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** EXT4_IOC_SHUTDOWN with NOLOGFLUSH: from this instant nothing that is only in memory reaches the disk. */
const shutdown = "import fcntl,os,struct,sys;disk=os.open(sys.argv[1],os.O_RDONLY);print(flush=True);sys.stdin.read(1);fcntl.ioctl(disk,0x8004587D,struct.pack('I',2))";
const imageBytes = 512 * 1024 * 1024;
const unmountAttempts = 40;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** An ext4 file system in a file, whose power can be cut. */
export interface LoopDisk {
  /** Where it is mounted while it has power. */
  readonly folder: string;
  /** Gets ready, and answers with what drops, at once, whatever was not synced. Who uses the disk has to end before `mount`. */
  arm(): Promise<() => Promise<void>>;
  /** As at the next start of the machine. */
  mount(): Promise<void>;
  dispose(): Promise<void>;
}

/** Why power cannot be cut here, in words; undefined where it can. */
export function whyNoLoopDisk(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "power can be cut on Linux and as root only";
  if (!existsSync("/dev/loop-control")) return "this machine has no loop devices";
  for (const [program, args] of [["mkfs.ext4", ["-V"]], ["python3", ["-c", "import fcntl"]], ["mount", ["--version"]]] as const) {
    try {
      execFileSync(program, [...args], { stdio: "ignore" });
    } catch {
      return `${program} is not on this machine`;
    }
  }
  const free = statfsSync(tmpdir());
  if (free.bavail * free.bsize < 2 * imageBytes) return "the folder for temporary files is too full for a disk";
  try {
    return tryMount();
  } catch {
    return "this machine does not let its processes mount a loop device";
  }
}

/** Containers have root and devices and may still not mount. */
function tryMount(): undefined {
  const place = join(tmpdir(), `licet-mount-${process.pid}`);
  mkdirSync(join(place, "mounted"), { recursive: true });
  try {
    execFileSync("truncate", ["-s", "8M", join(place, "image")]);
    execFileSync("mkfs.ext4", ["-q", "-F", join(place, "image")], { stdio: "ignore" });
    execFileSync("mount", ["-o", "loop", join(place, "image"), join(place, "mounted")], { stdio: "ignore" });
    execFileSync("umount", [join(place, "mounted")], { stdio: "ignore" });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export async function newLoopDisk(): Promise<LoopDisk> {
  const place = await mkdtemp(join(tmpdir(), "licet-power-"));
  const [image, folder] = [join(place, "image"), join(place, "mounted")];
  mkdirSync(folder);
  await writeFile(image, "");
  await truncate(image, imageBytes);
  await run("mkfs.ext4", ["-q", "-F", image]);
  const mount = async () => {
    await run("mount", ["-o", "loop", image, folder]);
  };
  await mount();
  return {
    folder,
    arm: () => arm(folder),
    mount: async () => {
      await unmount(folder);
      await mount();
    },
    dispose: async () => {
      await unmount(folder);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

async function arm(folder: string): Promise<() => Promise<void>> {
  const trigger = spawn("python3", ["-c", shutdown, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(trigger, "close");
  await once(trigger.stdout, "data");
  return async () => {
    trigger.stdin.end("x");
    const [code] = await ended;
    if (code !== 0) throw new Error("the power could not be cut");
  };
}

/** A process that has just died may hold the disk for a moment longer. */
async function unmount(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run("umount", [folder]);
      return;
    } catch (error) {
      if (attempt === unmountAttempts) throw error;
      await pause(100);
    }
  }
}
