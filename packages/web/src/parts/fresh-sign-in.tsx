import { Alert, Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { explain } from "../api.ts";
import { signIn, signInWithPasskey } from "../session.ts";
import { tones } from "../theme.ts";
import { useWho } from "../who.ts";
import { Failure } from "./states.tsx";

/** What the server refused because the sign-in is too old. */
export function needsFreshSignIn(error: unknown): boolean {
  return error !== null && ["session_too_old", "approval_reauthenticate"].includes(explain(error).code);
}

/** Who left a session open must not have others act in it: the person shows again that it is them. */
export function FreshSignIn({ done }: { readonly done: () => void }): ReactNode {
  const { session, email } = useWho();
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const onSuccess = async (): Promise<void> => {
    await queries.invalidateQueries();
    done();
  };
  const byPassword = useMutation({ mutationFn: () => signIn(email, password), onSuccess });
  const byPasskey = useMutation({ mutationFn: signInWithPasskey, onSuccess });
  const failed = byPassword.error ?? byPasskey.error;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    byPassword.mutate();
  };
  return (
    <Alert color={tones.wait} title="Your sign-in is older than 15 minutes: sign in again" role="alert">
      <form onSubmit={submit}>
        <Stack gap="xs">
          {failed === null ? null : <Failure error={failed} />}
          <PasswordInput label={`Password of ${email}`} autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <Group>
            <Button type="submit" size="xs" loading={byPassword.isPending}>
              Sign in again
            </Button>
            {(session?.passkeys ?? 0) > 0 ? (
              <Button size="xs" variant="default" loading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
                With a passkey
              </Button>
            ) : null}
          </Group>
        </Stack>
      </form>
    </Alert>
  );
}
