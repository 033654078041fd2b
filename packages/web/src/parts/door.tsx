import { Card, Center, Stack, Title } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

/** The pages before anybody is signed in: one card, one form. */
export function Door({ title, submit, children }: { readonly title: string; readonly submit: () => void; readonly children: ReactNode }): ReactNode {
  const send = (event: FormEvent): void => {
    event.preventDefault();
    submit();
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <title>{`${title} · Licet`}</title>
      <Card withBorder w="100%" maw={440} p="lg">
        <form onSubmit={send}>
          <Stack>
            <Title order={1} size="h2">
              {title}
            </Title>
            {children}
          </Stack>
        </form>
      </Card>
    </Center>
  );
}

/** The token stands in the fragment, so that it reaches no server log. */
export function tokenInLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}
