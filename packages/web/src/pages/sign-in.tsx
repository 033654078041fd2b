import { Alert, Button, Divider, PasswordInput, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Door } from "../parts/door.tsx";
import { Failure } from "../parts/states.tsx";
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
  const onSuccess = (): Promise<void> => queries.invalidateQueries();
  const byPassword = useMutation({ mutationFn: () => signIn(email, password), onSuccess });
  const byPasskey = useMutation({ mutationFn: signInWithPasskey, onSuccess });
  const withPassword = (): void => {
    byPasskey.reset();
    byPassword.mutate();
  };
  const withPasskey = (): void => {
    byPassword.reset();
    byPasskey.mutate();
  };
  const failed = byPassword.error ?? byPasskey.error;
  return (
    <Door title="Sign in to Licet" submit={withPassword}>
      {setupOpen ? <SetupNote /> : null}
      {failed === null ? null : <Failure error={failed} />}
      <TextInput label="E-mail" type="email" autoComplete="username webauthn" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <PasswordInput label="Password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Button type="submit" loading={byPassword.isPending}>
        Sign in
      </Button>
      <Divider label="or" />
      <Button variant="default" loading={byPasskey.isPending} onClick={withPasskey}>
        Sign in with a passkey
      </Button>
      <Text size="sm" c="dimmed">
        Accounts are made by an administrator of your organisation.
      </Text>
    </Door>
  );
}
