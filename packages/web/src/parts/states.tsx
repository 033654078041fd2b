import { Alert, Card, Center, Code, Loader, Stack, Text, Title } from "@mantine/core";
import { LicetError } from "@licet/contract";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef, type ReactNode } from "react";
import { explain } from "../api.ts";
import { tones } from "../theme.ts";
import { Prose } from "./words.tsx";

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What is wrong, its stable code and what to do next. */
export function Failure({ error }: { readonly error: unknown }): ReactNode {
  const { code, text, fix } = explain(error);
  return (
    <Alert color={tones.bad} title={<Prose>{sentence(text)}</Prose>} role="alert">
      {fix === "" ? null : (
        <Text size="sm">
          <Prose>{sentence(fix)}</Prose>.
        </Text>
      )}
      <Text size="xs" mt={4}>
        Code <Code>{code}</Code>
      </Text>
    </Alert>
  );
}

interface LoadedProps<T> {
  readonly query: UseQueryResult<T>;
  /** The page's title while what it shows, and is named by, is not there. */
  readonly title?: string;
  readonly children: (data: T) => ReactNode;
}

/** Waiting, failed and there: the same on every page, and never a blank. A lost connection is told once, by the frame. */
export function Loaded<T>({ query, title, children }: LoadedProps<T>): ReactNode {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && !(query.error instanceof LicetError) ? <Failure error={query.error} /> : null}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) {
    return (
      <Stack>
        {title === undefined ? null : <PageTitle>{title}</PageTitle>}
        <Failure error={query.error} />
      </Stack>
    );
  }
  return (
    <Center p="xl">
      <Loader aria-label="loading" role="status" />
    </Center>
  );
}

/** Nothing here yet, and the next action. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <Card withBorder p="xl">
      <Stack align="center" gap="xs">
        <Title order={2} size="h3">
          {title}
        </Title>
        <Text c="dimmed" ta="center" component="div">
          {children}
        </Text>
      </Stack>
    </Card>
  );
}

export function Section({ id, title, note, children }: { readonly id?: string; readonly title: string; readonly note?: string; readonly children: ReactNode }): ReactNode {
  return (
    <Card withBorder component="section" aria-label={title} id={id} style={{ scrollMarginTop: 68, flexShrink: 0 }}>
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

/** A fresh load starts at the top, where the skip link is. */
let visited = false;

/** The page's name for the eye, the tab and the screen reader: going on to a page takes the focus there. */
export function PageTitle({ children }: { readonly children: string }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const first = !visited;
    visited = true;
    if (first) return;
    if (document.activeElement === document.body || document.activeElement instanceof HTMLAnchorElement) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <title>{`${children} · Licet`}</title>
      <Title order={1} size="h2" tabIndex={-1} ref={heading}>
        {children}
      </Title>
    </>
  );
}
