/** What one process acknowledged before it lost its power. */
export interface Seen {
  /** Key and value of each acknowledgement: the subject knows where to look for it. */
  readonly acknowledged: readonly (readonly [string, string])[];
  /** Signed checkpoints that a reader had seen. */
  readonly checkpoints: readonly string[];
}

export interface Finding {
  /** Acknowledged and not there, in words. */
  readonly lost: readonly string[];
  /** There, and not as it has to be. */
  readonly wrong: readonly string[];
}

export interface Place {
  /** On the disk whose power goes. */
  readonly directory: string;
  /** Different in every round on one disk. */
  readonly run: string;
  /** Of the upstream that calls are answered by, for the subject that calls it. */
  readonly upstream: string;
}

export interface Tell {
  ready(more?: string): void;
  acknowledged(key: string, value: string): void;
  checkpoint(note: string): void;
}

/** Something that acknowledges work and keeps it on a disk. */
export interface Subject {
  readonly name: string;
  /** Works until it is killed. */
  work(place: Place, tell: Tell): Promise<unknown>;
  /** In a new process, after the power is back; throws when it does not open. */
  check(directory: string, seen: Seen): Promise<Finding>;
}

/** For the writers of a subject: they go on until the disk fails them, and then wait for the end. */
export async function endlessly(count: number, step: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, async () => {
    for (;;) {
      try {
        await step();
      } catch {
        return;
      }
    }
  }));
}

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
