import { Text, Tooltip } from "@mantine/core";
import { useSyncExternalStore, type ReactNode } from "react";

const minute = 60_000;
const hour = 60 * minute;
const tickMilliseconds = 15_000;

let now = Date.now();
function subscribe(changed: () => void): () => void {
  const timer = setInterval(() => {
    now = Date.now();
    changed();
  }, tickMilliseconds);
  return () => clearInterval(timer);
}

/** The reader's clock; ages grow while nothing else on the page changes. */
function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

export function ageText(time: number, now: number): string {
  const away = Math.abs(now - time);
  // What has just come may be newer than the last tick.
  if (away < minute) return time - now <= tickMilliseconds ? "just now" : "in a moment";
  const text = away < hour ? `${Math.floor(away / minute)} min` : away < 48 * hour ? `${Math.floor(away / hour)} h` : `${Math.floor(away / (24 * hour))} d`;
  return time <= now ? `${text} ago` : `in ${text}`;
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

function exactText(time: number): string {
  return `${local.format(time)} (${new Date(time).toISOString().slice(0, 19)}Z)`;
}

/** Age for the eye; exact times, in the reader's zone and in UTC, behind it. */
export function Age({ since }: { readonly since: number }): ReactNode {
  const now = useNow();
  return (
    <Tooltip label={exactText(since)} withArrow events={{ hover: true, focus: true, touch: true }}>
      <Text component="time" dateTime={new Date(since).toISOString()} inherit c="dimmed" span style={{ whiteSpace: "nowrap" }}>
        {ageText(since, now)}
      </Text>
    </Tooltip>
  );
}

/** The exact time in plain sight, where the time is the point. */
export function Moment({ at }: { readonly at: number }): ReactNode {
  const now = useNow();
  return (
    <Text component="time" dateTime={new Date(at).toISOString()} inherit span>
      {exactText(at)}, {ageText(at, now)}
    </Text>
  );
}
