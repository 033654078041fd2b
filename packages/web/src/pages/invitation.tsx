import { Button, Card, Center, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactNode } from "react";
import { useChange } from "../api.ts";
import { Failure } from "../parts/states.tsx";
import { signIn } from "../session.ts";
import { tokenInLink } from "./set-up.tsx";

export function Invitation(): ReactNode {
  const [password, setPassword] = useState("");
  const accept = useChange("acceptInvitation");
  const navigate = useNavigate();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    accept.mutate(
      { body: { token: tokenInLink(), password } },
      { onSuccess: ({ email }) => void signIn(email, password).then(() => navigate({ to: "/", hash: "" })) },
    );
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder w={420} p="lg">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h2">
              Join Licet
            </Title>
            <Text size="sm" c="dimmed">
              Choose your password. You can add a passkey afterwards under your account.
            </Text>
            {accept.isError ? <Failure error={accept.error} /> : null}
            <PasswordInput label="Password" description="At least 12 characters; a sentence is good" required minLength={12} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Button type="submit" loading={accept.isPending}>
              Set the password
            </Button>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}
