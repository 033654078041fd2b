import { Alert, Anchor, Button, Code, PasswordInput, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { client } from "../api.ts";
import { Door, tokenInLink } from "../parts/door.tsx";
import { Failure } from "../parts/states.tsx";
import { signIn } from "../session.ts";
import { tones } from "../theme.ts";

export function Invitation(): ReactNode {
  const [token] = useState(tokenInLink);
  const [password, setPassword] = useState("");
  const accept = useMutation({
    mutationFn: async () => {
      const { email } = await client("acceptInvitation", { body: { token, password } });
      await signIn(email, password);
    },
    // A fresh load, so that the used token leaves the address bar.
    onSuccess: () => location.replace("/account"),
  });
  return (
    <Door title="Join Licet" submit={() => accept.mutate()}>
      {token === "" ? (
        <Alert color={tones.wait} title="This address lacks its one-time token">
          Open the whole link that you were sent, up to its end: <Code>/invitation#token=…</Code>. If you have used it already, <Anchor href="/">sign in</Anchor>.
        </Alert>
      ) : null}
      <Text size="sm" c="dimmed">
        Choose your password. Next, add a passkey: your approvals are then signed by you.
      </Text>
      {accept.isError ? <Failure error={accept.error} /> : null}
      <PasswordInput label="Password" description="At least 12 characters; a sentence is good" required minLength={12} maxLength={128} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
      <Button type="submit" loading={accept.isPending} disabled={token === ""}>
        Set the password
      </Button>
    </Door>
  );
}
