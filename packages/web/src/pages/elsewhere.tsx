import { Alert, Button, Center, Code, Loader, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { PageLink } from "../parts/links.tsx";
import { Empty, PageTitle } from "../parts/states.tsx";
import { tones } from "../theme.ts";

export function Waiting(): ReactNode {
  return (
    <Center p="xl">
      <Loader aria-label="loading" role="status" />
    </Center>
  );
}

export function NotThere(): ReactNode {
  return (
    <Stack>
      <PageTitle>No such page</PageTitle>
      <Empty title="Nothing is at this address">
        Go to <PageLink to="/">the systems</PageLink>.
      </Empty>
    </Stack>
  );
}

/** A view that threw, or whose file a newer server no longer has. */
export function Wrecked({ error }: { readonly error: unknown }): ReactNode {
  return (
    <Alert color={tones.bad} title="This view could not be shown" role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          <Code>{error instanceof Error ? error.message : "unknown"}</Code> If the server was updated, reloading brings the new page.
        </Text>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Reload
        </Button>
      </Stack>
    </Alert>
  );
}
