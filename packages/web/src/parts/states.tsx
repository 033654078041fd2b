import { Alert, Card, Center, Code, Loader, Stack, Text, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { explain } from "../api.ts";
import { tones } from "../theme.ts";

export function Failure({ error }: { readonly error: unknown }): ReactNode {
  const { code, text, fix } = explain(error);
  return (
    <Alert color={tones.bad} title={<Code>{code}</Code>} role="alert">
      {text}
      {fix === "" ? null : <Text size="sm">{fix}</Text>}
    </Alert>
  );
}

/** Waiting, failed and there: the same on every page, and never a blank. */
export function Loaded<T>({ query, children }: { readonly query: UseQueryResult<T>; readonly children: (data: T) => ReactNode }): ReactNode {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError ? <Failure error={query.error} /> : null}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <Failure error={query.error} />;
  return (
    <Center p="xl">
      <Loader aria-label="loading" />
    </Center>
  );
}

/** Nothing here yet, and the next action. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <Card withBorder p="xl">
      <Stack align="center" gap="xs">
        <Title order={3}>{title}</Title>
        <Text c="dimmed" ta="center" component="div">
          {children}
        </Text>
      </Stack>
    </Card>
  );
}

export function Section({ title, note, children }: { readonly title: string; readonly note?: string; readonly children: ReactNode }): ReactNode {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack gap="sm">
        <div>
          <Title order={2} size="h4">
            {title}
          </Title>
          {note === undefined ? null : (
            <Text size="sm" c="dimmed">
              {note}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Card>
  );
}
