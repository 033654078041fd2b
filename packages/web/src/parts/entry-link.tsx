import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useWho } from "../who.ts";
import { PageLink } from "./links.tsx";

/** To the log entry, for those who may read the log; its number for the others. */
export function EntryLink({ id, index }: { readonly id: string; readonly index?: number }): ReactNode {
  const { may } = useWho();
  const label = index === undefined ? "entry" : `entry ${index}`;
  if (!may("log.read")) {
    return (
      <Text size="sm" c="dimmed" span>
        {label}
      </Text>
    );
  }
  return (
    <PageLink to="/log/$entry" params={{ entry: id }} size="sm">
      {label}
    </PageLink>
  );
}
