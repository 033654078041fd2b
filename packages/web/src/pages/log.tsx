import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { Loaded, PageTitle } from "../parts/states.tsx";
import { CheckpointOf } from "./log/checkpoint.tsx";
import { Entries } from "./log/entries.tsx";
import { Erasures } from "./log/erasures.tsx";
import { Keeping } from "./log/keeping.tsx";
import { Witnesses } from "./log/witnesses.tsx";

export function Log(): ReactNode {
  const log = useRoute("showLog", { params: { space } });
  return (
    <Stack>
      <PageTitle>Evidence log</PageTitle>
      <Text size="sm" c="dimmed">
        Append-only: each entry is hashed into a tree whose root the log's key signs. Open an entry to verify it in your browser.
      </Text>
      <Loaded query={log}>
        {(data) => (
          <>
            <CheckpointOf log={data} />
            <Witnesses log={data} />
          </>
        )}
      </Loaded>
      <Entries />
      <Loaded query={log}>{(data) => <Keeping log={data} />}</Loaded>
      <Erasures />
    </Stack>
  );
}
