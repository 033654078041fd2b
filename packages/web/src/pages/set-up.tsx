import { Button, Card, Center, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactNode } from "react";
import { useChange } from "../api.ts";
import { Failure } from "../parts/states.tsx";
import { signIn } from "../session.ts";

/** The token stands in the fragment, so that it reaches no server log. */
export function tokenInLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

export function SetUp(): ReactNode {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const setUp = useChange("setUp");
  const navigate = useNavigate();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setUp.mutate(
      { body: { token: tokenInLink(), name, email, password } },
      { onSuccess: () => void signIn(email, password).then(() => navigate({ to: "/", hash: "" })) },
    );
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder w={460} p="lg">
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h2">
              Set up Licet
            </Title>
            <Text size="sm" c="dimmed">
              The first account is an administrator: it adds people and gives roles. It approves nothing; that is what the other roles are for.
            </Text>
            {setUp.isError ? <Failure error={setUp.error} /> : null}
            <TextInput label="Name" required autoComplete="name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <TextInput label="E-mail" type="email" required autoComplete="username" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
            <PasswordInput label="Password" description="At least 12 characters; a sentence is good" required minLength={12} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Button type="submit" loading={setUp.isPending}>
              Make the first account
            </Button>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}
