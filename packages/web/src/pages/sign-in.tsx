import { Alert, Button, Card, Center, Divider, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { signIn, signInWithPasskey } from "../session.ts";
import { tones } from "../theme.ts";

function SetupNote(): ReactNode {
  return (
    <Alert color={tones.info} title="This installation is new">
      The server has printed a one-time set-up link in its terminal. Open it on the same machine within 15 minutes to make the first account. Restart the server for a new link.
    </Alert>
  );
}

export function SignIn({ setupOpen }: { readonly setupOpen: boolean }): ReactNode {
  const queries = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const done = (): Promise<void> => queries.invalidateQueries();
  const byPassword = useMutation({ mutationFn: () => signIn(email, password), onSuccess: done });
  const byPasskey = useMutation({ mutationFn: signInWithPasskey, onSuccess: done });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    byPassword.mutate();
  };
  const failed = byPassword.error ?? byPasskey.error;
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder w={420} p="lg">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h2">
              Sign in to Licet
            </Title>
            {setupOpen ? <SetupNote /> : null}
            {failed === null ? null : (
              <Alert color={tones.bad} role="alert">
                {failed.message}
              </Alert>
            )}
            <TextInput label="E-mail" type="email" autoComplete="username webauthn" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
            <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Button type="submit" loading={byPassword.isPending}>
              Sign in
            </Button>
            <Divider label="or" />
            <Button variant="default" loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
              Sign in with a passkey
            </Button>
            <Text size="xs" c="dimmed">
              Accounts are made by an administrator of your organisation.
            </Text>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}
