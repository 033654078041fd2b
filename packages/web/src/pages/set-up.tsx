import { Alert, Anchor, Button, Code, PasswordInput, Text, TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useChange } from "../api.ts";
import { Door, tokenInLink } from "../parts/door.tsx";
import { Failure } from "../parts/states.tsx";
import { tones } from "../theme.ts";

export function SetUp(): ReactNode {
  const [token] = useState(tokenInLink);
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const setUp = useChange("setUp");
  // A fresh load, so that the used token leaves the address bar; the answer has signed the person in.
  const submit = (): void => setUp.mutate({ body: { token, name, email, password } }, { onSuccess: () => location.replace("/") });
  return (
    <Door title="Set up Licet" submit={submit}>
      {token === "" ? (
        <Alert color={tones.wait} title="This address lacks its one-time token">
          Open the whole link that the server printed, up to its end: <Code>/setup#token=…</Code>. If Licet is set up already, <Anchor href="/">sign in</Anchor>.
        </Alert>
      ) : null}
      <Text size="sm" c="dimmed">
        The first account is an administrator: it adds people and gives roles. It approves nothing; that is what the other roles are for.
      </Text>
      {setUp.isError ? <Failure error={setUp.error} /> : null}
      <TextInput label="Name" required autoComplete="name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput label="E-mail" type="email" required autoComplete="username" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <PasswordInput label="Password" description="At least 12 characters; a sentence is good" required minLength={12} maxLength={128} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Button type="submit" loading={setUp.isPending} disabled={token === ""}>
        Make the first account
      </Button>
    </Door>
  );
}
